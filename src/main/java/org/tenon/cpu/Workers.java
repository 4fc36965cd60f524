package org.tenon.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import org.tenon.cpu.Parallel.Body;

/**
 * Threads that help whoever has a range to work on. A caller puts its job where they look and works on it too, so it waits
 * for nobody but those who have begun; where all are busy, or none can be had, it does everything alone. A helper that finds
 * nothing looks on for a few microseconds before it sleeps: ops follow one another closely in a training, and to wake a
 * thread takes longer than many an op. Each thread begins with a share of its own, the same in every job: what it wrote for one
 * op it reads for the next.
 */
final class Workers {
    /** How long a helper looks for work, and a caller for the end of its job, before it sleeps. */
    private static final long PATIENCE_NANOS = 50_000;

    /** How often it looks between two glances at the clock. */
    private static final int LOOKS = 16;

    /** More callers than this at once work alone. */
    private static final int PLACES = 16;

    private final AtomicReferenceArray<Job> places = new AtomicReferenceArray<>(PLACES);
    private final Worker[] helpers;

    Workers(int count) {
        helpers = new Worker[count];
        for (int i = 0; i < count; i++) {
            helpers[i] = new Worker(i + 1);
            try {
                Thread.ofPlatform()
                        .daemon()
                        .name("tenon-cpu-" + (i + 1))
                        .inheritInheritableThreadLocals(false)
                        .start(helpers[i]);
            } catch (OutOfMemoryError e) {
                // no thread to be had: callers do without
                break;
            }
        }
    }

    /** Runs {@code body} over {@code [0, count)} in so many pieces; all have ended when this returns or throws. */
    void run(long count, int pieces, Body body) {
        Job job = new Job(count, pieces, helpers.length + 1, body);
        int place = publish(job);
        if (place >= 0) {
            wake(pieces - 1);
        }
        job.help(0);
        if (place >= 0) {
            places.set(place, null);
        }
        job.await();
        job.complain();
    }

    private int publish(Job job) {
        for (int i = 0; i < PLACES; i++) {
            if (places.getPlain(i) == null && places.compareAndSet(i, null, job)) {
                return i;
            }
        }
        return -1;
    }

    private void wake(int most) {
        int woken = 0;
        for (int i = 0; i < helpers.length && woken < most; i++) {
            Worker helper = helpers[i];
            if (helper != null && helper.sleeper != null) {
                LockSupport.unpark(helper.sleeper);
                woken++;
            }
        }
    }

    private Job find() {
        for (int i = 0; i < PLACES; i++) {
            Job job = places.get(i);
            if (job != null && job.hasMore()) {
                return job;
            }
        }
        return null;
    }

    private final class Worker implements Runnable {
        private final int share;

        /** This thread, where it sleeps or is about to. */
        private volatile Thread sleeper;

        Worker(int share) {
            this.share = share;
        }

        @Override
        public void run() {
            while (true) {
                Job job = look();
                if (job == null) {
                    sleeper = Thread.currentThread();
                    job = find();
                    if (job == null) {
                        LockSupport.park(Workers.this);
                    }
                    sleeper = null;
                }
                if (job != null) {
                    job.help(share);
                }
            }
        }

        private Job look() {
            long end = System.nanoTime() + PATIENCE_NANOS;
            do {
                for (int i = 0; i < LOOKS; i++) {
                    Job job = find();
                    if (job != null) {
                        return job;
                    }
                    Thread.onSpinWait();
                }
            } while (System.nanoTime() < end);
            return null;
        }
    }

    /** A range in pieces, a share of them for each thread, taken one after the other; who has none left takes those of others. */
    private static final class Job {
        private final Body body;
        private final long count;
        private final int pieces;
        private final int shares;
        /** Of each share the next piece. */
        private final AtomicIntegerArray next;

        private final AtomicInteger left;
        private volatile Thread waiting;
        private Throwable failure;
        private int failedPiece;

        Job(long count, int pieces, int threads, Body body) {
            this.count = count;
            this.pieces = pieces;
            this.body = body;
            left = new AtomicInteger(pieces);
            shares = Math.min(threads, pieces);
            next = new AtomicIntegerArray(shares);
            for (int share = 1; share < shares; share++) {
                next.setPlain(share, first(share));
            }
        }

        private int first(int share) {
            return (int) ((long) pieces * share / shares);
        }

        boolean hasMore() {
            for (int share = 0; share < shares; share++) {
                if (hasMore(share)) {
                    return true;
                }
            }
            return false;
        }

        private boolean hasMore(int share) {
            return next.get(share) < first(share + 1);
        }

        /** Takes pieces, those of this share first. */
        void help(int share) {
            for (int i = 0; i < shares; i++) {
                int each = (share + i) % shares;
                while (hasMore(each)) {
                    int piece = next.getAndIncrement(each);
                    if (piece < first(each + 1)) {
                        attempt(piece);
                        if (left.decrementAndGet() == 0) {
                            LockSupport.unpark(waiting);
                        }
                    }
                }
            }
        }

        private void attempt(int piece) {
            try {
                body.run(start(piece), start(piece + 1));
            } catch (RuntimeException | Error e) {
                failed(piece, e);
            }
        }

        /** Pieces differ by one element at most. */
        private long start(int piece) {
            return count / pieces * piece + Math.min(count % pieces, piece);
        }

        private synchronized void failed(int piece, Throwable e) {
            if (failure == null || piece < failedPiece) {
                failure = e;
                failedPiece = piece;
            }
        }

        void await() {
            long end = System.nanoTime() + PATIENCE_NANOS;
            while (left.get() > 0 && System.nanoTime() < end) {
                Thread.onSpinWait();
            }
            if (left.get() == 0) {
                return;
            }
            waiting = Thread.currentThread();
            boolean interrupted = false;
            while (left.get() > 0) {
                LockSupport.park(this);
                interrupted |= Thread.interrupted();
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }

        private synchronized void complain() {
            if (failure instanceof Error error) {
                throw error;
            }
            if (failure != null) {
                throw (RuntimeException) failure;
            }
        }
    }
}
