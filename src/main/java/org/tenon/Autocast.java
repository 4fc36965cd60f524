package org.tenon;

import org.tenon.op.Precision;

/**
 * Regions of mixed precision: products and convolutions of float32 tensors are computed in float16 or bfloat16, everything
 * else in float32 as written. Operands are cast on the way in and the result on the way out, in the graph, so that types stay
 * {@code F32}, the parameters are float32 masters, and a model's code is the same with and without.
 *
 * <pre>{@code
 * Tensor<R0, F32, Dev> loss = Autocast.call(DType.BF16, () -> F.crossEntropy(model.forward(x), y));
 * optimizer.step(loss.backward());
 * }</pre>
 *
 * <p>In half: {@code matmul, bmm, mv, dot}, {@link F#conv1d}, {@link F#conv2d}, {@link F#convTranspose2d}, the products of
 * {@link F#scaledDotProductAttention} and of linear and recurrent layers; gradients of these too, wherever {@code backward} is
 * called. In float32: elementwise functions, reductions, softmax, norms, losses and updates. Tensors of other types are left
 * alone. A region holds for the thread that runs it. Float16 needs {@link org.tenon.optim.GradScaler}. PyTorch:
 * {@code torch.autocast}.
 */
public final class Autocast {
    private Autocast() {}

    /**
     * Runs {@code body} with products in this half type.
     *
     * @throws TensorArgumentException if the type is neither float16 nor bfloat16
     */
    public static <R, X extends Throwable> R call(Floating half, ScopedValue.CallableOp<? extends R, X> body) throws X {
        if (half != DType.F16 && half != DType.BF16) {
            throw new TensorArgumentException("autocast", half + " is no half type; use float16 or bfloat16");
        }
        return Precision.with(half, body);
    }

    /** Runs {@code body} with products in float32, also inside {@link #call}. PyTorch: {@code autocast(enabled=False)}. */
    public static <R, X extends Throwable> R off(ScopedValue.CallableOp<? extends R, X> body) throws X {
        return Precision.with(DType.F32, body);
    }

    /** Whether this is such a region. */
    public static boolean isEnabled() {
        return Precision.current() != DType.F32;
    }
}
