package org.tenon.cpu;

import org.tenon.spi.UpdateStep;

/** Optimizer steps on a chunk in float32. A state that a rule goes without is null. */
final class FloatUpdates {
    private FloatUpdates() {}

    static void sgd(float[] p, float[] g, float[] v, UpdateStep.Sgd s, int n) {
        float lr = (float) s.lr();
        float momentum = (float) s.momentum();
        float fresh = (float) (1 - s.dampening());
        float decay = (float) s.weightDecay();
        for (int i = 0; i < n; i++) {
            float d = g[i] + decay * p[i];
            if (v != null) {
                v[i] = s.first() ? d : momentum * v[i] + fresh * d;
                d = s.nesterov() ? d + momentum * v[i] : v[i];
            }
            p[i] -= lr * d;
        }
    }

    static void adam(float[] p, float[] g, float[] m, float[] v, UpdateStep.Adam s, int n) {
        float lr = (float) s.lr();
        float b1 = (float) s.beta1();
        float b2 = (float) s.beta2();
        float c1 = (float) (1 - s.beta1());
        float c2 = (float) (1 - s.beta2());
        float step = (float) (s.lr() / (1 - Math.pow(s.beta1(), s.t())));
        float root = (float) (1 / Math.sqrt(1 - Math.pow(s.beta2(), s.t())));
        float eps = (float) s.eps();
        float decay = s.decoupled() ? 0 : (float) s.weightDecay();
        float shrink = s.decoupled() ? 1 - lr * (float) s.weightDecay() : 1;
        for (int i = 0; i < n; i++) {
            float d = g[i] + decay * p[i];
            m[i] = b1 * m[i] + c1 * d;
            v[i] = b2 * v[i] + c2 * d * d;
            p[i] = shrink * p[i] - step * m[i] / ((float) Math.sqrt(v[i]) * root + eps);
        }
    }

    static void rmsprop(float[] p, float[] g, float[] s, float[] m, float[] v, UpdateStep.Rmsprop step, int n) {
        float lr = (float) step.lr();
        float alpha = (float) step.alpha();
        float rest = (float) (1 - step.alpha());
        float eps = (float) step.eps();
        float momentum = (float) step.momentum();
        decay(p, g, (float) step.weightDecay(), n);
        for (int i = 0; i < n; i++) {
            float d = g[i];
            s[i] = s[i] * alpha + d * d * rest;
            float square = s[i];
            if (m != null) {
                m[i] = m[i] * alpha + d * rest;
                square -= m[i] * m[i];
            }
            d /= (float) Math.sqrt(square) + eps;
            if (v != null) {
                v[i] = v[i] * momentum + d;
                d = v[i];
            }
            p[i] -= d * lr;
        }
    }

    static void adagrad(float[] p, float[] g, float[] s, UpdateStep.Adagrad step, int n) {
        float lr = (float) step.lr();
        float eps = (float) step.eps();
        decay(p, g, (float) step.weightDecay(), n);
        for (int i = 0; i < n; i++) {
            s[i] += g[i] * g[i];
            p[i] -= g[i] / ((float) Math.sqrt(s[i]) + eps) * lr;
        }
    }

    static void lion(float[] p, float[] g, float[] m, UpdateStep.Lion step, int n) {
        float lr = (float) step.lr();
        float b1 = (float) step.beta1();
        float b2 = (float) step.beta2();
        float c1 = (float) (1 - step.beta1());
        float c2 = (float) (1 - step.beta2());
        float shrink = (float) (1 - step.lr() * step.weightDecay());
        for (int i = 0; i < n; i++) {
            p[i] = p[i] * shrink - Math.signum(m[i] * b1 + g[i] * c1) * lr;
            m[i] = m[i] * b2 + g[i] * c2;
        }
    }

    /** Adds the penalty to the chunk's gradients. Only where there is one: 0 times infinity is no gradient. */
    private static void decay(float[] p, float[] g, float decay, int n) {
        if (decay != 0) {
            for (int i = 0; i < n; i++) {
                g[i] += p[i] * decay;
            }
        }
    }
}
