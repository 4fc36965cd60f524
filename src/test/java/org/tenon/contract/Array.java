package org.tenon.contract;

import java.util.Arrays;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;

/** Numbers with sizes, row-major: what references are computed with. It shares nothing with the library. */
record Array(double[] data, long... sizes) {
    Array {
        long count = Arrays.stream(sizes).reduce(1, (a, b) -> a * b);
        if (count != data.length) {
            throw new IllegalArgumentException(data.length + " numbers for sizes " + Arrays.toString(sizes));
        }
    }

    static Array scalar(double value) {
        return new Array(new double[] {value});
    }

    int rank() {
        return sizes.length;
    }

    /** The multi-dimensional index of a position. */
    long[] index(int position) {
        long[] index = new long[sizes.length];
        long rest = position;
        for (int i = sizes.length - 1; i >= 0; i--) {
            index[i] = rest % sizes[i];
            rest /= sizes[i];
        }
        return index;
    }

    /** The element at an index; where a size is 1 any index will do. */
    double at(long... index) {
        long position = 0;
        for (int i = 0; i < sizes.length; i++) {
            position = position * sizes[i] + (sizes[i] == 1 ? 0 : index[index.length - sizes.length + i]);
        }
        return data[(int) position];
    }

    @FunctionalInterface
    interface Element {
        double at(long[] index);
    }

    /** An array whose elements are a function of their index. */
    static Array of(long[] sizes, Element element) {
        int count = (int) Arrays.stream(sizes).reduce(1, (a, b) -> a * b);
        Array shape = new Array(new double[count], sizes);
        double[] data = IntStream.range(0, count)
                .mapToDouble(i -> element.at(shape.index(i)))
                .toArray();
        return new Array(data, sizes);
    }

    Array map(DoubleUnaryOperator f) {
        return new Array(Arrays.stream(data).map(f).toArray(), sizes);
    }

    Array zip(Array other, DoubleBinaryOperator f) {
        long[] out = new long[Math.max(rank(), other.rank())];
        for (int i = 1; i <= out.length; i++) {
            long p = i <= rank() ? sizes[rank() - i] : 1;
            long q = i <= other.rank() ? other.sizes[other.rank() - i] : 1;
            out[out.length - i] = p == 1 ? q : p;
        }
        return of(out, index -> f.applyAsDouble(at(index), other.at(index)));
    }

    @FunctionalInterface
    interface Fold {
        double of(double[] row);
    }

    /** Each run of elements along {@code dims} (all if none are given) folded to one; the axes go away. */
    Array fold(Fold f, int... dims) {
        boolean[] gone = new boolean[rank()];
        for (int dim : dims.length == 0 ? IntStream.range(0, rank()).toArray() : dims) {
            gone[dim < 0 ? dim + rank() : dim] = true;
        }
        long[] kept = IntStream.range(0, rank())
                .filter(i -> !gone[i])
                .mapToLong(i -> sizes[i])
                .toArray();
        long[] folded = IntStream.range(0, rank())
                .filter(i -> gone[i])
                .mapToLong(i -> sizes[i])
                .toArray();
        return of(
                kept,
                outer -> f.of(of(folded, inner -> {
                            long[] index = new long[rank()];
                            int a = 0;
                            int b = 0;
                            for (int i = 0; i < index.length; i++) {
                                index[i] = gone[i] ? inner[b++] : outer[a++];
                            }
                            return at(index);
                        })
                        .data()));
    }

    Array reshape(long... newSizes) {
        return new Array(data, newSizes);
    }

    Array permute(int... order) {
        long[] out = Arrays.stream(order).mapToLong(i -> sizes[i]).toArray();
        return of(out, index -> {
            long[] source = new long[order.length];
            for (int i = 0; i < order.length; i++) {
                source[order[i]] = index[i];
            }
            return at(source);
        });
    }

    /** An array of the same sizes whose rows along {@code dim} are a function of this one's rows. */
    Array rows(int dim, java.util.function.UnaryOperator<double[]> f) {
        int axis = dim < 0 ? dim + rank() : dim;
        if (rank() == 0) {
            return new Array(f.apply(data));
        }
        double[] out = new double[data.length];
        int inner = 1;
        for (int i = axis + 1; i < rank(); i++) {
            inner *= (int) sizes[i];
        }
        int length = (int) sizes[axis];
        for (int start = 0; start < data.length; start++) {
            if (start / inner % Math.max(length, 1) == 0) {
                double[] row = new double[length];
                for (int j = 0; j < length; j++) {
                    row[j] = data[start + j * inner];
                }
                double[] result = f.apply(row);
                for (int j = 0; j < length; j++) {
                    out[start + j * inner] = result[j];
                }
            }
        }
        return new Array(out, sizes);
    }

    @Override
    public String toString() {
        return Arrays.toString(sizes);
    }
}
