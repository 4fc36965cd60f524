package org.tenon;

import java.util.List;

/**
 * The windows of {@link F#maxPool2d} and {@link F#avgPool2d}. A list has one number for both axes, or one for each.
 *
 * @param kernel the window's sizes
 * @param stride how far it moves; unless given, its sizes
 * @param padding how much is put around the input, at most half the window: -inf for a maximum, zeros that count for a mean
 * @param dilation how far apart the window's elements are; {@code maxPool2d} only
 */
public record PoolOptions(List<Long> kernel, List<Long> stride, List<Long> padding, List<Long> dilation) {
    /** Windows side by side. */
    public static PoolOptions of(long... kernel) {
        List<Long> sizes = ConvOptions.listed(kernel);
        return new PoolOptions(sizes, sizes, List.of(0L), List.of(1L));
    }

    /** With another stride. */
    public PoolOptions stride(long... newStride) {
        return new PoolOptions(kernel, ConvOptions.listed(newStride), padding, dilation);
    }

    /** With a padding. */
    public PoolOptions padding(long... newPadding) {
        return new PoolOptions(kernel, stride, ConvOptions.listed(newPadding), dilation);
    }

    /** With a dilation. */
    public PoolOptions dilation(long... newDilation) {
        return new PoolOptions(kernel, stride, padding, ConvOptions.listed(newDilation));
    }
}
