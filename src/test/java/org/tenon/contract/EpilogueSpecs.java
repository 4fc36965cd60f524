package org.tenon.contract;

import static org.tenon.contract.ElementwiseSpecs.in;
import static org.tenon.contract.ElementwiseSpecs.made;
import static org.tenon.contract.Specs.FLOATS;
import static org.tenon.contract.Specs.K1;
import static org.tenon.contract.Specs.dims;
import static org.tenon.contract.Specs.spec;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.tenon.Activation;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.EpilogueOptions;
import org.tenon.F;
import org.tenon.F64;
import org.tenon.Generator;

/** What comes after a product, each part of it there or not. */
final class EpilogueSpecs {
    private static final long SEED = 0x1234_5678_9ABC_DEF0L;

    /** Some odd, some with rows of no four, some of more than a chunk. */
    private static final long[][] SHAPES = {
        {3, 4}, {2, 5}, {7, 1}, {3, 2, 3}, {5}, {0, 5}, {5, 0}, {3, 1030}, {2, 2049}, {70, 130}
    };

    private enum Part {
        BIAS,
        DROPOUT,
        RESIDUAL
    }

    private EpilogueSpecs() {}

    static void add(List<OpSpec> all) {
        OpSpec spec = spec(all, "F.epilogue(Tensor,EpilogueOptions)");
        Set<Part> none = EnumSet.noneOf(Part.class);
        Set<Part> whole = EnumSet.allOf(Part.class);
        for (DType dtype : FLOATS) {
            for (Activation activation : Activation.values()) {
                add(spec, dtype, activation, EnumSet.of(Part.BIAS), 0, dims(7, 9));
                add(spec, dtype, activation, whole, 0.25, dims(7, 12));
            }
            for (long[] shape : SHAPES) {
                add(spec, dtype, Activation.GELU, whole, 0.5, shape);
                add(spec, dtype, Activation.NONE, whole, 0.25, shape);
            }
            add(spec, dtype, Activation.RELU, none, 0, dims(5, 7));
            add(spec, dtype, Activation.TANH, none, 0, dims());
            add(spec, dtype, Activation.NONE, EnumSet.of(Part.RESIDUAL), 0, dims(5, 7));
            add(spec, dtype, Activation.NONE, EnumSet.of(Part.DROPOUT), 0.25, dims(5, 7));
            add(spec, dtype, Activation.SILU, EnumSet.of(Part.DROPOUT, Part.RESIDUAL), 1, dims(5, 7));
        }
        for (Activation activation : Activation.values()) {
            for (Set<Part> parts : List.of(whole, none, EnumSet.of(Part.BIAS), EnumSet.of(Part.DROPOUT))) {
                Arr[] inputs = inputs(DType.F64, parts, dims(3, 5));
                spec.grad(activation + " " + parts, op(activation, parts, 0.25), inputs);
            }
        }
        spec.grad("dropout of everything", op(Activation.GELU, whole, 1), inputs(DType.F64, whole, dims(3, 5)));
        refusals(spec);
    }

    private static EpilogueOptions<F64, Cpu> options() {
        return EpilogueOptions.defaults();
    }

    private static void add(OpSpec spec, DType dtype, Activation activation, Set<Part> parts, double p, long[] shape) {
        spec.sample(
                dtype + " " + activation + " " + parts + " p " + p + " of " + Arrays.toString(shape),
                op(activation, parts, p),
                x -> reference(x, activation, parts, p),
                inputs(dtype, parts, shape));
    }

    private static Arr[] inputs(DType dtype, Set<Part> parts, long[] shape) {
        List<Arr> all = new ArrayList<>(List.of(Arr.normal(dtype, 1, shape)));
        if (parts.contains(Part.BIAS)) {
            all.add(Arr.normal(dtype, 2, shape[shape.length - 1]));
        }
        if (parts.contains(Part.RESIDUAL)) {
            all.add(Arr.normal(dtype, 3, shape));
        }
        return all.toArray(new Arr[0]);
    }

    private static OpSpec.Op op(Activation activation, Set<Part> parts, double p) {
        return x -> {
            EpilogueOptions<F64, Cpu> options = options().activation(activation);
            options = parts.contains(Part.BIAS) ? options.bias(x.b().as(K1)) : options;
            options = parts.contains(Part.DROPOUT) ? options.dropout(p, new Generator(SEED)) : options;
            options = parts.contains(Part.RESIDUAL) ? options.residual(x.all().getLast()) : options;
            return F.epilogue(x.a(), options);
        };
    }

    private static Arr reference(List<Arr> inputs, Activation activation, Set<Part> parts, double p) {
        Arr x = inputs.getFirst();
        double[] out = x.f().clone();
        for (int i = 0; i < out.length; i++) {
            double v = out[i];
            v = parts.contains(Part.BIAS)
                    ? v + inputs.get(1).f()[i % inputs.get(1).count()]
                    : v;
            v = Reference.activation(activation, v);
            if (parts.contains(Part.DROPOUT)) {
                v = p < 1 && Reference.uniform(SEED, 0, i, false) < 1 - p ? v / (1 - p) : 0;
            }
            out[i] = parts.contains(Part.RESIDUAL) ? inputs.getLast().f()[i] + v : v;
        }
        return Arr.floats(x.dtype(), x.shape(), out);
    }

    private static void refusals(OpSpec spec) {
        Arr x = Arr.normal(DType.F32, 1, 3, 4);
        OpSpec.Op biased = op(Activation.GELU, EnumSet.of(Part.BIAS), 0);
        OpSpec.Op added = op(Activation.GELU, EnumSet.of(Part.RESIDUAL), 0);
        spec.refuses(
                "a bias of another size",
                "epilogue: the bias has shape [3]; one axis, as long as the last, is needed",
                d -> biased.apply(in(d, made(d, x), made(d, Arr.normal(DType.F32, 1, 3)))));
        spec.refuses(
                "a bias of one",
                "epilogue: the bias has shape [1]; one axis, as long as the last, is needed",
                d -> biased.apply(in(d, made(d, x), made(d, Arr.normal(DType.F32, 1, 1)))));
        spec.refuses(
                "a bias of a scalar",
                "epilogue: the bias has shape [1]; a scalar has no axis for it",
                d -> biased.apply(in(d, made(d, Arr.normal(DType.F32, 1)), made(d, Arr.normal(DType.F32, 1, 1)))));
        spec.refuses(
                "a bias of another type",
                "element types differ",
                d -> biased.apply(in(d, made(d, x), made(d, Arr.normal(DType.F64, 1, 4)))));
        spec.refuses(
                "a residual of another shape",
                "epilogue: the residual has shape [4]; that of the input is needed",
                d -> added.apply(in(d, made(d, x), made(d, Arr.normal(DType.F32, 1, 4)))));
        spec.refuses(
                "a residual of another type",
                "element types differ",
                d -> added.apply(in(d, made(d, x), made(d, Arr.normal(DType.F16, 1, 3, 4)))));
        spec.refuses(
                "a bad dropout",
                "epilogue: dropout 1.5 is outside [0, 1]",
                d -> op(Activation.NONE, EnumSet.of(Part.DROPOUT), 1.5).apply(in(d, made(d, x))));
        spec.refuses(
                "integers",
                "epilogue: not defined for int32",
                d -> op(Activation.RELU, EnumSet.noneOf(Part.class), 0)
                        .apply(in(d, made(d, Arr.any(DType.I32, 1, 3)))));
        spec.refuses(
                "a closed tensor",
                "after it was closed",
                d -> op(Activation.RELU, EnumSet.noneOf(Part.class), 0).apply(in(d, ElementwiseSpecs.closed(d))));
    }
}
