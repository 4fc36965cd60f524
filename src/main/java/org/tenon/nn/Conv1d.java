package org.tenon.nn;

import org.tenon.ConvOptions;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.R3;
import org.tenon.Tensor;

/**
 * {@link F#conv1d} with a weight [out, in / groups, kernel] and a bias. PyTorch: {@code torch.nn.Conv1d}.
 *
 * @param <N> the batch
 * @param <In> the input's channels
 * @param <Out> the output's channels
 * @param <L> the positions
 * @param <D> element type
 * @param <Dev> device type
 */
public final class Conv1d<
                N extends Dim,
                In extends Dim,
                Out extends Dim,
                L extends Dim,
                D extends Floating,
                Dev extends DeviceType>
        extends Convolutional<R3<N, In, L>, R3<N, Out, L>, R3<Dim, Dim, Dim>, D, Dev> {
    /** With a window of this size and default options. */
    public Conv1d(Device<Dev> device, D dtype, long in, long out, long kernel, Generator generator) {
        this(device, dtype, in, out, new long[] {kernel}, Bias.LEARNED, ConvOptions.defaults(), generator);
    }

    /** With these sizes of the window and options, whose bias is the layer's matter. */
    public Conv1d(
            Device<Dev> device,
            D dtype,
            long in,
            long out,
            long[] kernel,
            Bias bias,
            ConvOptions<D, Dev> options,
            Generator generator) {
        check("conv1d", in, out, options, 1, kernel);
        super(device, dtype, R3.of(out, in / options.groups(), kernel[0]), out, bias, options, generator);
    }

    @Override
    public Tensor<R3<N, Out, L>, D, Dev> forward(Tensor<R3<N, In, L>, D, Dev> x) {
        return F.conv1d(x, weight(), options());
    }
}
