package org.tenon.nn;

import org.tenon.ConvOptions;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.R4;
import org.tenon.Tensor;

/**
 * {@link F#conv2d} with a weight [out, in / groups, kernel, kernel] and a bias. PyTorch: {@code torch.nn.Conv2d}.
 *
 * @param <N> the batch
 * @param <In> the input's channels
 * @param <Out> the output's channels
 * @param <H> the rows
 * @param <W> the columns
 * @param <D> element type
 * @param <Dev> device type
 */
public final class Conv2d<
                N extends Dim,
                In extends Dim,
                Out extends Dim,
                H extends Dim,
                W extends Dim,
                D extends Floating,
                Dev extends DeviceType>
        extends Convolutional<R4<N, In, H, W>, R4<N, Out, H, W>, R4<Dim, Dim, Dim, Dim>, D, Dev> {
    /** With a square window of this size and default options. */
    public Conv2d(Device<Dev> device, D dtype, long in, long out, long kernel, Generator generator) {
        this(device, dtype, in, out, new long[] {kernel, kernel}, Bias.LEARNED, ConvOptions.defaults(), generator);
    }

    /** With these sizes of the window and options, whose bias is the layer's matter. */
    public Conv2d(
            Device<Dev> device,
            D dtype,
            long in,
            long out,
            long[] kernel,
            Bias bias,
            ConvOptions<D, Dev> options,
            Generator generator) {
        check("conv2d", in, out, options, 2, kernel);
        super(device, dtype, R4.of(out, in / options.groups(), kernel[0], kernel[1]), out, bias, options, generator);
    }

    @Override
    public Tensor<R4<N, Out, H, W>, D, Dev> forward(Tensor<R4<N, In, H, W>, D, Dev> x) {
        return F.conv2d(x, weight(), options());
    }
}
