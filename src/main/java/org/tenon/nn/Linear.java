package org.tenon.nn;

import java.util.Optional;
import org.tenon.Any;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.EpilogueOptions;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.Kind;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.Shape;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;

/**
 * An affine map of the last axis, {@code y = x W^T + b}. PyTorch: {@code torch.nn.Linear}. Weight [out, in] and bias [out]
 * start uniform on {@code (-1/sqrt(in), 1/sqrt(in))}.
 *
 * @param <I> the shape of the input
 * @param <O> the shape of the output
 * @param <D> element type
 * @param <Dev> device type
 */
public final class Linear<I extends Shape, O extends Shape, D extends Floating, Dev extends DeviceType>
        extends Layer<I, O, D, Dev> {
    private final Kind<O> kind;
    private final Tensor<R2<Dim, Dim>, D, Dev> weight;
    private final Optional<Tensor<R1<Dim>, D, Dev>> bias;

    private Linear(Device<Dev> device, D dtype, Kind<O> kind, long in, long out, Bias bias, Generator generator) {
        if (in < 1 || out < 1) {
            throw new TensorArgumentException("linear", "sizes " + in + " to " + out + " are bad; both are 1 or more");
        }
        this.kind = kind;
        double bound = 1 / Math.sqrt(in);
        weight = register("weight", device.uniform(R2.of(out, in), -bound, bound, dtype, generator));
        this.bias = bias == Bias.NONE
                ? Optional.empty()
                : Optional.of(register("bias", device.uniform(R1.of(out), -bound, bound, dtype, generator)));
    }

    private Linear(Kind<O> kind, Tensor<R2<Dim, Dim>, D, Dev> weight) {
        this.kind = kind;
        this.weight = register("weight", weight);
        bias = Optional.empty();
    }

    /**
     * A layer without a bias whose weight [out, in] is another's, such as the table of an {@link Embedding}: both learn it, it
     * is one parameter, and its gradient is the sum of both. {@code kind} is that of the output, {@code R3.kind()}.
     */
    public static <I extends Shape, O extends Shape, D extends Floating, Dev extends DeviceType>
            Linear<I, O, D, Dev> tied(Tensor<R2<Dim, Dim>, D, Dev> weight, Kind<O> kind) {
        return new Linear<>(kind, weight);
    }

    /** For rows: (B, In) to (B, Out). */
    public static <B extends Dim, In extends Dim, Out extends Dim, D extends Floating, Dev extends DeviceType>
            Linear<R2<B, In>, R2<B, Out>, D, Dev> of(
                    Device<Dev> device, D dtype, long in, long out, Generator generator) {
        return new Linear<>(device, dtype, R2.kind(), in, out, Bias.LEARNED, generator);
    }

    /** For batches of sequences: (B, T, In) to (B, T, Out). */
    public static <
                    B extends Dim,
                    T extends Dim,
                    In extends Dim,
                    Out extends Dim,
                    D extends Floating,
                    Dev extends DeviceType>
            Linear<R3<B, T, In>, R3<B, T, Out>, D, Dev> ofSequences(
                    Device<Dev> device, D dtype, long in, long out, Generator generator) {
        return ofSequences(device, dtype, in, out, Bias.LEARNED, generator);
    }

    /** For batches of sequences, with or without a bias. */
    public static <
                    B extends Dim,
                    T extends Dim,
                    In extends Dim,
                    Out extends Dim,
                    D extends Floating,
                    Dev extends DeviceType>
            Linear<R3<B, T, In>, R3<B, T, Out>, D, Dev> ofSequences(
                    Device<Dev> device, D dtype, long in, long out, Bias bias, Generator generator) {
        return new Linear<>(device, dtype, R3.kind(), in, out, bias, generator);
    }

    /** For any rank of 1 or more. */
    public static <D extends Floating, Dev extends DeviceType> Linear<Any, Any, D, Dev> ofAny(
            Device<Dev> device, D dtype, long in, long out, Generator generator) {
        return new Linear<>(device, dtype, Any.kind(), in, out, Bias.LEARNED, generator);
    }

    /** The weight, [out, in]. */
    public Tensor<R2<Dim, Dim>, D, Dev> weight() {
        return weight;
    }

    /** The bias, [out]; an error where there is none. */
    public Tensor<R1<Dim>, D, Dev> bias() {
        return bias.orElseThrow(() -> new TensorArgumentException("linear", "this layer has no bias"));
    }

    @Override
    public Tensor<O, D, Dev> forward(Tensor<I, D, Dev> x) {
        return forward(x, EpilogueOptions.defaults());
    }

    /** With what comes after the map as one kernel, see {@link F#epilogue}; its bias is this layer's, where that has one. */
    public Tensor<O, D, Dev> forward(Tensor<I, D, Dev> x, EpilogueOptions<D, Dev> epilogue) {
        Tensor<O, D, Dev> y = x.matmul(F.t(weight)).as(kind);
        return F.epilogue(y, bias.map(epilogue::bias).orElse(epilogue));
    }

    @Override
    <J extends Shape> Chain<J, O, D, Dev> after(Chain<J, I, D, Dev> before) {
        return new Chain.Mapped<>(before, this);
    }
}
