package org.tenon;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.tenon.op.Copies;
import org.tenon.op.Creation;
import org.tenon.op.GradMode;
import org.tenon.op.Value;

/** A tensor's elements as Java arrays. */
final class HostCopy {
    private static final int LONGEST = Integer.MAX_VALUE - 8;

    private HostCopy() {}

    @FunctionalInterface
    private interface Reader<T> {
        T read(MemorySegment from);
    }

    static double item(Value x) {
        checkOne(x);
        return x.dtype().isFloating() ? doubles(x)[0] : longs(x)[0];
    }

    static long itemLong(Value x) {
        checkOne(x);
        return longs(x)[0];
    }

    private static void checkOne(Value x) {
        if (x.count() != 1) {
            throw new TensorArgumentException(
                    "item",
                    "the tensor has " + x.count() + " elements, shape " + Arrays.toString(x.sizes())
                            + "; only a tensor of one has an item");
        }
    }

    static float[] floats(Value x) {
        return read(x, DType.F32, from -> from.toArray(ValueLayout.JAVA_FLOAT));
    }

    /** By way of the host where the device has no float64. */
    static double[] doubles(Value x) {
        if (!x.backend().supports(DType.F64)) {
            return x.dtype().isFloating()
                    ? widened(floats(x))
                    : Arrays.stream(longs(x)).asDoubleStream().toArray();
        }
        return read(x, DType.F64, from -> from.toArray(ValueLayout.JAVA_DOUBLE));
    }

    private static double[] widened(float[] floats) {
        double[] doubles = new double[floats.length];
        for (int i = 0; i < doubles.length; i++) {
            doubles[i] = floats[i];
        }
        return doubles;
    }

    static int[] ints(Value x) {
        return read(x, DType.I32, from -> from.toArray(ValueLayout.JAVA_INT));
    }

    static long[] longs(Value x) {
        return read(x, DType.I64, from -> from.toArray(ValueLayout.JAVA_LONG));
    }

    static boolean[] booleans(Value x) {
        byte[] bytes = read(x, DType.BOOL, from -> from.toArray(ValueLayout.JAVA_BYTE));
        boolean[] result = new boolean[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            result[i] = bytes[i] != 0;
        }
        return result;
    }

    private static <T> T read(Value x, DType as, Reader<T> reader) {
        if (x.count() > LONGEST) {
            throw new TensorArgumentException(
                    "toArray", x.count() + " elements do not fit a Java array; use copyTo(MemorySegment)");
        }
        Value converted = GradMode.off(() -> Copies.to(x, as));
        try (Arena arena = Arena.ofConfined()) {
            long bytes = x.count() * as.bytes();
            MemorySegment host = arena.allocate(Math.max(1, bytes), 8).asSlice(0, bytes);
            Creation.download(converted, host);
            return reader.read(host);
        } finally {
            if (converted != x) {
                converted.close();
            }
        }
    }
}
