package org.tenon.contract;

import static org.tenon.contract.ElementwiseSpecs.made;
import static org.tenon.contract.Specs.ALL;
import static org.tenon.contract.Specs.FLOATS;
import static org.tenon.contract.Specs.INTEGERS;
import static org.tenon.contract.Specs.K1;
import static org.tenon.contract.Specs.K2;
import static org.tenon.contract.Specs.NUMBERS;
import static org.tenon.contract.Specs.dims;
import static org.tenon.contract.Specs.spec;

import java.util.List;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.R2;
import org.tenon.R3;

/** Reading and adding by index. */
final class IndexSpecs {
    private IndexSpecs() {}

    private static OpSpec.In in(Device<Cpu> d, Arr... inputs) {
        return new OpSpec.In(
                d, java.util.Arrays.stream(inputs).map(x -> made(d, x)).toList());
    }

    static void add(List<OpSpec> all) {
        OpSpec gather = spec(all, "Tensor.gather(int,Tensor)");
        OpSpec select = spec(all, "Tensor.indexSelect(int,Tensor)");
        for (DType dtype : ALL) {
            for (DType index : INTEGERS) {
                for (int dim : new int[] {0, 1, -1}) {
                    int size = dim == 0 ? 3 : 5;
                    gather.exact(
                            dtype + " by " + index + " dim " + dim,
                            x -> x.a().gather(dim, x.ints(1)),
                            x -> Reference.gather(x.get(0), dim, x.get(1)),
                            Arr.any(dtype, 1, 3, 5),
                            Arr.ints(index, 2, 0, size, dim == 0 ? dims(7, 4) : dims(2, 6)));
                    select.exact(
                            dtype + " by " + index + " dim " + dim,
                            x -> x.a().indexSelect(dim, x.ints(1)),
                            x -> Reference.indexSelect(x.get(0), dim, x.get(1)),
                            Arr.any(dtype, 1, 3, 5),
                            Arr.ints(index, 2, 0, size, 8));
                }
            }
            select.exact(
                    dtype + " by nothing",
                    x -> x.a().indexSelect(0, x.ints(1)),
                    x -> Reference.indexSelect(x.get(0), 0, x.get(1)),
                    Arr.any(dtype, 1, 3, 5),
                    Arr.ints(DType.I64, 1, 0, 1, 0));
        }
        OpSpec.Op gathering = x -> x.a().gather(1, x.ints(1));
        gather.grad(
                "repeated", gathering, new int[] {0}, Arr.any(DType.F64, 1, 3, 4), Arr.ints(DType.I64, 2, 0, 4, 3, 6));
        select.grad(
                "repeated",
                x -> x.a().indexSelect(0, x.ints(1)),
                new int[] {0},
                Arr.any(DType.F64, 1, 3, 4),
                Arr.ints(DType.I32, 2, 0, 3, 6));
        for (long bad : new long[] {4, -1, 1L << 40}) {
            gather.refuses(
                    "index " + bad,
                    "index " + bad + " at position 2 is outside [0, 4)",
                    d -> gathering.apply(in(
                            d, Arr.any(DType.F32, 1, 3, 4), Arr.longs(DType.I64, dims(1, 3), new long[] {0, 3, bad}))));
            select.refuses(
                    "index " + bad,
                    "index " + bad + " at position 1 is outside [0, 4)",
                    d -> in(d, Arr.any(DType.F32, 1, 4))
                            .a()
                            .indexSelect(0, OpSpec.asInts(made(d, Arr.longs(DType.I64, dims(2), new long[] {0, bad
                            })))));
        }
        gather.refuses(
                "a floating index",
                "must be int32 or int64",
                d -> gathering.apply(in(d, Arr.any(DType.F32, 1, 3, 4), Arr.any(DType.F32, 1, 3, 4))));
        gather.refuses(
                "another rank",
                "the index has rank 1; it needs that of the tensor",
                d -> gathering.apply(in(d, Arr.any(DType.F32, 1, 3, 4), Arr.ints(DType.I64, 1, 0, 2, 3))));
        gather.refuses(
                "a longer index",
                "longer than the tensor",
                d -> gathering.apply(in(d, Arr.any(DType.F32, 1, 3, 4), Arr.ints(DType.I64, 1, 0, 2, 4, 4))));
        select.refuses(
                "a 2-d index",
                "an index of rank 2 into rank 1",
                d -> made(d, Arr.any(DType.F32, 1, 4))
                        .indexSelect(0, OpSpec.asInts(made(d, Arr.ints(DType.I64, 1, 0, 2, 2, 2)))));
        select.refuses(
                "dim 1 of 1",
                "dim 1 is outside [-1, 0]",
                d -> made(d, Arr.any(DType.F32, 1, 4))
                        .indexSelect(1, OpSpec.asInts(made(d, Arr.ints(DType.I64, 1, 0, 2, 2)))));
        scatter(all);
        lookups(all);
    }

    private static void scatter(List<OpSpec> all) {
        OpSpec spec = spec(all, "Tensor.scatterAdd(int,Tensor,Tensor)");
        OpSpec.Op op = x -> x.a().scatterAdd(1, x.ints(1), x.all().get(2));
        for (DType dtype : NUMBERS) {
            for (DType index : INTEGERS) {
                spec.sample(
                        dtype + " by " + index,
                        op,
                        x -> Reference.scatterAdd(x.get(0), 1, x.get(1), x.get(2)),
                        Arr.any(dtype, 1, 3, 5),
                        Arr.ints(index, 2, 0, 5, 2, 9),
                        Arr.any(dtype, 3, 2, 9));
            }
            spec.sample(
                    dtype + " dim 0",
                    x -> x.a().scatterAdd(0, x.ints(1), x.all().get(2)),
                    x -> Reference.scatterAdd(x.get(0), 0, x.get(1), x.get(2)),
                    Arr.any(dtype, 1, 3, 5),
                    Arr.ints(DType.I64, 2, 0, 3, 6, 5),
                    Arr.any(dtype, 3, 6, 5));
            spec.sample(
                    dtype + " of nothing",
                    op,
                    x -> x.get(0),
                    Arr.any(dtype, 1, 3, 5),
                    Arr.ints(DType.I64, 2, 0, 3, 3, 0),
                    Arr.any(dtype, 3, 3, 0));
        }
        spec.sample(
                "float32 many to one",
                op,
                x -> Reference.scatterAdd(x.get(0), 1, x.get(1), x.get(2)),
                Arr.any(DType.F32, 1, 1, 2),
                Arr.ints(DType.I64, 2, 0, 2, 1, 1000),
                Arr.uniform(DType.F32, 3, 0, 1, 1, 1000));
        spec.grad(
                "repeated",
                op,
                new int[] {0, 2},
                Arr.any(DType.F64, 1, 2, 3),
                Arr.ints(DType.I64, 2, 0, 3, 2, 5),
                Arr.any(DType.F64, 3, 2, 5));
        spec.refuses(
                "an index past the end",
                "index 5 at position 1 is outside [0, 5)",
                d -> op.apply(in(
                        d,
                        Arr.any(DType.F32, 1, 1, 5),
                        Arr.longs(DType.I64, dims(1, 2), new long[] {0, 5}),
                        Arr.any(DType.F32, 1, 1, 2))));
        spec.refuses(
                "a source of another shape",
                "differ in shape",
                d -> op.apply(in(
                        d,
                        Arr.any(DType.F32, 1, 1, 5),
                        Arr.ints(DType.I64, 1, 0, 2, 1, 2),
                        Arr.any(DType.F32, 1, 1, 3))));
        spec.refuses(
                "a source of another dtype",
                "element types differ",
                d -> op.apply(in(
                        d,
                        Arr.any(DType.F32, 1, 1, 5),
                        Arr.ints(DType.I64, 1, 0, 2, 1, 2),
                        Arr.any(DType.F64, 1, 1, 2))));
        spec.refuses(
                "bool",
                "not defined for bool",
                d -> op.apply(in(
                        d,
                        Arr.any(DType.BOOL, 1, 1, 5),
                        Arr.ints(DType.I64, 1, 0, 2, 1, 2),
                        Arr.any(DType.BOOL, 1, 1, 2))));
    }

    private static Arr oneHot(Arr index, int classes) {
        long[] out = new long[index.count() * classes];
        for (int i = 0; i < index.count(); i++) {
            out[i * classes + (int) index.n()[i]] = 1;
        }
        return Arr.longs(DType.I64, Reference.joined(index.shape(), classes), out);
    }

    private static void lookups(List<OpSpec> all) {
        OpSpec hot = spec(all, "F.oneHot(Tensor,long)");
        OpSpec hotTyped = spec(all, "F.oneHot(Tensor,long,Axis)");
        for (DType index : INTEGERS) {
            for (long[] shape : new long[][] {{}, {4}, {2, 3}, {0}}) {
                hot.exact(
                        index + " " + java.util.Arrays.toString(shape),
                        x -> F.oneHot(x.ints(0), 5),
                        x -> oneHot(x.get(0), 5),
                        Arr.ints(index, 1, 0, 5, shape));
            }
            hotTyped.exact(
                    index + " [4]",
                    x -> F.oneHot(x.ints(0).as(K1), 5, R2.<Dim, Dim>dim1()),
                    x -> oneHot(x.get(0), 5),
                    Arr.ints(index, 1, 0, 5, 4));
        }
        hot.refuses(
                "an index past the end",
                "is outside [0, 5)",
                d -> F.oneHot(OpSpec.asInts(made(d, Arr.longs(DType.I64, dims(2), new long[] {0, 5}))), 5));
        hot.refuses(
                "no classes",
                "0 classes are too few",
                d -> F.oneHot(OpSpec.asInts(made(d, Arr.ints(DType.I64, 1, 0, 1, 2))), 0));
        hotTyped.refuses(
                "another axis than the last",
                "it comes last, dim",
                d -> F.oneHot(
                        OpSpec.asInts(made(d, Arr.ints(DType.I64, 1, 0, 1, 2))).as(K1), 2, R2.<Dim, Dim>dim0()));
        OpSpec lookup = spec(all, "F.embedding(Tensor,Tensor)");
        OpSpec typed = spec(all, "F.embedding(Tensor,Tensor,Axis)");
        OpSpec.Op op = x -> F.embedding(x.a().as(K2), x.ints(1));
        OpSpec.Ref ref = x -> Reference.indexSelect(x.get(0), 0, x.get(1))
                .reshaped(Reference.joined(x.get(1).shape(), x.get(0).shape()[1]));
        for (DType dtype : FLOATS) {
            for (long[] shape : new long[][] {{}, {4}, {2, 3}, {0}}) {
                lookup.exact(
                        dtype + " " + java.util.Arrays.toString(shape),
                        op,
                        ref,
                        Arr.any(dtype, 1, 7, 3),
                        Arr.ints(DType.I64, 1, 0, 7, shape));
            }
            typed.exact(
                    dtype + " [2, 3] of int32",
                    x -> F.embedding(x.a().as(K2), x.ints(1).as(K2), R3.<Dim, Dim, Dim>dim2()),
                    ref,
                    Arr.any(dtype, 1, 7, 3),
                    Arr.ints(DType.I32, 1, 0, 7, 2, 3));
        }
        lookup.grad("repeated", op, new int[] {0}, Arr.any(DType.F64, 1, 4, 3), Arr.ints(DType.I64, 1, 0, 4, 2, 3));
        lookup.refuses(
                "an index past the end",
                "index 7 at position 1 is outside [0, 7)",
                d -> op.apply(in(d, Arr.any(DType.F32, 1, 7, 3), Arr.longs(DType.I64, dims(2), new long[] {0, 7}))));
        typed.refuses(
                "another axis than the last",
                "it comes last, dim",
                d -> F.embedding(
                        made(d, Arr.any(DType.F32, 1, 7, 3)).as(K2),
                        OpSpec.asInts(made(d, Arr.ints(DType.I64, 1, 0, 1, 2))).as(K1),
                        R2.<Dim, Dim>dim0()));
    }
}
