package org.tenon.contract;

import java.util.ArrayList;
import java.util.List;
import org.tenon.DType;
import org.tenon.Dim;
import org.tenon.Kind;
import org.tenon.R0;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.R4;

/** All specs, and what they share. */
final class Specs {
    static final List<DType> ALL =
            List.of(DType.F32, DType.F64, DType.F16, DType.BF16, DType.I32, DType.I64, DType.BOOL);
    static final List<DType> NUMBERS = ALL.subList(0, 6);
    static final List<DType> FLOATS = ALL.subList(0, 4);
    static final List<DType> INTEGERS = ALL.subList(4, 6);

    static final Kind<R0> K0 = R0.kind();
    static final Kind<R1<Dim>> K1 = R1.kind();
    static final Kind<R2<Dim, Dim>> K2 = R2.kind();
    static final Kind<R3<Dim, Dim, Dim>> K3 = R3.kind();
    static final Kind<R4<Dim, Dim, Dim, Dim>> K4 = R4.kind();

    private Specs() {}

    static List<OpSpec> all() {
        List<OpSpec> all = new ArrayList<>();
        ElementwiseSpecs.add(all);
        ReductionSpecs.add(all);
        SoftmaxSpecs.add(all);
        LayoutSpecs.add(all);
        IndexSpecs.add(all);
        CreationSpecs.add(all);
        EpilogueSpecs.add(all);
        NormSpecs.add(all);
        ConvSpecs.add(all);
        AttentionSpecs.add(all);
        LossSpecs.add(all);
        LayerSpecs.add(all);
        CustomSpecs.add(all);
        return all;
    }

    static OpSpec spec(List<OpSpec> all, String name) {
        OpSpec spec = new OpSpec(name);
        all.add(spec);
        return spec;
    }

    static long[] dims(long... sizes) {
        return sizes;
    }

    /** NaN, infinities, zeros of both signs, denormals, the largest and the smallest. */
    static Arr specials(DType dtype) {
        double tiny =
                dtype == DType.F64 ? 4.9e-324 : dtype == DType.F16 ? 5.97e-8 : dtype == DType.F32 ? 1.4e-45 : 9.2e-41;
        double max = dtype == DType.F64 ? Double.MAX_VALUE : dtype == DType.F16 ? 65504 : 3e38;
        return Arr.vector(
                dtype,
                Double.NaN,
                Double.POSITIVE_INFINITY,
                Double.NEGATIVE_INFINITY,
                0.0,
                -0.0,
                tiny,
                -tiny,
                max,
                -max,
                1,
                -1,
                0.5,
                -0.5,
                20,
                -20,
                88,
                -88,
                1000,
                -1000);
    }
}
