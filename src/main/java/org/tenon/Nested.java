package org.tenon;

import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;

/** Host data in the form that a device takes: flat, native byte order. */
final class Nested {
    private Nested() {}

    static int width(float[][] rows) {
        return rows.length == 0 ? 0 : rows[0].length;
    }

    static int width(double[][] rows) {
        return rows.length == 0 ? 0 : rows[0].length;
    }

    static float[] flatten(float[][] rows) {
        int width = width(rows);
        float[] flat = new float[Math.multiplyExact(rows.length, width)];
        for (int i = 0; i < rows.length; i++) {
            checkWidth(i, rows[i].length, width);
            System.arraycopy(rows[i], 0, flat, i * width, width);
        }
        return flat;
    }

    static double[] flatten(double[][] rows) {
        int width = width(rows);
        double[] flat = new double[Math.multiplyExact(rows.length, width)];
        for (int i = 0; i < rows.length; i++) {
            checkWidth(i, rows[i].length, width);
            System.arraycopy(rows[i], 0, flat, i * width, width);
        }
        return flat;
    }

    private static void checkWidth(int row, int length, int width) {
        if (length != width) {
            throw new TensorArgumentException(
                    "tensor",
                    "row " + row + " has " + length + " elements, row 0 has " + width + "; rows must be equally long");
        }
    }

    static byte[] bytes(boolean[] data) {
        byte[] bytes = new byte[data.length];
        for (int i = 0; i < data.length; i++) {
            bytes[i] = (byte) (data[i] ? 1 : 0);
        }
        return bytes;
    }

    static FloatBuffer nativeOrder(FloatBuffer data) {
        return data.order() == ByteOrder.nativeOrder()
                ? data
                : FloatBuffer.allocate(data.remaining()).put(data.duplicate()).flip();
    }

    static DoubleBuffer nativeOrder(DoubleBuffer data) {
        return data.order() == ByteOrder.nativeOrder()
                ? data
                : DoubleBuffer.allocate(data.remaining()).put(data.duplicate()).flip();
    }

    static IntBuffer nativeOrder(IntBuffer data) {
        return data.order() == ByteOrder.nativeOrder()
                ? data
                : IntBuffer.allocate(data.remaining()).put(data.duplicate()).flip();
    }

    static LongBuffer nativeOrder(LongBuffer data) {
        return data.order() == ByteOrder.nativeOrder()
                ? data
                : LongBuffer.allocate(data.remaining()).put(data.duplicate()).flip();
    }
}
