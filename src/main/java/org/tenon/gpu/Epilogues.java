package org.tenon.gpu;

import org.tenon.spi.Dropout;
import org.tenon.spi.Epilogue;
import org.tenon.spi.Strided;
import org.tenon.spi.UnaryOp;

/** Launches of what comes after a product. */
final class Epilogues {
    /** Elements of a thread. */
    private static final int VECTOR = 4;

    private final GpuRuntime runtime;
    private final Variants forwards;
    private final Variants backwards;

    Epilogues(GpuRuntime runtime) {
        this.runtime = runtime;
        forwards = Variants.ofFloats(runtime, "epilogue", "epilogue");
        backwards = Variants.ofFloats(runtime, "epilogue", "epilogue_grad");
    }

    /** Builds every kernel there is. */
    void buildAll() {
        forwards.buildAll();
        backwards.buildAll();
    }

    void epilogue(Epilogue epilogue, Strided x, Strided out) {
        launch(forwards, epilogue, x, epilogue.residual(), out);
    }

    void epilogueGrad(Epilogue epilogue, Strided g, Strided x, Strided dx) {
        launch(backwards, epilogue, x, g, dx);
    }

    /** {@code other} is the residual, or null, or the gradient. */
    private void launch(Variants variants, Epilogue epilogue, Strided x, Strided other, Strided out) {
        if (out.count() == 0) {
            return;
        }
        Strided bias = epilogue.bias();
        Dropout dropout = epilogue.dropout();
        Strided drawn = dropout == null ? null : dropout.drawn();
        Launch launch = Launch.begin()
                .buffer(out)
                .buffer(x)
                .buffer(bias == null ? x : bias)
                .buffer(other == null ? x : other)
                .buffer(drawn == null ? x : drawn)
                .value(out.count())
                .value(epilogue.length())
                .offset(x)
                .offsetOrZero(bias)
                .offsetOrZero(other)
                .offset(out)
                .value(number(epilogue.activation()))
                .value(bias == null ? 0 : 1)
                .value(epilogue.residual() == null ? 0 : 1);
        if (dropout == null) {
            launch.zeros(5);
        } else {
            launch.value(1)
                    .value(Numbers.bound(1 - dropout.p()))
                    .value(Types.bits(out.dtype(), dropout.rest()))
                    .value(dropout.seed())
                    .value(dropout.counter());
        }
        boolean aligned = isAligned(x) && isAligned(out) && (other == null || isAligned(other));
        launch.value(drawn == null ? 0 : 1)
                .offsetOrZero(drawn)
                .value(aligned ? 1 : 0)
                .value(bias != null && epilogue.length() % VECTOR == 0 && isAligned(bias) ? 1 : 0)
                .each(runtime, variants.get(Types.index(out.dtype())), (out.count() + VECTOR - 1) / VECTOR);
    }

    /** As the kernels count them. */
    private static long number(UnaryOp activation) {
        return switch (activation) {
            case null -> 0;
            case RELU -> 1;
            case GELU -> 2;
            case GELU_TANH -> 3;
            case SILU -> 4;
            case TANH -> 5;
            case SIGMOID -> 6;
            default -> throw new IllegalStateException(activation + " is no activation");
        };
    }

    private static boolean isAligned(Strided operand) {
        return Launch.startsAt(operand, VECTOR * operand.dtype().bytes());
    }
}
