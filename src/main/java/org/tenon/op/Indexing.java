package org.tenon.op;

import static org.tenon.op.Graph.grads;

import java.util.Arrays;
import org.tenon.DType;
import org.tenon.spi.Extreme;
import org.tenon.spi.IndexCheck;
import org.tenon.spi.Rows;

/** Reading and adding at positions that a tensor of integers names; the largest few. */
public final class Indexing {
    private Indexing() {}

    /** {@code out[i][j][k] = x[i][index[i][j][k]][k]} for the middle axis {@code dim}. */
    public static Value gather(Value x, int dim, Value index) {
        int axis = checkAlong("gather", x, dim, index, x);
        Value out = Value.allocate("gather", x.backend(), x.dtype(), index.sizes());
        try (Pins _ = Pins.of(x, index, out)) {
            x.backend().kernels().gather(x.strided(), axis, index.strided(), bound("gather", x, axis), out.strided());
        }
        long[] sizes = x.sizes();
        return Graph.record(
                "gather",
                out,
                in -> {
                    Value zeros = Creation.full(
                            "gather", in.gradient().backend(), in.gradient().dtype(), 0, sizes);
                    return grads(scatterAdd(zeros, axis, in.saved(0), in.gradient()));
                },
                new Value[] {x},
                index);
    }

    /** A copy of {@code x} with {@code out[i][index[i][j][k]][k] += source[i][j][k]} for the middle axis {@code dim}. */
    public static Value scatterAdd(Value x, int dim, Value index, Value source) {
        return scatterAdd("scatterAdd", x, dim, index, source);
    }

    private static Value scatterAdd(String op, Value x, int dim, Value index, Value source) {
        int axis = checkAlong(op, x, dim, index, x);
        Checks.operands(op, x, source);
        Checks.sameDtype(op, x, source);
        Checks.notBool(op, x);
        if (!Arrays.equals(index.sizes(), source.sizes())) {
            throw Checks.error(op, "index and source differ in shape; make them equal, as with slice", index, source);
        }
        if (x.dtype().bytes() == 2) {
            return Frame.result(
                    () -> Copies.to(scatterAdd(op, Copies.widened(x), dim, index, Copies.widened(source)), x.dtype()));
        }
        Value out = Copies.copy(op, x, x.dtype());
        try (Pins _ = Pins.of(source, index, out)) {
            x.backend()
                    .kernels()
                    .scatterAdd(source.strided(), axis, index.strided(), bound(op, x, axis), out.strided());
        }
        return Graph.record(
                op,
                out,
                in -> grads(in.gradient(), in.needs(1) ? gather(in.gradient(), axis, in.saved(0)) : null),
                new Value[] {x, source},
                index);
    }

    private static int checkAlong(String op, Value x, int dim, Value index, Value limits) {
        Checks.operands(op, x, index);
        Checks.integral(op, "the index", index);
        int axis = Checks.axis(op, dim, x);
        if (x.rank() == 0 || index.rank() != x.rank()) {
            throw Checks.error(
                    op, "the index has rank " + index.rank() + "; it needs that of the tensor, 1 or more", x, index);
        }
        for (int i = 0; i < x.rank(); i++) {
            if (i != axis && index.size(i) > limits.size(i)) {
                throw Checks.error(
                        op, "the index is longer than the tensor along dim " + i + "; slice it there", x, index);
            }
        }
        return axis;
    }

    private static IndexCheck bound(String op, Value x, int axis) {
        return new IndexCheck(op, "index", x.size(axis), null);
    }

    /** Whole slices of an axis, in the order that a 1-d index names them. */
    public static Value indexSelect(String op, Value x, int dim, Value index) {
        int axis = checkSlices(op, x, dim, index);
        long[] sizes = x.sizes();
        long[] outSizes = sizes.clone();
        outSizes[axis] = index.size(0);
        Value out;
        try (Dense dense = Dense.of(x);
                Dense at = Dense.of(index)) {
            out = Value.allocate(op, x.backend(), x.dtype(), outSizes);
            try (Pins _ = Pins.of(dense.value(), at.value(), out)) {
                x.backend()
                        .kernels()
                        .indexSelect(
                                dense.value().strided(),
                                Rows.along(sizes, axis),
                                at.value().strided(),
                                bound(op, x, axis),
                                out.strided());
            }
        }
        return Graph.record(
                op, out, in -> grads(indexAdd(in.gradient(), sizes, axis, in.saved(0))), new Value[] {x}, index);
    }

    private static int checkSlices(String op, Value x, int dim, Value index) {
        Checks.operands(op, x, index);
        Checks.integral(op, "the index", index);
        int axis = Checks.axis(op, dim, x);
        if (x.rank() == 0 || index.rank() != 1) {
            throw Checks.error(
                    op,
                    "an index of rank " + index.rank() + " into rank " + x.rank()
                            + " does not do; give one of rank 1 into rank 1 or more",
                    x,
                    index);
        }
        return axis;
    }

    /** Zeros with slices of {@code source} added at the positions {@code index} names. The backward of a selection. */
    private static Value indexAdd(Value source, long[] sizes, int axis, Value index) {
        if (source.dtype().bytes() == 2) {
            return Frame.result(() -> Copies.to(indexAdd(Copies.widened(source), sizes, axis, index), source.dtype()));
        }
        Value out = Creation.full("indexAdd", source.backend(), source.dtype(), 0, sizes);
        try (Dense dense = Dense.of(source);
                Dense at = Dense.of(index);
                Pins _ = Pins.of(dense.value(), at.value(), out)) {
            out.backend()
                    .kernels()
                    .indexAdd(
                            dense.value().strided(),
                            Rows.along(sizes, axis),
                            at.value().strided(),
                            bound("indexAdd", out, axis),
                            out.strided());
        }
        return Graph.record(
                "indexAdd",
                out,
                in -> grads(indexSelect("indexSelect", in.gradient(), axis, in.saved(0))),
                new Value[] {source},
                index);
    }

    /** A row of {@code weight} for every index: the sizes of the index and then those of a row. */
    public static Value embedding(Value weight, Value index) {
        Checks.operands("embedding", weight, index);
        Checks.integral("embedding", "the index", index);
        if (weight.rank() != 2) {
            throw Checks.error(
                    "embedding",
                    "the weight has rank " + weight.rank() + "; it needs rank 2, [rows, features]",
                    weight);
        }
        long[] sizes = Layout.insert(index.layout().sizes(), index.rank(), weight.size(1));
        return Frame.result(() -> {
            Value flat = Views.reshape("embedding", index, index.count());
            return Views.reshape("embedding", indexSelect("embedding", weight, 0, flat), sizes);
        });
    }

    /** A new last axis of {@code classes}, 1 at the index and 0 elsewhere; int64. */
    public static Value oneHot(Value index, long classes) {
        Checks.operands("oneHot", index);
        Checks.integral("oneHot", "the index", index);
        if (classes < 1) {
            throw Checks.error("oneHot", classes + " classes are too few; there is at least one", index);
        }
        return Frame.result(() -> {
            long[] sizes = Layout.insert(index.layout().sizes(), index.rank(), classes);
            Value zeros = Creation.full("oneHot", index.backend(), DType.I64, 0, sizes);
            Value at = Views.unsqueeze(index, -1);
            Value one = Creation.full("oneHot", index.backend(), DType.I64, 1);
            return scatterAdd("oneHot", zeros, -1, at, Views.expand("oneHot", one, at.sizes()));
        });
    }

    /** The {@code k} extreme elements along an axis, sorted, and where they are. */
    public static Value[] topk(Value x, long k, int dim, Extreme extreme) {
        Checks.operands("topk", x);
        Checks.notBool("topk", x);
        int axis = Checks.axis("topk", dim, x);
        long length = x.rank() == 0 ? 1 : x.size(axis);
        if (k < 0 || k > length) {
            throw Checks.error("topk", "k " + k + " is outside [0, " + length + "], up to the size of dim " + axis, x);
        }
        long[] sizes = x.sizes();
        long[] outSizes = sizes.clone();
        if (x.rank() > 0) {
            outSizes[axis] = k;
        }
        Value values;
        Value indices;
        try (Dense dense = Dense.of(x)) {
            values = Value.allocate("topk", x.backend(), x.dtype(), outSizes);
            indices = Value.allocate("topk", x.backend(), DType.I64, outSizes);
            try (Pins _ = Pins.of(dense.value(), values, indices)) {
                x.backend()
                        .kernels()
                        .topk(
                                dense.value().strided(),
                                Rows.along(sizes, axis),
                                k,
                                extreme,
                                values.strided(),
                                indices.strided());
            }
        }
        Graph.record(
                "topk",
                values,
                in -> {
                    if (sizes.length == 0) {
                        return grads(in.gradient());
                    }
                    Value zeros = Creation.full(
                            "topk", in.gradient().backend(), in.gradient().dtype(), 0, sizes);
                    return grads(scatterAdd(zeros, axis, in.saved(0), in.gradient()));
                },
                new Value[] {x},
                indices);
        return new Value[] {values, indices};
    }
}
