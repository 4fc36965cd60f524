package org.tenon.op;

import static org.tenon.op.Graph.grads;

import java.util.Arrays;
import org.tenon.DType;
import org.tenon.spi.Strided;

/** Matrix products. Transposed operands are views; no operand is copied for its layout. */
public final class MatMul {
    private MatMul() {}

    /** {@code [m, k] x [k, n]}, or with one batch axis in front of both. */
    public static Value product(String op, Value x, Value y) {
        Checks.operands(op, x, y);
        Checks.floating(op, x);
        Checks.sameDtype(op, x, y);
        int rank = x.rank();
        if (rank != y.rank() || rank < 2 || rank > 3 || rank == 3 && x.size(0) != y.size(0)) {
            throw Checks.error(
                    op,
                    "ranks " + rank + " and " + y.rank()
                            + " or batches do not fit; give two matrices, or two batches of as" + " many",
                    x,
                    y);
        }
        checkInner(op, x, y, x.size(rank - 1), y.size(rank - 2));
        if (Precision.narrows(x, y)) {
            DType half = Precision.current();
            return Frame.result(() -> Copies.to(product(op, Copies.to(x, half), Copies.to(y, half)), x.dtype()));
        }
        long m = x.size(rank - 2);
        long n = y.size(rank - 1);
        Value out = Value.allocate(
                op, x.backend(), x.dtype(), rank == 2 ? new long[] {m, n} : new long[] {x.size(0), m, n});
        try (Pins _ = Pins.of(x, y, out)) {
            x.backend().kernels().matmul(batched(x), batched(y), batched(out));
        }
        boolean turnedX = isTurned(x);
        boolean turnedY = isTurned(y);
        return Graph.record(
                op,
                out,
                in -> grads(
                        in.needs(0) ? gradient(op, in.gradient(), turn(in.saved(1)), turnedX) : null,
                        in.needs(1) ? gradient(op, turn(in.saved(0)), in.gradient(), turnedY) : null),
                new Value[] {x, y},
                y.isTracked() ? x : null,
                x.isTracked() ? y : null);
    }

    /** Whether neighbours in memory are those of a column, as in the transpose of a contiguous matrix. */
    private static boolean isTurned(Value x) {
        long[] strides = x.layout().strides();
        int last = strides.length - 1;
        return strides[last - 1] == 1 && strides[last] != 1;
    }

    /** The product, in memory laid out as the operand's is: the gradient of a weight that was transposed is contiguous like the weight. */
    private static Value gradient(String op, Value left, Value right, boolean turned) {
        return turned ? turn(product(op, turn(right), turn(left))) : product(op, left, right);
    }

    private static Value turn(Value x) {
        return Views.transpose(x, -1, -2);
    }

    private static Strided batched(Value x) {
        Layout layout = x.rank() == 3 ? x.layout() : x.layout().with(0, 1);
        return layout.over(x.storage().buffer(), x.dtype());
    }

    private static void checkInner(String op, Value x, Value y, long left, long right) {
        if (left != right) {
            throw Checks.error(
                    op,
                    "inner sizes differ: " + Arrays.toString(x.sizes()) + " by " + Arrays.toString(y.sizes())
                            + " multiplies " + left + " with " + right
                            + "; they must be equal, transpose one if it lies the other way",
                    x,
                    y);
        }
    }

    /** Vectors, matrices and batches with broadcasting, as {@code torch.matmul}. */
    public static Value matmul(String op, Value x, Value y) {
        Checks.operands(op, x, y);
        Checks.floating(op, x);
        Checks.sameDtype(op, x, y);
        if (x.rank() == 0 || y.rank() == 0) {
            throw Checks.error(op, "a scalar has no inner axis; use mul", x, y);
        }
        checkInner(op, x, y, x.size(x.rank() - 1), y.size(Math.max(0, y.rank() - 2)));
        if (x.rank() == 2 && y.rank() == 2) {
            return product(op, x, y);
        }
        return Frame.result(() -> {
            Value a = x.rank() == 1 ? Views.unsqueeze(x, 0) : x;
            Value b = y.rank() == 1 ? Views.unsqueeze(y, 1) : y;
            Value c = batches(op, a, b);
            c = y.rank() == 1 ? Views.squeeze(c, -1) : c;
            return x.rank() == 1 ? Views.squeeze(c, y.rank() == 1 ? -1 : -2) : c;
        });
    }

    private static Value batches(String op, Value a, Value b) {
        long m = a.size(a.rank() - 2);
        long k = a.size(a.rank() - 1);
        long n = b.size(b.rank() - 1);
        if (b.rank() == 2) {
            long[] sizes = a.sizes();
            long rows = 1;
            for (int i = 0; i < sizes.length - 1; i++) {
                rows *= sizes[i];
            }
            sizes[sizes.length - 1] = n;
            return Views.reshape(op, product(op, Views.reshape(op, a, rows, k), b), sizes);
        }
        long[] batch = broadcastBatch(op, a, b);
        long count = Arrays.stream(batch).reduce(1, (p, q) -> p * q);
        Value left = Views.reshape(op, Views.expand(op, a, append(batch, m, k)), count, m, k);
        Value right = Views.reshape(op, Views.expand(op, b, append(batch, k, n)), count, k, n);
        return Views.reshape(op, product(op, left, right), append(batch, m, n));
    }

    private static long[] broadcastBatch(String op, Value a, Value b) {
        long[] x = Arrays.copyOf(a.sizes(), a.rank() - 2);
        long[] y = Arrays.copyOf(b.sizes(), b.rank() - 2);
        long[] out = new long[Math.max(x.length, y.length)];
        for (int i = 1; i <= out.length; i++) {
            long p = i <= x.length ? x[x.length - i] : 1;
            long q = i <= y.length ? y[y.length - i] : 1;
            if (p != q && p != 1 && q != 1) {
                throw Checks.error(
                        op,
                        "batch sizes " + p + " and " + q + " do not broadcast; they must be equal, or one of them 1",
                        a,
                        b);
            }
            out[out.length - i] = p == 1 ? q : p;
        }
        return out;
    }

    private static long[] append(long[] batch, long rows, long columns) {
        long[] out = Arrays.copyOf(batch, batch.length + 2);
        out[batch.length] = rows;
        out[batch.length + 1] = columns;
        return out;
    }
}
