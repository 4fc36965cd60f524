package org.tenon.op;

import static org.tenon.op.UnaryGradients.minus;
import static org.tenon.op.UnaryGradients.over;
import static org.tenon.op.UnaryGradients.plus;
import static org.tenon.op.UnaryGradients.scale;
import static org.tenon.op.UnaryGradients.shift;
import static org.tenon.op.UnaryGradients.times;

import org.tenon.spi.UnaryOp;

/** Steps of optimizers made of elementwise ops; half types in float32. For those with a kernel of their own see {@link Updates}. */
public final class ComposedUpdates {
    private ComposedUpdates() {}

    /**
     * The constants of {@link #rmsprop}.
     *
     * @param lr the learning rate
     * @param alpha the decay of the mean square
     * @param eps added to the root
     * @param weightDecay the L2 penalty
     * @param momentum of the steps, where there is a buffer of them
     */
    public record RmspropStep(double lr, double alpha, double eps, double weightDecay, double momentum) {}

    /** {@code mean} is null unless centred, {@code momentum} where there is none. */
    public static void rmsprop(Value p, Value gradient, Value square, Value mean, Value momentum, RmspropStep step) {
        Updates.check("rmsprop", p, gradient, square, mean, momentum);
        inPlace(() -> {
            Value g = decayed(p, gradient, step.weightDecay());
            Value v = mixed(square, step.alpha(), times(g, g));
            Value variance = v;
            if (mean != null) {
                Value a = mixed(mean, step.alpha(), g);
                variance = minus(v, times(a, a));
            }
            Value d = over(g, shift(UnaryGradients.call(UnaryOp.SQRT, variance), step.eps()));
            if (momentum != null) {
                d = plus(scale(Copies.widened(momentum), step.momentum()), d);
                Copies.into(momentum, d);
            }
            Copies.into(p, minus(Copies.widened(p), scale(d, step.lr())));
        });
    }

    /** {@code lr} is that of this step. */
    public static void adagrad(Value p, Value gradient, Value sum, double lr, double eps, double weightDecay) {
        Updates.check("adagrad", p, gradient, sum);
        inPlace(() -> {
            Value g = decayed(p, gradient, weightDecay);
            Value s = plus(Copies.widened(sum), times(g, g));
            Copies.into(sum, s);
            Value d = over(g, shift(UnaryGradients.call(UnaryOp.SQRT, s), eps));
            Copies.into(p, minus(Copies.widened(p), scale(d, lr)));
        });
    }

    /** {@code m} is the mean gradient. */
    public static void lion(
            Value p, Value gradient, Value m, double lr, double beta1, double beta2, double weightDecay) {
        Updates.check("lion", p, gradient, m);
        inPlace(() -> {
            Value g = Copies.widened(gradient);
            Value blend = plus(scale(Copies.widened(m), beta1), scale(g, 1 - beta1));
            Value step = scale(UnaryGradients.call(UnaryOp.SIGN, blend), lr);
            Copies.into(p, minus(scale(Copies.widened(p), 1 - lr * weightDecay), step));
            mixed(m, beta2, g);
        });
    }

    private static Value decayed(Value p, Value gradient, double weightDecay) {
        Value g = Copies.widened(gradient);
        return weightDecay == 0 ? g : plus(g, scale(Copies.widened(p), weightDecay));
    }

    /** {@code decay * state + (1 - decay) * news}, which becomes the state. */
    private static Value mixed(Value state, double decay, Value news) {
        Value mixed = plus(scale(Copies.widened(state), decay), scale(news, 1 - decay));
        Copies.into(state, mixed);
        return mixed;
    }

    private static void inPlace(Runnable body) {
        Frame.results(() -> GradMode.off(() -> {
            body.run();
            return new Value[0];
        }));
    }
}
