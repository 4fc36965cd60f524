package org.tenon.contract;

import static org.tenon.contract.Specs.FLOATS;
import static org.tenon.contract.Specs.spec;
import static org.tenon.contract.Specs.specials;

import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.tenon.Any;
import org.tenon.DType;
import org.tenon.examples.Swish;

/** The spec of an op that a user wrote: the same that Tenon's own have. */
final class CustomSpecs {
    private CustomSpecs() {}

    static void add(List<OpSpec> all) {
        OpSpec spec = spec(all, "Swish.swish(Tensor,double)")
                .only(List.of("cpu", "opencl"), "the example of an op of one's own has no PTX");
        OpSpec.Op op = x -> Swish.swish(x.a(), 1.5);
        DoubleUnaryOperator swish = x -> x / (1 + Math.exp(-1.5 * x));
        for (DType dtype : FLOATS) {
            for (long[] shape : new long[][] {{3, 5}, {67}, {}, {0, 3}}) {
                String name = dtype + " " + java.util.Arrays.toString(shape);
                spec.sample(name, op, x -> Reference.map(x.getFirst(), swish), Arr.uniform(dtype, 1, -9, 9, shape));
            }
            spec.sample(dtype + " specials", op, x -> Reference.map(x.getFirst(), swish), specials(dtype));
        }
        spec.grad("[3, 4]", op, Arr.uniform(DType.F64, 4, -4, 4, 3, 4));
        spec.refuses(
                "int64",
                "not defined for int64",
                d -> op.apply(new OpSpec.In(d, List.of(OpSpec.untyped(d.ones(Any.of(3), DType.I64))))));
    }
}
