package org.tenon.cpu;

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

    /** Pieces a thread, so that one that comes late or is interrupted does less. */
    private static final int SHARES = 4;

    private Parallel() {}

    /** Begun when first asked for. */
    private static final class Pool {
        private static final Workers WORKERS = new Workers(THREADS - 1);
    }

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
        long pieces = THREADS == 1 ? 1 : Math.min((long) SHARES * THREADS, count / Math.max(1, grain));
        if (pieces > 1) {
            Pool.WORKERS.run(count, (int) pieces, body);
        } else if (count > 0) {
            body.run(0, count);
        }
    }

    /** As {@link #range(long, long, Body)} for items that stand for {@code work} elements each. */
    static void items(long count, long work, Body body) {
        range(count, Math.max(1, GRAIN / Math.max(1, work)), body);
    }
}
