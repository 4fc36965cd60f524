package org.tenon;

import java.util.function.Supplier;
import org.tenon.op.Capture;
import org.tenon.spi.Backend;

/**
 * A step that runs many times with other inputs in the same tensors:
 *
 * <pre>{@code
 * var x = device.zeros(R2.of(64, 784), F32);
 * var target = device.zeros(R1.of(64), I64);
 * try (var step = device.capture(() -> {
 *     var loss = F.crossEntropy(model.forward(x), target);
 *     optimizer.step(loss.backward());
 *     scheduler.step();
 *     return loss;
 * })) {
 *     for (var batch : loader) {
 *         x.copyFrom(batch.x());
 *         target.copyFrom(batch.target());
 *         var loss = step.run();
 *     }
 * }
 * }</pre>
 *
 * Each {@link #run} is one step. On CUDA the first runs op by op, the second is captured as a graph and launched, and from
 * then on that graph is launched: one launch, whatever the step does, with the same bits as op by op. On other devices, and
 * with {@code -Dtenon.profile}, each run is op by op. The rules are the same everywhere, so that a loop that works on one
 * device works on all:
 *
 * <ul>
 *   <li>The step does the same each time, on its device and the calling thread alone. Java code in it runs in the first two
 *       runs only: numbers it computes are those of the second from then on. What advances in every run are random numbers
 *       of a {@link Generator}, optimizers with their counts of steps and learning rates, and learning rate schedules.
 *   <li>It reads nothing back and copies nothing in: no {@code item()}, no tensors of host arrays, no other device's tensors,
 *       no waiting, no other captured step. Each is a {@link TensorStateException}, in the first run already. Inputs are
 *       tensors made before, overwritten between runs.
 *   <li>What it returns belongs to it, and lasts until the next run or {@link #close}: {@code copy()} what is to stay.
 *   <li>Tensors that it uses stay in memory until it is closed, and so does the memory that it needs within.
 *   <li>Other threads that launch work on the device wait while it is captured.
 * </ul>
 *
 * A run that fails has not advanced an optimizer or a schedule, unless it ran op by op. PyTorch: {@code torch.cuda.CUDAGraph}.
 *
 * @param <R> what the step returns: a tensor, a collection of tensors, nothing
 */
public final class CapturedStep<R> implements AutoCloseable {
    private final Capture<R> capture;
    private final Supplier<? extends R> step;

    CapturedStep(Backend backend, Supplier<? extends R> step) {
        capture = new Capture<>(backend);
        this.step = step;
    }

    /**
     * Runs the step once more.
     *
     * @throws TensorStateException if the step does what a captured one cannot, or this was closed
     * @throws OutOfDeviceMemoryException if there is no memory for it; while it is captured the cache cannot be emptied for it
     */
    public synchronized R run() {
        return capture.run(() -> Scope.call(step::get));
    }

    /** Frees what the last run returned and the memory of the step. */
    @Override
    public synchronized void close() {
        capture.close();
    }
}
