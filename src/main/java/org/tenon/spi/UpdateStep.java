package org.tenon.spi;

/**
 * The rule of an optimizer with the numbers of one step. It tells {@link Kernels#update} what the states of a parameter are
 * and what becomes of them: {@code p} is the parameter, {@code g} its gradient, {@code d} the direction of the step.
 */
public sealed interface UpdateStep {
    /**
     * Gradient descent: {@code d = g + weightDecay * p}; with a velocity {@code v = first ? d : momentum * v + (1 - dampening) * d},
     * and {@code d = nesterov ? d + momentum * v : v}; {@code p -= lr * d}. States: {@code v}, or null.
     *
     * @param lr the learning rate
     * @param momentum 0 for none, in which case v is null
     * @param dampening of the momentum
     * @param weightDecay the L2 penalty
     * @param nesterov whether to look ahead
     * @param first whether v holds nothing yet
     */
    record Sgd(double lr, double momentum, double dampening, double weightDecay, boolean nesterov, boolean first)
            implements UpdateStep {}

    /**
     * Adam: {@code m = beta1 m + (1 - beta1) g}, {@code v = beta2 v + (1 - beta2) g^2},
     * {@code p -= lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)}; weight decay is added to g, or, decoupled,
     * {@code p *= 1 - lr * weightDecay} first. States: {@code m}, {@code v}.
     *
     * @param lr the learning rate
     * @param beta1 the decay of the first moment
     * @param beta2 the decay of the second
     * @param eps added to the denominator
     * @param weightDecay the penalty
     * @param decoupled whether the penalty is AdamW's
     * @param t the number of this step, from 1
     */
    record Adam(double lr, double beta1, double beta2, double eps, double weightDecay, boolean decoupled, long t)
            implements UpdateStep {}

    /**
     * RMSprop: {@code g += weightDecay * p}, {@code s = alpha s + (1 - alpha) g^2}; with a mean {@code m = alpha m + (1 - alpha) g}
     * the root is that of {@code s - m^2}; {@code d = g / (sqrt(s) + eps)}; with a velocity {@code v = momentum * v + d} and
     * {@code d = v}; {@code p -= lr * d}. States: {@code s}, {@code m} or null, {@code v} or null.
     *
     * @param lr the learning rate
     * @param alpha the decay of the mean square
     * @param eps added to the root
     * @param weightDecay the L2 penalty
     * @param momentum of the steps, where there is a velocity
     */
    record Rmsprop(double lr, double alpha, double eps, double weightDecay, double momentum) implements UpdateStep {}

    /**
     * Adagrad: {@code g += weightDecay * p}, {@code s += g^2}, {@code p -= lr * g / (sqrt(s) + eps)}. States: {@code s}.
     *
     * @param lr the learning rate of this step
     * @param eps added to the root
     * @param weightDecay the L2 penalty
     */
    record Adagrad(double lr, double eps, double weightDecay) implements UpdateStep {}

    /**
     * Lion: {@code p = p (1 - lr * weightDecay) - lr * sign(beta1 m + (1 - beta1) g)}, {@code m = beta2 m + (1 - beta2) g}. States:
     * {@code m}.
     *
     * @param lr the learning rate
     * @param beta1 how much of the mean gradient goes into a step
     * @param beta2 the decay of the mean gradient
     * @param weightDecay the penalty
     */
    record Lion(double lr, double beta1, double beta2, double weightDecay) implements UpdateStep {}
}
