package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tenon.DType;
import org.tenon.spi.Strided;

/**
 * How the elements of a float32 or bool operand go with those of a dense result: one to one, {@code period} of them over and
 * over (a scalar, a row added to each row), or each {@code period} times (a column). An operand whose elements would come
 * too few at a time is spread out in a thread's own memory, a piece at a time.
 *
 * @param memory the operand's, from its first element
 * @param width the bytes of an element
 * @param kind how
 * @param period how many
 */
record Runs(MemorySegment memory, int width, Kind kind, long period) {
    /** The most elements that are spread out at once. */
    static final int PIECE = 2048;

    enum Kind {
        DENSE,
        REPEATED,
        EACH
    }

    /** Null where it is none of these. */
    static Runs of(Strided operand) {
        int width = operand.dtype() == DType.BOOL ? 1 : Float.BYTES;
        long inner = 1;
        long outer = 1;
        long innerStride = 1;
        long outerStride = 0;
        boolean two = false;
        for (int axis = operand.rank() - 1; axis >= 0; axis--) {
            long size = operand.sizes()[axis];
            long stride = operand.strides()[axis];
            if (size == 1) {
                continue;
            }
            if (inner == 1) {
                innerStride = stride;
                inner = size;
            } else if (!two && stride == inner * innerStride) {
                inner *= size;
            } else if (!two) {
                two = true;
                outerStride = stride;
                outer = size;
            } else if (stride == outer * outerStride) {
                outer *= size;
            } else {
                return null;
            }
        }
        MemorySegment memory = CpuBuffer.segment(operand).asSlice(operand.offset() * width);
        if (!two) {
            return innerStride == 1
                    ? new Runs(memory, width, Kind.DENSE, 0)
                    : innerStride == 0 ? new Runs(memory, width, Kind.REPEATED, 1) : null;
        }
        if (innerStride == 1 && outerStride == 0) {
            return new Runs(memory, width, Kind.REPEATED, inner);
        }
        return innerStride == 0 && outerStride == 1 ? new Runs(memory, width, Kind.EACH, inner) : null;
    }

    /** Whether runs are too short to be used where they lie. */
    boolean isSpread() {
        return kind == Kind.EACH || kind == Kind.REPEATED && period < PIECE;
    }

    /** How many elements from {@code at} on can be taken at once. */
    long most(long at) {
        if (kind == Kind.REPEATED) {
            return period < PIECE ? PIECE / period * period - at % period : period - at % period;
        }
        return kind == Kind.EACH ? PIECE : Long.MAX_VALUE;
    }

    /** Where {@code at} is, if it is not spread out. */
    long position(long at) {
        return kind == Kind.DENSE ? at : at % period;
    }

    /** As many whole periods as a piece holds. */
    void spreadAll(MemorySegment to) {
        int filled = (int) (PIECE / period * period);
        MemorySegment.copy(memory, 0, to, 0, period * width);
        for (long done = period; done < filled; done += Math.min(done, filled - done)) {
            MemorySegment.copy(to, 0, to, done * width, Math.min(done, filled - done) * width);
        }
    }

    /** The {@code n} elements from {@code at}, each of which repeats. */
    void spreadEach(long at, int n, MemorySegment to) {
        int done = 0;
        while (done < n) {
            long value = (at + done) / period;
            int count = (int) Math.min(n - done, (value + 1) * period - at - done);
            fill(to, done, count, value);
            done += count;
        }
    }

    /** Copies {@code n} elements from {@code at} of some memory of this element type. */
    void copy(MemorySegment from, long at, int n, MemorySegment to) {
        MemorySegment.copy(from, at * width, to, 0, (long) n * width);
    }

    private void fill(MemorySegment to, int at, int count, long value) {
        if (width == 1) {
            to.asSlice(at, count).fill(memory.get(ValueLayout.JAVA_BYTE, value));
            return;
        }
        MemorySegment part = to.asSlice((long) at * Float.BYTES, (long) count * Float.BYTES);
        float element = memory.getAtIndex(ValueLayout.JAVA_FLOAT, value);
        for (int i = 0; i < count; i++) {
            part.setAtIndex(ValueLayout.JAVA_FLOAT, i, element);
        }
    }
}
