package org.tenon.cpu;

import org.tenon.spi.UpdateStep;

/** Optimizer steps on a chunk in float64. A state that a rule goes without is null. */
final class DoubleUpdates {
    private DoubleUpdates() {}

    static void sgd(double[] p, double[] g, double[] v, UpdateStep.Sgd s, int n) {
        double lr = s.lr();
        double momentum = s.momentum();
        double fresh = (1 - s.dampening());
        double decay = s.weightDecay();
        for (int i = 0; i < n; i++) {
            double d = g[i] + decay * p[i];
            if (v != null) {
                v[i] = s.first() ? d : momentum * v[i] + fresh * d;
                d = s.nesterov() ? d + momentum * v[i] : v[i];
            }
            p[i] -= lr * d;
        }
    }

    static void adam(double[] p, double[] g, double[] m, double[] v, UpdateStep.Adam s, int n) {
        double lr = s.lr();
        double b1 = s.beta1();
        double b2 = s.beta2();
        double c1 = (1 - s.beta1());
        double c2 = (1 - s.beta2());
        double step = (s.lr() / (1 - Math.pow(s.beta1(), s.t())));
        double root = (1 / Math.sqrt(1 - Math.pow(s.beta2(), s.t())));
        double eps = s.eps();
        double decay = s.decoupled() ? 0 : s.weightDecay();
        double shrink = s.decoupled() ? 1 - lr * s.weightDecay() : 1;
        for (int i = 0; i < n; i++) {
            double d = g[i] + decay * p[i];
            m[i] = b1 * m[i] + c1 * d;
            v[i] = b2 * v[i] + c2 * d * d;
            p[i] = shrink * p[i] - step * m[i] / (Math.sqrt(v[i]) * root + eps);
        }
    }

    static void rmsprop(double[] p, double[] g, double[] s, double[] m, double[] v, UpdateStep.Rmsprop step, int n) {
        double lr = step.lr();
        double alpha = step.alpha();
        double rest = (1 - step.alpha());
        double eps = step.eps();
        double momentum = step.momentum();
        decay(p, g, step.weightDecay(), n);
        for (int i = 0; i < n; i++) {
            double d = g[i];
            s[i] = s[i] * alpha + d * d * rest;
            double square = s[i];
            if (m != null) {
                m[i] = m[i] * alpha + d * rest;
                square -= m[i] * m[i];
            }
            d /= Math.sqrt(square) + eps;
            if (v != null) {
                v[i] = v[i] * momentum + d;
                d = v[i];
            }
            p[i] -= d * lr;
        }
    }

    static void adagrad(double[] p, double[] g, double[] s, UpdateStep.Adagrad step, int n) {
        double lr = step.lr();
        double eps = step.eps();
        decay(p, g, step.weightDecay(), n);
        for (int i = 0; i < n; i++) {
            s[i] += g[i] * g[i];
            p[i] -= g[i] / (Math.sqrt(s[i]) + eps) * lr;
        }
    }

    static void lion(double[] p, double[] g, double[] m, UpdateStep.Lion step, int n) {
        double lr = step.lr();
        double b1 = step.beta1();
        double b2 = step.beta2();
        double c1 = (1 - step.beta1());
        double c2 = (1 - step.beta2());
        double shrink = (1 - step.lr() * step.weightDecay());
        for (int i = 0; i < n; i++) {
            p[i] = p[i] * shrink - Math.signum(m[i] * b1 + g[i] * c1) * lr;
            m[i] = m[i] * b2 + g[i] * c2;
        }
    }

    /** Adds the penalty to the chunk's gradients. Only where there is one: 0 times infinity is no gradient. */
    private static void decay(double[] p, double[] g, double decay, int n) {
        if (decay != 0) {
            for (int i = 0; i < n; i++) {
                g[i] += p[i] * decay;
            }
        }
    }
}
