package org.tenon.cpu;

import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.ForkJoinWorkerThread;

/**
 * Splits a range over the cores. What a body computes for an element must not depend on where the range was cut, so that
 * results are the same on any number of threads; a reduction cuts into blocks of a fixed size instead and combines them in
 * order.
 */
final class Parallel {
    /** The number of threads, {@code -Dtenon.cpu.threads}, by default one a core. */
    static final int THREADS = Math.max(
            1, Integer.getInteger("tenon.cpu.threads", Runtime.getRuntime().availableProcessors()));

    private static final ForkJoinPool POOL = new ForkJoinPool(
            THREADS,
            pool -> {
                ForkJoinWorkerThread worker = ForkJoinPool.defaultForkJoinWorkerThreadFactory.newThread(pool);
                worker.setName("tenon-cpu-" + worker.getPoolIndex());
                worker.setDaemon(true);
                return worker;
            },
            null,
            false);

    private Parallel() {}

    /** The work on elements {@code from} to {@code to}, exclusive. */
    @FunctionalInterface
    interface Body {
        void run(long from, long to);
    }

    /** Runs {@code body} over {@code [0, count)} in pieces of at least {@code grain}, the caller's thread among them. */
    static void range(long count, long grain, Body body) {
        long pieces = Math.min(THREADS, count / Math.max(1, grain));
        if (pieces <= 1) {
            if (count > 0) {
                body.run(0, count);
            }
            return;
        }
        long step = (count + pieces - 1) / pieces;
        ForkJoinTask<?>[] rest = new ForkJoinTask<?>[(int) pieces - 1];
        for (int i = 0; i < rest.length; i++) {
            long from = (i + 1) * step;
            long to = Math.min(count, from + step);
            rest[i] = POOL.submit(() -> {
                if (from < to) {
                    body.run(from, to);
                }
            });
        }
        RuntimeException failure = null;
        try {
            body.run(0, step);
        } catch (RuntimeException e) {
            failure = e;
        }
        for (ForkJoinTask<?> task : rest) {
            try {
                task.join();
            } catch (RuntimeException e) {
                failure = failure == null ? e : failure;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
