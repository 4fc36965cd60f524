package org.tenon.data;

import java.io.IOException;
import java.lang.ref.Cleaner;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.tenon.Tensor;
import org.tenon.TensorGroup;
import org.tenon.TensorStateException;

/**
 * The batches of one epoch, to be taken once. The tensors of a batch are freed when the next is asked for, and those of the
 * last, and of all that were prepared ahead, when this is closed: keep what should outlive that with {@code copy()}. What
 * goes wrong in the preparing thread is thrown by {@link #next}, with the batch's number.
 *
 * @param <B> a batch
 */
public final class Batches<B> implements Iterable<B>, Iterator<B>, AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final Plan<B> plan;
    private final Prefetch<B> prefetch;
    private final Cleaner.Cleanable lastResort;
    private int next;
    private B current;
    private boolean closed;

    Batches(Plan<B> plan, int ahead) {
        this.plan = plan;
        next = plan.first();
        if (ahead > 0 && next < plan.count()) {
            Prefetch<B> started = Prefetch.start(plan, ahead);
            prefetch = started;
            // Ends the thread of one that was left without closing it; the tensors are then the collector's.
            lastResort = CLEANER.register(this, started::stop);
        } else {
            prefetch = null;
            lastResort = null;
        }
    }

    /** The number of batches still to come. */
    public int remaining() {
        return closed ? 0 : plan.count() - next;
    }

    /** The number, within the epoch, of the batch that comes next. */
    public int position() {
        return next;
    }

    @Override
    public boolean hasNext() {
        return remaining() > 0;
    }

    @Override
    public B next() {
        if (closed) {
            throw new TensorStateException("dataLoader", "used after it was closed; start another epoch");
        }
        if (next == plan.count()) {
            throw new NoSuchElementException("the epoch has no more batches");
        }
        free(current);
        current = null;
        try {
            current = prefetch == null ? plan.make(next) : prefetch.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failure("was not waited for: the thread was interrupted", e);
        } catch (IOException | RuntimeException | Error e) {
            close();
            throw failure("could not be made: " + e, e);
        }
        next++;
        return current;
    }

    private TensorStateException failure(String what, Throwable cause) {
        TensorStateException failure = new TensorStateException("dataLoader", "batch " + next + " " + what);
        failure.initCause(cause);
        return failure;
    }

    /** This, once. */
    @Override
    public Iterator<B> iterator() {
        return this;
    }

    /** Ends the thread, waits for it, and frees the batches that were not taken, and the one taken last. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            free(current);
            current = null;
            if (prefetch != null) {
                prefetch.close();
                lastResort.clean();
            }
        }
    }

    static void free(Object batch) {
        switch (batch) {
            case null -> {}
            case Tensor<?, ?, ?> tensor -> tensor.close();
            case TensorGroup group -> group.tensors().forEach(Tensor::close);
            case Iterable<?> all -> all.forEach(Batches::free);
            default -> {}
        }
    }
}
