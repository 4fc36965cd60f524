package org.tenon.examples;

import org.tenon.Any;
import org.tenon.CustomOp;
import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * An op that Tenon does not have, in one file: {@code swish(x) = x / (1 + e^(-beta x))} (Ramachandran et al. 2017), with a
 * kernel for the CPU in Java, one for GPUs in C, and gradients of any order.
 */
public final class Swish {
    private Swish() {}

    // @start region="op"
    private static final CustomOp SWISH = CustomOp.named("swish")
            .input("x")
            .parameter("beta")
            .kernel("""
                KERNEL void swish(ARGUMENTS) {
                    long i = INDEX;
                    if (i < ITEMS) {
                        REAL v = LOAD(x, i);
                        STORE(out, i, v / ((REAL) 1 + exp(-PARAMETER(beta) * v)));
                    }
                }
                """)
            .cpu((call, from, to) -> {
                for (long i = from; i < to; i++) {
                    double v = call.input(0).get(i);
                    call.out().set(i, v / (1 + Math.exp(-call.parameter(0) * v)));
                }
            })
            .backward(Swish::backward)
            .build();

    /** Each element times the sigmoid of {@code beta} times itself. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> swish(
            Tensor<S, D, Dev> x, double beta) {
        return SWISH.with(beta).like(x);
    }
    // @end

    /** A gradient may be another kernel, and that one's gradient may be made of ops. */
    private static final CustomOp SWISH_GRAD = CustomOp.named("swish_grad")
            .input("g")
            .input("x")
            .parameter("beta")
            .kernel("""
                KERNEL void swish_grad(ARGUMENTS) {
                    long i = INDEX;
                    if (i < ITEMS) {
                        REAL v = LOAD(x, i);
                        REAL s = (REAL) 1 / ((REAL) 1 + exp(-PARAMETER(beta) * v));
                        STORE(out, i, LOAD(g, i) * (s + PARAMETER(beta) * v * s * ((REAL) 1 - s)));
                    }
                }
                """)
            .cpu((call, from, to) -> {
                double beta = call.parameter(0);
                for (long i = from; i < to; i++) {
                    double v = call.input(1).get(i);
                    double s = 1 / (1 + Math.exp(-beta * v));
                    call.out().set(i, call.input(0).get(i) * (s + beta * v * s * (1 - s)));
                }
            })
            .backward(Swish::backwardOfGradient)
            .build();

    private static <D extends Floating, Dev extends DeviceType> void backward(CustomOp.BackwardCall<D, Dev> call) {
        call.give(0, SWISH_GRAD.with(call.parameter(0)).apply(call.gradient(), call.input(0)));
    }

    private static <D extends Floating, Dev extends DeviceType> void backwardOfGradient(
            CustomOp.BackwardCall<D, Dev> call) {
        double beta = call.parameter(0);
        Tensor<Any, D, Dev> x = call.input(1);
        if (call.needs(0)) {
            call.give(0, SWISH_GRAD.with(beta).apply(call.gradient(), x));
        }
        if (call.needs(1)) {
            // beta s (1 - s) (2 + beta x (1 - 2 s))
            Tensor<Any, D, Dev> s = F.sigmoid(x.mul(beta));
            Tensor<Any, D, Dev> bend = x.mul(beta).mul(s.mul(-2).add(1)).add(2);
            Tensor<Any, D, Dev> second = s.mul(s.neg().add(1)).mul(bend).mul(beta);
            call.give(1, call.gradient().mul(call.input(0)).mul(second));
        }
    }
}
