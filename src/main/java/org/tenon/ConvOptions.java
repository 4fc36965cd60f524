package org.tenon;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The options of {@link F#conv1d}, {@link F#conv2d} and {@link F#convTranspose2d}. A list has one number for all spatial axes,
 * or one for each. Defaults: no bias, stride 1, padding 0, dilation 1, one group, output padding 0.
 *
 * @param bias a term for each output channel
 * @param stride how far the window moves
 * @param padding how many zeros are put around the input, on both sides
 * @param dilation how far apart the window's elements are
 * @param groups how many parts the channels are split into, each with weights of its own
 * @param outputPadding how much longer the result is at its end; {@code convTranspose2d} only
 * @param <D> the input's element type
 * @param <Dev> the input's device type
 */
public record ConvOptions<D extends DType, Dev extends DeviceType>(
        Optional<Tensor<?, D, Dev>> bias,
        List<Long> stride,
        List<Long> padding,
        List<Long> dilation,
        long groups,
        List<Long> outputPadding) {
    /** The defaults. */
    public static <D extends DType, Dev extends DeviceType> ConvOptions<D, Dev> defaults() {
        return new ConvOptions<>(Optional.empty(), List.of(1L), List.of(0L), List.of(1L), 1, List.of(0L));
    }

    /** With a term for each output channel. */
    public ConvOptions<D, Dev> bias(Tensor<?, D, Dev> newBias) {
        return new ConvOptions<>(Optional.of(newBias), stride, padding, dilation, groups, outputPadding);
    }

    /** With another stride. */
    public ConvOptions<D, Dev> stride(long... newStride) {
        return new ConvOptions<>(bias, listed(newStride), padding, dilation, groups, outputPadding);
    }

    /** With another padding. */
    public ConvOptions<D, Dev> padding(long... newPadding) {
        return new ConvOptions<>(bias, stride, listed(newPadding), dilation, groups, outputPadding);
    }

    /** With another dilation. */
    public ConvOptions<D, Dev> dilation(long... newDilation) {
        return new ConvOptions<>(bias, stride, padding, listed(newDilation), groups, outputPadding);
    }

    /** With several groups. */
    public ConvOptions<D, Dev> groups(long newGroups) {
        return new ConvOptions<>(bias, stride, padding, dilation, newGroups, outputPadding);
    }

    /** With a longer result. */
    public ConvOptions<D, Dev> outputPadding(long... newOutputPadding) {
        return new ConvOptions<>(bias, stride, padding, dilation, groups, listed(newOutputPadding));
    }

    static List<Long> listed(long... numbers) {
        return Arrays.stream(numbers).boxed().toList();
    }

    /** One number for each of {@code axes}. */
    static long[] spread(String op, String what, List<Long> numbers, int axes) {
        if (numbers.size() != 1 && numbers.size() != axes) {
            throw new TensorArgumentException(
                    op, what + " " + numbers + " has " + numbers.size() + " numbers; give 1 or " + axes);
        }
        long[] all = new long[axes];
        Arrays.setAll(all, i -> numbers.get(numbers.size() == 1 ? 0 : i));
        return all;
    }
}
