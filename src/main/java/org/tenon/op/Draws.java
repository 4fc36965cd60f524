package org.tenon.op;

import org.tenon.DType;
import org.tenon.Generator;
import org.tenon.spi.Backend;
import org.tenon.spi.Dropout;
import org.tenon.spi.RandomOp;

/**
 * Which numbers a dropout goes by: the host knows them, or where launches are recorded each run tells them to the device.
 *
 * @param p the probability with which an element is dropped
 * @param seed of the numbers
 * @param counter the first of them
 */
record Draws(double p, long seed, long counter) {
    /** Where a device will find seed and counter, or null where the host knows them. */
    static Value place(String op, Backend backend) {
        return Capture.isRecording() ? Value.allocate(op, backend, DType.I64, 2) : null;
    }

    /** Takes numbers for so many elements of a type; {@code drawn} is {@link #place}, held. */
    static Draws take(double p, Generator generator, long count, DType dtype, Value drawn) {
        long counters = RandomOp.BERNOULLI.counters(count, dtype);
        if (drawn != null) {
            Capture.draws(generator, counters, drawn.strided());
            return new Draws(p, 0, 0);
        }
        Capture.preparesDraw(dtype);
        return new Draws(p, generator.seed(), generator.advance(counters));
    }

    /** For kernels. */
    Dropout dropout(Value drawn) {
        return new Dropout(p, seed, counter, drawn == null ? null : drawn.strided());
    }
}
