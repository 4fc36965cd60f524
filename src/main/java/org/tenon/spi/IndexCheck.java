package org.tenon.spi;

import org.tenon.TensorArgumentException;

/**
 * What a kernel does on meeting an index outside {@code [0, bound)}: it does nothing with it, goes on, and reports the
 * first position, at once on the CPU and at the next synchronising call on a GPU. {@code ignored} is a value that is
 * never out of range, where there is one.
 *
 * @param op the operation, for the message
 * @param what what the index is, such as {@code target} or {@code index}
 * @param bound one more than the largest good index
 * @param ignored a value to let pass, or null
 */
public record IndexCheck(String op, String what, long bound, Long ignored) {
    /** The error to raise. */
    public TensorArgumentException failure(long position, long value) {
        return new TensorArgumentException(
                op, what + " " + value + " at position " + position + " is outside [0, " + bound + ")");
    }
}
