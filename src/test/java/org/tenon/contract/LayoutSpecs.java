package org.tenon.contract;

import static org.tenon.contract.ElementwiseSpecs.closed;
import static org.tenon.contract.ElementwiseSpecs.made;
import static org.tenon.contract.Specs.ALL;
import static org.tenon.contract.Specs.K1;
import static org.tenon.contract.Specs.K2;
import static org.tenon.contract.Specs.K3;
import static org.tenon.contract.Specs.dims;
import static org.tenon.contract.Specs.spec;

import java.util.List;
import org.tenon.Any;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F64;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.Tensor;

/** Views, copies and joins, on every dtype. */
final class LayoutSpecs {
    private LayoutSpecs() {}

    private static OpSpec moved(List<OpSpec> all, String name, OpSpec.Op op, OpSpec.Ref ref, long... shape) {
        OpSpec spec = spec(all, name).view();
        for (DType dtype : ALL) {
            spec.exact(dtype + " " + java.util.Arrays.toString(shape), op, ref, Arr.any(dtype, 3, shape));
        }
        spec.grad(java.util.Arrays.toString(shape), op, Arr.any(DType.F64, 3, shape));
        spec.refuses("a closed tensor", "after it was closed", d -> {
            Tensor<Any, F64, Cpu> x = made(d, Arr.any(DType.F64, 1, shape));
            x.close();
            return op.apply(ElementwiseSpecs.in(d, x));
        });
        return spec;
    }

    private static Tensor<Any, F64, Cpu> x(Device<Cpu> d, long... shape) {
        return made(d, Arr.any(DType.F64, 1, shape));
    }

    static void add(List<OpSpec> all) {
        moved(
                        all,
                        "Tensor.reshape(Shape)",
                        x -> x.a().reshape(Any.of(4, -1)),
                        x -> x.get(0).reshaped(4, 6),
                        2,
                        3,
                        4)
                .exact(
                        "empty",
                        x -> x.a().reshape(Any.of(0, 7)),
                        x -> x.get(0).reshaped(0, 7),
                        Arr.any(DType.F32, 1, 3, 0))
                .exact(
                        "to a scalar",
                        x -> x.a().reshape(Any.of()),
                        x -> x.get(0).reshaped(),
                        Arr.any(DType.F32, 1, 1, 1))
                .refuses(
                        "a size that does not fit",
                        "does not hold 6 elements",
                        d -> x(d, 2, 3).reshape(Any.of(4, 2)))
                .refuses("two -1", "has a bad size", d -> x(d, 2, 3).reshape(Any.of(-1, -1)));
        moved(
                        all,
                        "Tensor.reshape(long[])",
                        x -> x.a().reshape(6, 4),
                        x -> x.get(0).reshaped(6, 4),
                        2,
                        3,
                        4)
                .refuses(
                        "-1 that does not divide",
                        "does not hold 6 elements",
                        d -> x(d, 2, 3).reshape(4, -1));
        moved(
                        all,
                        "Tensor.view(Shape)",
                        x -> x.a().contiguous().view(Any.of(6, 4)),
                        x -> x.get(0).reshaped(6, 4),
                        2,
                        3,
                        4)
                .refuses(
                        "a transposed tensor",
                        "do not allow a view",
                        d -> x(d, 2, 3).transpose(0, 1).view(Any.of(6)));
        moved(
                        all,
                        "Tensor.view(long[])",
                        x -> x.a().contiguous().view(6, -1),
                        x -> x.get(0).reshaped(6, 4),
                        2,
                        3,
                        4)
                .refuses(
                        "a size that does not fit",
                        "does not hold 6 elements",
                        d -> x(d, 2, 3).view(5));
        moved(
                        all,
                        "Tensor.transpose(int,int)",
                        x -> x.a().transpose(0, -1),
                        x -> Reference.permute(x.get(0), 2, 1, 0),
                        2,
                        3,
                        4)
                .refuses(
                        "dim 3 of 3",
                        "dim 3 is outside [-3, 2]",
                        d -> x(d, 2, 3, 4).transpose(0, 3));
        moved(
                        all,
                        "Tensor.permute(int[])",
                        x -> x.a().permute(1, 2, 0),
                        x -> Reference.permute(x.get(0), 1, 2, 0),
                        2,
                        3,
                        4)
                .refuses("a dim twice", "named twice", d -> x(d, 2, 3).permute(0, 0))
                .refuses(
                        "too few",
                        "1 dims are named for 2 axes",
                        d -> x(d, 2, 3).permute(0));
        moved(
                all,
                "Tensor.squeeze(Axis)",
                x -> x.a().as(K2).squeeze(R2.<Dim, Dim>dim0()),
                x -> x.get(0).reshaped(5),
                1,
                5);
        moved(all, "Tensor.squeeze(int)", x -> x.a().squeeze(-2), x -> x.get(0).reshaped(3, 4), 3, 1, 4)
                .refuses(
                        "a size that is not 1",
                        "has size 3, not 1",
                        d -> x(d, 3, 1).squeeze(0));
        moved(
                all,
                "Tensor.unsqueeze(Axis)",
                x -> x.a().as(K1).unsqueeze(R2.<Dim, Dim>dim1()),
                x -> x.get(0).reshaped(5, 1),
                5);
        moved(
                        all,
                        "Tensor.unsqueeze(int)",
                        x -> x.a().unsqueeze(-1),
                        x -> x.get(0).reshaped(3, 4, 1),
                        3,
                        4)
                .refuses(
                        "dim 3 of 2",
                        "dim 3 is outside [-3, 2]",
                        d -> x(d, 3, 4).unsqueeze(3));
        moved(
                        all,
                        "Tensor.expand(Shape)",
                        x -> x.a().expand(Any.of(2, 3, -1)),
                        x -> Reference.expand(x.get(0), dims(2, 3, 4)),
                        1,
                        4)
                .refuses(
                        "an axis that is not 1",
                        "cannot expand to",
                        d -> x(d, 2, 3).expand(Any.of(4, 3)))
                .refuses("fewer axes", "cannot expand to", d -> x(d, 2, 3).expand(Any.of(3)));
        moved(
                        all,
                        "Tensor.slice(int,long,long)",
                        x -> x.a().slice(1, 1, -1),
                        x -> Reference.slice(x.get(0), 1, 1, 4, 1),
                        3,
                        5)
                .exact(
                        "past the end",
                        x -> x.a().slice(1, 3, 99),
                        x -> Reference.slice(x.get(0), 1, 3, 5, 1),
                        Arr.any(DType.F32, 1, 3, 5))
                .exact(
                        "of nothing, copied",
                        x -> x.a().slice(0, 2, 3).copy(),
                        x -> Arr.any(DType.F32, 1, 1, 0),
                        Arr.any(DType.F32, 1, 3, 0))
                .exact(
                        "to nothing",
                        x -> x.a().slice(0, 2, 1),
                        x -> Reference.slice(x.get(0), 0, 2, 2, 1),
                        Arr.any(DType.F32, 1, 3, 5))
                .refuses(
                        "dim 2 of 2",
                        "dim 2 is outside [-2, 1]",
                        d -> x(d, 2, 3).slice(2, 0, 1));
        moved(
                        all,
                        "Tensor.slice(int,long,long,long)",
                        x -> x.a().slice(-1, 1, 6, 2),
                        x -> Reference.slice(x.get(0), 1, 1, 6, 2),
                        3,
                        7)
                .refuses("step 0", "step 0 does not go forward", d -> x(d, 3).slice(0, 0, 2, 0));
        moved(
                        all,
                        "Tensor.narrow(int,long,long)",
                        x -> x.a().narrow(0, 1, 2),
                        x -> Reference.slice(x.get(0), 0, 1, 3, 1),
                        4,
                        3)
                .refuses("past the end", "are not all on dim 0", d -> x(d, 3).narrow(0, 2, 2));
        moved(
                all,
                "Tensor.select(Axis,long)",
                x -> x.a().as(K3).select(R3.<Dim, Dim, Dim>dim1(), -1),
                x -> Reference.slice(x.get(0), 1, 2, 3, 1).reshaped(2, 4),
                2,
                3,
                4);
        moved(
                        all,
                        "Tensor.select(int,long)",
                        x -> x.a().select(0, 1),
                        x -> Reference.slice(x.get(0), 0, 1, 2, 1).reshaped(3, 4),
                        2,
                        3,
                        4)
                .exact(
                        "of nothing, copied",
                        x -> x.a().select(0, 7).copy(),
                        x -> Arr.any(DType.F32, 1, 3, 0),
                        Arr.any(DType.F32, 1, 8, 3, 0))
                .refuses(
                        "an index past the end",
                        "index 2 is outside [-2, 1]",
                        d -> x(d, 2, 3).select(0, 2));
        OpSpec split = moved(
                        all,
                        "Tensor.split(long,int)",
                        x -> x.a().split(2, 1).get(2),
                        x -> Reference.slice(x.get(0), 1, 4, 5, 1),
                        3,
                        5)
                .exact("in one", x -> x.a().split(9, 0).get(0), x -> x.get(0), Arr.any(DType.F32, 1, 3, 5))
                .refuses("size 0", "size 0 is too small", d -> x(d, 3).split(0, 0));
        split.exact(
                "first",
                x -> x.a().split(2, 1).get(0),
                x -> Reference.slice(x.get(0), 1, 0, 2, 1),
                Arr.any(DType.F32, 1, 3, 5));
        moved(
                        all,
                        "Tensor.unbind(Axis)",
                        x -> x.a().as(K3).unbind(R3.<Dim, Dim, Dim>dim1()).get(3),
                        x -> Reference.slice(x.get(0), 1, 3, 4, 1).reshaped(2, 4),
                        2,
                        5,
                        4)
                .exact(
                        "as many as there are",
                        x -> F.stack(x.a().as(K3).unbind(R3.<Dim, Dim, Dim>dim2()), 2),
                        x -> x.get(0),
                        Arr.any(DType.F32, 1, 2, 3, 5))
                .grad(
                        "of all",
                        x -> F.stack(x.a().as(K3).unbind(R3.<Dim, Dim, Dim>dim0()), 1),
                        Arr.normal(DType.F64, 1, 3, 2, 2));
        moved(all, "Tensor.contiguous()", x -> x.a().contiguous(), x -> x.get(0), 2, 3, 4).view = false;
        moved(all, "Tensor.copy()", x -> x.a().copy(), x -> x.get(0), 2, 3, 4).view = false;
        moved(all, "Tensor.any()", x -> x.a().any(), x -> x.get(0), 2, 3);
        moved(all, "Tensor.as(Kind)", x -> x.a().as(K2), x -> x.get(0), 2, 3)
                .refuses("another rank", "has rank 2", d -> x(d, 2, 3).as(K3));
        OpSpec detach = spec(all, "Tensor.detach()").view();
        OpSpec copyFrom = spec(all, "Tensor.copyFrom(Tensor)").view();
        for (DType dtype : ALL) {
            detach.exact(dtype + "", x -> x.a().detach(), x -> x.get(0), Arr.any(dtype, 1, 3, 4));
            copyFrom.exact(
                    dtype + "",
                    x -> {
                        Tensor<Any, F64, Cpu> target = x.a().copy().transpose(0, 1);
                        target.copyFrom(x.b().transpose(0, 1));
                        return target.transpose(0, 1);
                    },
                    x -> x.get(1),
                    Arr.any(dtype, 1, 3, 4),
                    Arr.any(dtype, 2, 3, 4));
        }
        detach.refuses("a closed tensor", "after it was closed", d -> closed(d).detach());
        copyFrom.refuses("another shape", "shapes differ", d -> {
            x(d, 2, 3).copyFrom(x(d, 3, 2));
            return null;
        });
        joins(all);
    }

    private static void joins(List<OpSpec> all) {
        OpSpec cat = spec(all, "F.cat(List,int)");
        OpSpec stack = spec(all, "F.stack(List,int)");
        OpSpec typed = spec(all, "F.stack(List,Axis)");
        for (DType dtype : ALL) {
            cat.exact(
                    dtype + " dim 0",
                    x -> F.cat(x.all(), 0),
                    x -> Reference.cat(x, 0),
                    Arr.any(dtype, 1, 2, 3),
                    Arr.any(dtype, 2, 4, 3),
                    Arr.any(dtype, 3, 0, 3));
            cat.exact(
                    dtype + " dim -1",
                    x -> F.cat(x.all(), -1),
                    x -> Reference.cat(x, -1),
                    Arr.any(dtype, 1, 2, 3),
                    Arr.any(dtype, 2, 2, 1));
            for (int dim : new int[] {0, 1, 2, -1}) {
                stack.exact(
                        dtype + " dim " + dim,
                        x -> F.stack(x.all(), dim),
                        x -> {
                            long[] one = dim == 0 ? dims(1, 2, 3) : dim == 1 ? dims(2, 1, 3) : dims(2, 3, 1);
                            return Reference.cat(
                                    List.of(x.get(0).reshaped(one), x.get(1).reshaped(one)), dim);
                        },
                        Arr.any(dtype, 1, 2, 3),
                        Arr.any(dtype, 2, 2, 3));
            }
            typed.exact(
                    dtype + " R2 of R1",
                    x -> F.stack(List.of(x.a().as(K1), x.b().as(K1)), R2.<Dim, Dim>dim0()),
                    x -> Reference.cat(List.of(x.get(0).reshaped(1, 5), x.get(1).reshaped(1, 5)), 0),
                    Arr.any(dtype, 1, 5),
                    Arr.any(dtype, 2, 5));
        }
        cat.grad("dim 1", x -> F.cat(x.all(), 1), Arr.any(DType.F64, 1, 2, 3), Arr.any(DType.F64, 2, 2, 2));
        stack.grad("dim 1", x -> F.stack(x.all(), 1), Arr.any(DType.F64, 1, 2, 3), Arr.any(DType.F64, 2, 2, 3));
        typed.grad(
                "dim 1",
                x -> F.stack(List.of(x.a().as(K1), x.b().as(K1)), R2.<Dim, Dim>dim1()),
                Arr.any(DType.F64, 1, 3),
                Arr.any(DType.F64, 2, 3));
        cat.refuses("nothing", "no tensors are given", d -> F.cat(List.<Tensor<R1<Dim>, F64, Cpu>>of(), 0));
        cat.refuses("scalars", "scalars have no axis", d -> F.cat(List.of(x(d), x(d)), 0));
        cat.refuses("shapes that differ", "shapes differ", d -> F.cat(List.of(x(d, 2, 3), x(d, 2, 4)), 0));
        cat.refuses(
                "two dtypes",
                "element types differ",
                d -> F.cat(List.of(x(d, 2), made(d, Arr.any(DType.F32, 1, 2))), 0));
        stack.refuses("shapes that differ", "shapes differ", d -> F.stack(List.of(x(d, 2, 3), x(d, 2, 4)), 0));
        stack.refuses("dim 3 of 2", "dim 3 is outside [-3, 2]", d -> F.stack(List.of(x(d, 2, 3), x(d, 2, 3)), 3));
    }
}
