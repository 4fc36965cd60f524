package org.tenon.op;

import java.util.Arrays;
import org.tenon.spi.Kernels.AdamStep;
import org.tenon.spi.Kernels.SgdStep;

/** Steps of optimizers: parameters changed in place, outside the graph, by one kernel each. */
public final class Updates {
    private Updates() {}

    /** {@code momentum} is null where there is none. */
    public static void sgd(Value parameter, Value gradient, Value momentum, SgdStep step) {
        check("sgd", parameter, gradient, momentum);
        try (Dense g = Dense.of(gradient);
                Pins _ = Pins.of(parameter, g.value(), momentum)) {
            parameter
                    .backend()
                    .kernels()
                    .sgd(parameter.strided(), g.value().strided(), momentum == null ? null : momentum.strided(), step);
        }
        parameter.storage().modified();
    }

    /** {@code first} and {@code second} are the moments. */
    public static void adam(Value parameter, Value gradient, Value first, Value second, AdamStep step) {
        check("adam", parameter, gradient, first, second);
        try (Dense g = Dense.of(gradient);
                Pins _ = Pins.of(parameter, g.value(), first, second)) {
            parameter
                    .backend()
                    .kernels()
                    .adam(parameter.strided(), g.value().strided(), first.strided(), second.strided(), step);
        }
        parameter.storage().modified();
    }

    static void check(String op, Value parameter, Value... others) {
        Checks.operands(op, parameter);
        Checks.floating(op, parameter);
        for (Value other : others) {
            if (other != null) {
                Checks.operands(op, parameter, other);
                Checks.sameDtype(op, parameter, other);
                if (!Arrays.equals(parameter.sizes(), other.sizes())) {
                    throw Checks.error(op, "parameter and gradient or state differ in shape", parameter, other);
                }
            }
        }
        if (!parameter.layout().isContiguous()) {
            throw Checks.error(op, "a parameter must lie in row-major order; use contiguous() for it", parameter);
        }
    }
}
