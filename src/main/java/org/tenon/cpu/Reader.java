package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.tenon.spi.Strided;

/**
 * Brings runs of a tensor, in row-major order, into arrays of the type they are computed in. One reader belongs to one
 * thread. Runs that are contiguous or repeat one element go in bulk; everything else, short runs too, by a list of
 * positions.
 */
final class Reader {
    /** The most elements one read may ask for: three such arrays of floats fit the first level cache. */
    static final int CHUNK = 2048;

    private static final int BULK = 16;

    private final Element element;
    private final MemorySegment memory;
    private final Walk walk;
    private final boolean bulk;
    private long[] positions = new long[0];
    private short[] halves = new short[0];
    private int[] ints = new int[0];
    private byte[] bytes = new byte[0];

    /** Starts at element {@code from}. */
    Reader(Strided operand, long from) {
        element = Element.of(operand.dtype());
        memory = CpuBuffer.segment(operand);
        walk = new Walk(operand);
        walk.seek(from);
        bulk = (walk.stride() == 1 || walk.stride() == 0) && (walk.run() >= BULK || walk.single());
    }

    /** Whether it reads into doubles. */
    boolean isDouble() {
        return element.domain() == Element.Domain.DOUBLE;
    }

    /** Goes to element {@code linear}. */
    void seek(long linear) {
        walk.seek(linear);
    }

    /** The next {@code n} elements of a float32 or half tensor. */
    void read(float[] to, int n) {
        int done = 0;
        while (done < n) {
            if (bulk) {
                int run = (int) Math.min(n - done, walk.left());
                if (walk.stride() == 1) {
                    run(to, done, run);
                } else {
                    Arrays.fill(to, done, done + run, oneFloat(walk.position()));
                }
                walk.skip(run);
                done += run;
            } else {
                gather(to, done, n - done);
                done = n;
            }
        }
    }

    /** The next {@code n} elements of a float64 tensor. */
    void read(double[] to, int n) {
        int done = 0;
        while (done < n) {
            if (bulk) {
                int run = (int) Math.min(n - done, walk.left());
                if (walk.stride() == 1) {
                    MemorySegment.copy(memory, ValueLayout.JAVA_DOUBLE, walk.position() * 8, to, done, run);
                } else {
                    Arrays.fill(to, done, done + run, memory.getAtIndex(ValueLayout.JAVA_DOUBLE, walk.position()));
                }
                walk.skip(run);
                done += run;
            } else {
                int rest = n - done;
                walk.positions(positions(rest), rest);
                gatherDoubles(memory, positions, to, done, rest);
                done = n;
            }
        }
    }

    /** The next {@code n} elements of an integer or bool tensor; bools are 0 or 1. */
    void read(long[] to, int n) {
        int done = 0;
        while (done < n) {
            if (bulk) {
                int run = (int) Math.min(n - done, walk.left());
                if (walk.stride() == 1) {
                    run(to, done, run);
                } else {
                    Arrays.fill(to, done, done + run, oneLong(walk.position()));
                }
                walk.skip(run);
                done += run;
            } else {
                gather(to, done, n - done);
                done = n;
            }
        }
    }

    /** The positions of the next {@code n} elements instead of the elements. */
    void readPositions(long[] to, int n) {
        walk.positions(to, n);
    }

    private void run(float[] to, int at, int n) {
        switch (element) {
            case F32 -> MemorySegment.copy(memory, ValueLayout.JAVA_FLOAT, walk.position() * 4, to, at, n);
            case F16 -> {
                MemorySegment.copy(memory, ValueLayout.JAVA_SHORT, walk.position() * 2, halves(n), 0, n);
                Half.widen16(halves, to, at, n);
            }
            case BF16 -> {
                MemorySegment.copy(memory, ValueLayout.JAVA_SHORT, walk.position() * 2, halves(n), 0, n);
                Half.widenBfloat16(halves, to, at, n);
            }
            case F64, I32, I64, BOOL -> throw wrongArray();
        }
    }

    private void run(long[] to, int at, int n) {
        switch (element) {
            case I64 -> MemorySegment.copy(memory, ValueLayout.JAVA_LONG, walk.position() * 8, to, at, n);
            case I32 -> {
                ints = ints.length < n ? new int[n] : ints;
                MemorySegment.copy(memory, ValueLayout.JAVA_INT, walk.position() * 4, ints, 0, n);
                widen(ints, to, at, n);
            }
            case BOOL -> {
                bytes = bytes.length < n ? new byte[n] : bytes;
                MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, walk.position(), bytes, 0, n);
                widen(bytes, to, at, n);
            }
            case F32, F16, BF16, F64 -> throw wrongArray();
        }
    }

    private void gather(float[] to, int at, int n) {
        walk.positions(positions(n), n);
        switch (element) {
            case F32 -> gatherFloats(memory, positions, to, at, n);
            case F16 -> {
                gatherShorts(memory, positions, halves(n), n);
                Half.widen16(halves, to, at, n);
            }
            case BF16 -> {
                gatherShorts(memory, positions, halves(n), n);
                Half.widenBfloat16(halves, to, at, n);
            }
            case F64, I32, I64, BOOL -> throw wrongArray();
        }
    }

    private void gather(long[] to, int at, int n) {
        walk.positions(positions(n), n);
        for (int i = 0; i < n; i++) {
            to[at + i] = oneLong(positions[i]);
        }
    }

    private float oneFloat(long position) {
        return switch (element) {
            case F32 -> memory.getAtIndex(ValueLayout.JAVA_FLOAT, position);
            case F16 -> Float.float16ToFloat(memory.getAtIndex(ValueLayout.JAVA_SHORT, position));
            case BF16 -> Half.fromBfloat16(memory.getAtIndex(ValueLayout.JAVA_SHORT, position));
            case F64, I32, I64, BOOL -> throw wrongArray();
        };
    }

    private long oneLong(long position) {
        return switch (element) {
            case I64 -> memory.getAtIndex(ValueLayout.JAVA_LONG, position);
            case I32 -> memory.getAtIndex(ValueLayout.JAVA_INT, position);
            case BOOL -> memory.get(ValueLayout.JAVA_BYTE, position) != 0 ? 1 : 0;
            case F32, F16, BF16, F64 -> throw wrongArray();
        };
    }

    private IllegalStateException wrongArray() {
        return new IllegalStateException(element + " is computed in " + element.domain() + ", not in the array given");
    }

    private long[] positions(int n) {
        positions = positions.length < n ? new long[n] : positions;
        return positions;
    }

    private short[] halves(int n) {
        halves = halves.length < n ? new short[n] : halves;
        return halves;
    }

    private static void gatherFloats(MemorySegment from, long[] positions, float[] to, int at, int n) {
        for (int i = 0; i < n; i++) {
            to[at + i] = from.getAtIndex(ValueLayout.JAVA_FLOAT, positions[i]);
        }
    }

    private static void gatherDoubles(MemorySegment from, long[] positions, double[] to, int at, int n) {
        for (int i = 0; i < n; i++) {
            to[at + i] = from.getAtIndex(ValueLayout.JAVA_DOUBLE, positions[i]);
        }
    }

    private static void gatherShorts(MemorySegment from, long[] positions, short[] to, int n) {
        for (int i = 0; i < n; i++) {
            to[i] = from.getAtIndex(ValueLayout.JAVA_SHORT, positions[i]);
        }
    }

    private static void widen(int[] from, long[] to, int at, int n) {
        for (int i = 0; i < n; i++) {
            to[at + i] = from[i];
        }
    }

    private static void widen(byte[] from, long[] to, int at, int n) {
        for (int i = 0; i < n; i++) {
            to[at + i] = from[i] != 0 ? 1 : 0;
        }
    }
}
