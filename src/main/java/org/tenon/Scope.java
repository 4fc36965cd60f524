package org.tenon;

import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import org.tenon.op.Frame;

/**
 * A region that frees the tensors made in it when it ends, in reverse order, however it ends:
 *
 * <pre>{@code
 * for (int step = 0; step < steps; step++) {
 *     loss = Scope.call(() -> {
 *         var output = model.forward(batch);
 *         var loss = F.crossEntropy(output, targets);
 *         optimizer.step(loss.backward());
 *         return loss.item();
 *     });
 * }
 * }</pre>
 *
 * What the body returns moves to the enclosing scope, or outside any scope to the garbage collector: a {@link Tensor}, a
 * {@link TensorGroup} such as {@link Gradients} or a module, or a collection, map, array or optional of these. Scopes nest,
 * and belong to the thread that runs the body. A tensor used after its scope closed says so in a
 * {@link TensorStateException}.
 */
public final class Scope {
    private final Frame frame;

    private Scope(Frame frame) {
        this.frame = frame;
    }

    /** A body that keeps what it does not return. */
    @FunctionalInterface
    public interface Body<R, X extends Throwable> {
        /** Runs in the scope. */
        R call(Scope scope) throws X;
    }

    /** Runs {@code body} in a scope of its own and returns its result, which outlives it. */
    public static <R, X extends Throwable> R call(ScopedValue.CallableOp<? extends R, X> body) throws X {
        return callWith(scope -> body.call());
    }

    /** As {@link #call}, for a body that hands on tensors by {@link #keep} rather than by returning them. */
    public static <R, X extends Throwable> R callWith(Body<? extends R, X> body) throws X {
        Frame frame = Frame.open();
        try {
            Scope scope = new Scope(frame);
            R result = frame.call(() -> body.call(scope));
            scope.keepAll(result);
            return result;
        } finally {
            frame.close();
        }
    }

    /** Runs {@code body} in a scope of its own. */
    public static void run(Runnable body) {
        callWith(scope -> {
            body.run();
            return null;
        });
    }

    /** Lets a tensor of this scope outlive it, in the enclosing one; a tensor of another scope stays where it is. */
    public <T extends Tensor<?, ?, ?>> T keep(T tensor) {
        tensor.value().checkOpen();
        frame.keep(tensor.value());
        return tensor;
    }

    private void keepAll(Object result) {
        switch (result) {
            case null -> {}
            case Tensor<?, ?, ?> tensor -> frame.keep(tensor.value());
            case TensorGroup group -> group.tensors().forEach(this::keepAll);
            case Collection<?> all -> all.forEach(this::keepAll);
            case Map<?, ?> all -> all.values().forEach(this::keepAll);
            case Optional<?> one -> one.ifPresent(this::keepAll);
            case Object[] all -> {
                for (Object each : all) {
                    keepAll(each);
                }
            }
            default -> {}
        }
    }
}
