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
    static final int THREADS = Settings.threads();

    /** The least number of elements worth handing to another thread, for work of about a nanosecond an element. */
    static final long GRAIN = 16384;

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

    /**
     * Runs {@code body} over {@code [0, count)} in pieces of at least {@code grain}, the caller's thread among them. May be
     * called from within a body. Whatever a piece throws, the others end first: none may still write to memory that the
     * caller frees.
     */
    static void range(long count, long grain, Body body) {
        long pieces = Math.min(THREADS, count / Math.max(1, grain));
        if (pieces <= 1) {
            if (count > 0) {
                body.run(0, count);
            }
            return;
        }
        split(count, (int) pieces, body);
    }

    /** As {@link #range(long, long, Body)} for items that stand for {@code work} elements each. */
    static void items(long count, long work, Body body) {
        range(count, Math.max(1, GRAIN / Math.max(1, work)), body);
    }

    private static void split(long count, int pieces, Body body) {
        long step = (count + pieces - 1) / pieces;
        Piece[] rest = new Piece[pieces - 1];
        for (int i = 0; i < rest.length; i++) {
            long from = Math.min(count, (i + 1) * step);
            rest[i] = new Piece(body, from, Math.min(count, from + step));
            rest[i].submit();
        }
        Throwable failure = Piece.attempt(body, 0, Math.min(count, step));
        for (Piece piece : rest) {
            Throwable other = piece.await();
            failure = failure == null ? other : failure;
        }
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure != null) {
            throw (RuntimeException) failure;
        }
    }

    /** One part of a range; keeps what it throws, since a task's own join may throw a copy of another type. */
    private static final class Piece implements Runnable {
        private final Body body;
        private final long from;
        private final long to;
        private ForkJoinTask<?> task;
        private Throwable failure;

        Piece(Body body, long from, long to) {
            this.body = body;
            this.from = from;
            this.to = to;
        }

        /** Hands it to the pool; where no thread can be had it is left to {@link #await}. */
        void submit() {
            try {
                task = POOL.submit(this);
            } catch (RuntimeException | OutOfMemoryError e) {
                task = null;
            }
        }

        Throwable await() {
            if (task == null) {
                run();
            } else {
                task.join();
            }
            return failure;
        }

        @Override
        public void run() {
            failure = attempt(body, from, to);
        }

        static Throwable attempt(Body body, long from, long to) {
            try {
                if (from < to) {
                    body.run(from, to);
                }
                return null;
            } catch (RuntimeException | Error e) {
                return e;
            }
        }
    }
}
