package org.tenon.data;

import java.io.IOException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;

/**
 * The thread that prepares batches. It makes one only when there is room for it, so that no more than {@code ahead} wait at
 * any time. It is ended by a flag and a free place rather than by an interrupt, which would close the file channels that a
 * source may be reading.
 */
final class Prefetch<B> implements Runnable {
    private final Plan<B> plan;
    private final Semaphore room;
    private final BlockingQueue<Made<B>> made = new LinkedBlockingQueue<>();
    private volatile boolean stopped;
    private Thread thread;

    /** A batch, or why there is none. */
    private record Made<B>(B batch, Throwable failure) {}

    private Prefetch(Plan<B> plan, int ahead) {
        this.plan = plan;
        room = new Semaphore(ahead);
    }

    static <B> Prefetch<B> start(Plan<B> plan, int ahead) {
        Prefetch<B> prefetch = new Prefetch<>(plan, ahead);
        prefetch.thread = Thread.ofPlatform().daemon().name("tenon-loader").start(prefetch);
        return prefetch;
    }

    @Override
    public void run() {
        for (int number = plan.first(); number < plan.count(); number++) {
            room.acquireUninterruptibly();
            if (stopped) {
                return;
            }
            try {
                made.add(new Made<>(plan.make(number), null));
            } catch (Throwable failure) {
                made.add(new Made<>(null, failure));
                return;
            }
        }
    }

    B take() throws InterruptedException, IOException {
        Made<B> next = made.take();
        room.release();
        switch (next.failure()) {
            case null -> {
                return next.batch();
            }
            case IOException e -> throw e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new IllegalStateException(e);
        }
    }

    /** Asks the thread to end after the batch that it is at. */
    void stop() {
        stopped = true;
        room.release();
    }

    /** Ends the thread and frees what it made. */
    void close() {
        stop();
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        for (Made<B> each = made.poll(); each != null; each = made.poll()) {
            Batches.free(each.batch());
        }
    }
}
