package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Strided;
import org.tenon.spi.UpdateStep;

/** The numbers of an optimizer's rule as the kernels take them. */
final class RuleNumbers {
    /** How many. */
    static final int COUNT = 16;

    private RuleNumbers() {}

    /** Writes them in the order of the kernels' structure, those that a rule lacks as 0; {@code row} is a parameter of it. */
    static void write(UpdateStep step, Strided[] row, Longs to) {
        DType dtype = row[0].dtype();
        switch (step) {
            case UpdateStep.Sgd s ->
                to.value(Types.bits(dtype, s.lr()))
                        .value(Types.bits(dtype, s.momentum()))
                        .value(Types.bits(dtype, 1 - s.dampening()))
                        .value(Types.bits(dtype, s.weightDecay()))
                        .value(s.nesterov() ? 1 : 0)
                        .value(s.first() ? 1 : 0)
                        .zeros(10);
            case UpdateStep.Adam s ->
                to.zeros(3)
                        .value(Types.bits(dtype, s.decoupled() ? 0 : s.weightDecay()))
                        .zeros(2)
                        .value(Types.bits(dtype, s.beta1()))
                        .value(Types.bits(dtype, s.beta2()))
                        .value(Types.bits(dtype, 1 - s.beta1()))
                        .value(Types.bits(dtype, 1 - s.beta2()))
                        .value(Types.bits(dtype, s.lr() / (1 - Math.pow(s.beta1(), s.t()))))
                        .value(Types.bits(dtype, 1 / Math.sqrt(1 - Math.pow(s.beta2(), s.t()))))
                        .value(Types.bits(dtype, s.eps()))
                        .value(Types.bits(dtype, s.decoupled() ? 1 - s.lr() * s.weightDecay() : 1))
                        .zeros(2);
            case UpdateStep.Rmsprop s ->
                to.value(Types.bits(dtype, s.lr()))
                        .value(Types.bits(dtype, s.momentum()))
                        .value(0)
                        .value(Types.bits(dtype, s.weightDecay()))
                        .zeros(2)
                        .value(Types.bits(dtype, s.alpha()))
                        .value(0)
                        .value(Types.bits(dtype, 1 - s.alpha()))
                        .zeros(3)
                        .value(Types.bits(dtype, s.eps()))
                        .value(0)
                        .value(row[3] == null ? 0 : 1)
                        .value(row[4] == null ? 0 : 1);
            case UpdateStep.Adagrad s ->
                to.value(Types.bits(dtype, s.lr()))
                        .zeros(2)
                        .value(Types.bits(dtype, s.weightDecay()))
                        .zeros(8)
                        .value(Types.bits(dtype, s.eps()))
                        .zeros(3);
            case UpdateStep.Lion s ->
                to.value(Types.bits(dtype, s.lr()))
                        .zeros(5)
                        .value(Types.bits(dtype, s.beta1()))
                        .value(Types.bits(dtype, s.beta2()))
                        .value(Types.bits(dtype, 1 - s.beta1()))
                        .value(Types.bits(dtype, 1 - s.beta2()))
                        .zeros(3)
                        .value(Types.bits(dtype, 1 - s.lr() * s.weightDecay()))
                        .zeros(2);
        }
    }
}
