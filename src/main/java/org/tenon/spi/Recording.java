package org.tenon.spi;

import org.tenon.DType;

/**
 * Launches that a device keeps, to run them again and again as one. Memory that is allocated while it records, and the
 * buffers that the launches use, are its own until it is closed. It serves one thread at a time.
 */
public interface Recording extends AutoCloseable {
    /** Gets ready for random numbers, since a device may not be able to while it records. */
    void prepare(RandomOp op, DType dtype);

    /** The same for {@link #draw}, whose numbers are for elements of this type. */
    void prepareDraw(DType dtype);

    /** The same for an update of such a parameter, which is as {@link Kernels#update} says. */
    void prepare(UpdateStep step, Strided[] row);

    /**
     * Runs {@code body} and keeps what it launches, which does not run. Other threads that use the device wait. Where it
     * fails the recording is closed.
     */
    void record(Runnable body);

    /** As {@link Kernels#random}, while it records; where the numbers start is told before each run. */
    Draw random(RandomOp op, double p0, double p1, Strided out);

    /** Seed and counter of random numbers, two of int64, into {@code out}, while it records; they are told before each run. */
    Draw draw(Strided out);

    /** As {@link Kernels#update}, while it records; the rule, of the kind of {@code step}, is told before each run. */
    Change update(UpdateStep step, Strided[][] rows);

    /** Runs what was recorded, after what was launched before. */
    void run();

    /** Gives back what it holds. */
    @Override
    void close();

    /** Random numbers of the next run. */
    @FunctionalInterface
    interface Draw {
        /** They are those of this seed from this counter on. */
        void from(long seed, long counter);
    }

    /** An update of the next run. */
    @FunctionalInterface
    interface Change {
        /** It is by this rule. */
        void by(UpdateStep step);
    }
}
