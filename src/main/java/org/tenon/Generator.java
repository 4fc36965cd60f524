package org.tenon;

import java.util.concurrent.atomic.AtomicLong;
import org.tenon.op.Capture;
import org.tenon.spi.Philox;

/**
 * A source of random numbers: Philox 4x32-10, counter-based (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011). The same seed gives the same sequence of tensors on every device. Each draw takes the next stretch of
 * counters, so a generator may serve several threads; which of them gets which stretch is then up to their timing.
 */
public final class Generator {
    private static final Generator DEFAULT =
            new Generator(System.nanoTime() ^ ProcessHandle.current().pid());

    private volatile long seed;
    private final AtomicLong counter = new AtomicLong();

    /** A generator of its own sequence. */
    public Generator(long seed) {
        this.seed = seed;
    }

    /** The generator that draws without one use. Seeded from the clock until {@link #manualSeed}. */
    public static Generator standard() {
        return DEFAULT;
    }

    /** Starts the standard generator's sequence anew from this seed, as {@code torch.manual_seed} does. */
    public static void manualSeed(long seed) {
        DEFAULT.reseed(seed);
    }

    /** Starts this generator's sequence anew. */
    public synchronized void reseed(long newSeed) {
        Capture.refuse("reseed", "cannot set a seed; set it between runs");
        seed = newSeed;
        counter.set(0);
    }

    /** Goes on where a generator of this seed was after {@code position} counters. PyTorch: {@code set_state}. */
    public synchronized void restore(long newSeed, long position) {
        if (position < 0) {
            throw new TensorArgumentException("restore", "position " + position + " is negative; it is 0 or more");
        }
        Capture.refuse("restore", "cannot set a generator; set it between runs");
        seed = newSeed;
        counter.set(position);
    }

    /** The seed. */
    public long seed() {
        return seed;
    }

    /** How many counters were drawn so far. */
    public long position() {
        return counter.get();
    }

    /** Takes the next {@code counters} counters and returns the first of them. */
    public long advance(long counters) {
        return counter.getAndAdd(counters);
    }

    /** Numbers on the host, from a stretch of {@code draws} counters, one each. */
    public HostStream stream(long draws) {
        Capture.refuse("stream", "cannot draw on the host; draw before the step runs");
        return new HostStream(seed, advance(draws));
    }

    /** Random numbers drawn one at a time on the host. */
    public static final class HostStream {
        private final long seed;
        private final int[] words = new int[4];
        private long next;

        private HostStream(long seed, long first) {
            this.seed = seed;
            this.next = first;
        }

        /** A number of {@code [0, bound)}, from 64 bits modulo the bound. */
        public long below(long bound) {
            if (bound < 1) {
                throw new TensorArgumentException("below", "bound " + bound + " is too small; it is 1 or more");
            }
            Philox.block(next++, seed, words);
            return Long.remainderUnsigned(Philox.word64(words, 0), bound);
        }
    }
}
