package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tenon.spi.Strided;

/**
 * Takes arrays back into a tensor, in row-major order, converting as {@link org.tenon.spi.Kernels#copy} says: floating to
 * integer truncates and saturates, wide integers lose their upper bits, bool is {@code != 0}, floating types round once.
 * One writer belongs to one thread.
 */
final class Writer {
    private static final int BULK = 16;

    private final Element element;
    private final MemorySegment memory;
    private final Walk walk;
    private final boolean bulk;
    private long[] positions = new long[0];
    private float[] floats = new float[0];
    private double[] doubles = new double[0];
    private long[] longs = new long[0];
    private short[] halves = new short[0];
    private int[] ints = new int[0];
    private byte[] bytes = new byte[0];

    /** Starts at element {@code from}. */
    Writer(Strided operand, long from) {
        element = Element.of(operand.dtype());
        memory = CpuBuffer.segment(operand);
        walk = new Walk(operand);
        walk.seek(from);
        bulk = walk.stride() == 1 && (walk.run() >= BULK || walk.single());
    }

    /** Goes to element {@code linear}. */
    void seek(long linear) {
        walk.seek(linear);
    }

    /** Writes the next {@code n} elements. */
    void write(float[] from, int n) {
        switch (element) {
            case F32 -> store(from, n);
            case F16 -> {
                Half.narrow16(from, halves(n), n);
                store(halves, n);
            }
            case BF16 -> {
                Half.narrowBfloat16(from, halves(n), n);
                store(halves, n);
            }
            case F64 -> {
                doubles = doubles.length < n ? new double[n] : doubles;
                for (int i = 0; i < n; i++) {
                    doubles[i] = from[i];
                }
                store(doubles, n);
            }
            case I32 -> {
                int[] to = ints(n);
                for (int i = 0; i < n; i++) {
                    to[i] = (int) from[i];
                }
                store(to, n);
            }
            case I64 -> {
                longs = longs.length < n ? new long[n] : longs;
                for (int i = 0; i < n; i++) {
                    longs[i] = (long) from[i];
                }
                store(longs, n);
            }
            case BOOL -> {
                byte[] to = bytes(n);
                for (int i = 0; i < n; i++) {
                    to[i] = (byte) (from[i] != 0 ? 1 : 0);
                }
                store(to, n);
            }
        }
    }

    /** Writes the next {@code n} elements. */
    void write(double[] from, int n) {
        switch (element) {
            case F64 -> store(from, n);
            case F32 -> {
                floats = floats.length < n ? new float[n] : floats;
                for (int i = 0; i < n; i++) {
                    floats[i] = (float) from[i];
                }
                store(floats, n);
            }
            case F16, BF16 -> {
                floats = floats.length < n ? new float[n] : floats;
                for (int i = 0; i < n; i++) {
                    floats[i] = Half.toOdd(from[i]);
                }
                write(floats, n);
            }
            case I32 -> {
                int[] to = ints(n);
                for (int i = 0; i < n; i++) {
                    to[i] = (int) from[i];
                }
                store(to, n);
            }
            case I64 -> {
                longs = longs.length < n ? new long[n] : longs;
                for (int i = 0; i < n; i++) {
                    longs[i] = (long) from[i];
                }
                store(longs, n);
            }
            case BOOL -> {
                byte[] to = bytes(n);
                for (int i = 0; i < n; i++) {
                    to[i] = (byte) (from[i] != 0 ? 1 : 0);
                }
                store(to, n);
            }
        }
    }

    /** Writes the next {@code n} elements. */
    void write(long[] from, int n) {
        switch (element) {
            case I64 -> store(from, n);
            case I32 -> {
                int[] to = ints(n);
                for (int i = 0; i < n; i++) {
                    to[i] = (int) from[i];
                }
                store(to, n);
            }
            case BOOL -> {
                byte[] to = bytes(n);
                for (int i = 0; i < n; i++) {
                    to[i] = (byte) (from[i] != 0 ? 1 : 0);
                }
                store(to, n);
            }
            case F32 -> {
                floats = floats.length < n ? new float[n] : floats;
                for (int i = 0; i < n; i++) {
                    floats[i] = from[i];
                }
                store(floats, n);
            }
            case F64, F16, BF16 -> {
                doubles = doubles.length < n ? new double[n] : doubles;
                for (int i = 0; i < n; i++) {
                    doubles[i] = from[i];
                }
                write(doubles, n);
            }
        }
    }

    private void store(float[] from, int n) {
        int done = 0;
        while (bulk && done < n) {
            int run = (int) Math.min(n - done, walk.left());
            MemorySegment.copy(from, done, memory, ValueLayout.JAVA_FLOAT, walk.position() * 4, run);
            walk.skip(run);
            done += run;
        }
        if (done < n) {
            walk.positions(positions(n), n);
            for (int i = 0; i < n; i++) {
                memory.setAtIndex(ValueLayout.JAVA_FLOAT, positions[i], from[i]);
            }
        }
    }

    private void store(double[] from, int n) {
        int done = 0;
        while (bulk && done < n) {
            int run = (int) Math.min(n - done, walk.left());
            MemorySegment.copy(from, done, memory, ValueLayout.JAVA_DOUBLE, walk.position() * 8, run);
            walk.skip(run);
            done += run;
        }
        if (done < n) {
            walk.positions(positions(n), n);
            for (int i = 0; i < n; i++) {
                memory.setAtIndex(ValueLayout.JAVA_DOUBLE, positions[i], from[i]);
            }
        }
    }

    private void store(long[] from, int n) {
        int done = 0;
        while (bulk && done < n) {
            int run = (int) Math.min(n - done, walk.left());
            MemorySegment.copy(from, done, memory, ValueLayout.JAVA_LONG, walk.position() * 8, run);
            walk.skip(run);
            done += run;
        }
        if (done < n) {
            walk.positions(positions(n), n);
            for (int i = 0; i < n; i++) {
                memory.setAtIndex(ValueLayout.JAVA_LONG, positions[i], from[i]);
            }
        }
    }

    private void store(int[] from, int n) {
        int done = 0;
        while (bulk && done < n) {
            int run = (int) Math.min(n - done, walk.left());
            MemorySegment.copy(from, done, memory, ValueLayout.JAVA_INT, walk.position() * 4, run);
            walk.skip(run);
            done += run;
        }
        if (done < n) {
            walk.positions(positions(n), n);
            for (int i = 0; i < n; i++) {
                memory.setAtIndex(ValueLayout.JAVA_INT, positions[i], from[i]);
            }
        }
    }

    private void store(short[] from, int n) {
        int done = 0;
        while (bulk && done < n) {
            int run = (int) Math.min(n - done, walk.left());
            MemorySegment.copy(from, done, memory, ValueLayout.JAVA_SHORT, walk.position() * 2, run);
            walk.skip(run);
            done += run;
        }
        if (done < n) {
            walk.positions(positions(n), n);
            for (int i = 0; i < n; i++) {
                memory.setAtIndex(ValueLayout.JAVA_SHORT, positions[i], from[i]);
            }
        }
    }

    private void store(byte[] from, int n) {
        int done = 0;
        while (bulk && done < n) {
            int run = (int) Math.min(n - done, walk.left());
            MemorySegment.copy(from, done, memory, ValueLayout.JAVA_BYTE, walk.position(), run);
            walk.skip(run);
            done += run;
        }
        if (done < n) {
            walk.positions(positions(n), n);
            for (int i = 0; i < n; i++) {
                memory.set(ValueLayout.JAVA_BYTE, positions[i], from[i]);
            }
        }
    }

    private long[] positions(int n) {
        positions = positions.length < n ? new long[n] : positions;
        return positions;
    }

    private short[] halves(int n) {
        halves = halves.length < n ? new short[n] : halves;
        return halves;
    }

    private int[] ints(int n) {
        ints = ints.length < n ? new int[n] : ints;
        return ints;
    }

    private byte[] bytes(int n) {
        bytes = bytes.length < n ? new byte[n] : bytes;
        return bytes;
    }
}
