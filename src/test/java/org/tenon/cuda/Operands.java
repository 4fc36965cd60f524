package org.tenon.cuda;

import java.util.ArrayList;
import java.util.List;
import org.tenon.DType;
import org.tenon.spi.Strided;

/**
 * The ways in which an operand of a product may lie in memory.
 *
 * @param name of the layout
 * @param sizes batch, rows, columns
 * @param strides in elements
 * @param offset of the first element
 * @param extent the elements of memory that it needs
 * @param expressible whether BLAS has words for it
 */
record Operands(String name, long[] sizes, long[] strides, long offset, int extent, boolean expressible) {
    Strided strided() {
        return new Strided(null, DType.F32, offset, sizes, strides);
    }

    /** Where an element is. */
    int at(long batch, long row, long column) {
        return (int) (offset + batch * strides[0] + row * strides[1] + column * strides[2]);
    }

    @Override
    public String toString() {
        return name + java.util.Arrays.toString(sizes) + java.util.Arrays.toString(strides);
    }

    static List<Operands> all(int b, int r, int c) {
        List<Operands> all = new ArrayList<>();
        add(all, "dense", true, 0, b, r, c, r * c, c, 1);
        add(all, "transposed", true, 0, b, r, c, r * c, 1, r);
        add(all, "part of longer rows", true, 5, b, r, c, r * (c + 3), c + 3, 1);
        add(all, "part of longer columns", true, 1, b, r, c, c * (r + 2), 1, r + 2);
        add(all, "one for all", true, 2, b, r, c, 0, c, 1);
        add(all, "one for all, transposed", true, 0, b, r, c, 0, 1, r);
        add(all, "batch inside the rows", true, 0, b, r, c, c, b * c, 1);
        add(all, "batch inside the columns", true, 0, b, r, c, r, 1, b * r);
        add(all, "batch with gaps", true, 0, b, r, c, r * c + 7, c, 1);
        // A single row or column needs no dense axis, as long as its steps go forward.
        add(all, "every second element", r == 1 || c == 1, 0, b, r, c, 4 * r * c, 4 * c, 2);
        add(all, "batch innermost", b == 1 || r == 1 || c == 1, 0, b, r, c, 1, b * c, b);
        add(all, "one row repeated", r == 1, 0, b, r, c, c, 0, 1);
        add(all, "rows backward", r == 1, (r - 1) * c, b, r, c, r * c, -c, 1);
        add(all, "batch backward", b == 1, (b - 1) * r * c, b, r, c, -r * c, c, 1);
        if (r == 1) {
            add(all, "one row of any stride", true, 0, b, r, c, c, 0, 1);
            add(all, "one row of negative stride", true, 0, b, r, c, c, -9, 1);
        }
        if (c == 1) {
            add(all, "one column of any stride", true, 0, b, r, c, r, 1, 0);
            add(all, "one column with steps", true, 0, b, r, c, 3 * r, 3, -4);
        }
        return all;
    }

    private static void add(
            List<Operands> all, String name, boolean fits, int offset, int b, int r, int c, int sb, int sr, int sc) {
        int last = offset;
        last += b > 1 ? Math.max(0, (b - 1) * sb) : 0;
        last += Math.max(0, (r - 1) * sr) + Math.max(0, (c - 1) * sc);
        all.add(new Operands(name, new long[] {b, r, c}, new long[] {sb, sr, sc}, offset, last + 1, fits));
    }
}
