package org.tenon.cpu;

import org.tenon.spi.Kernels.AdamStep;
import org.tenon.spi.Kernels.SgdStep;
import org.tenon.spi.Strided;

/** Optimizer steps, in place: half types in float32. */
final class Updates {
    private Updates() {}

    static void sgd(Strided p, Strided g, Strided v, SgdStep step) {
        run(p, g, v, null, new Step() {
            @Override
            public void floats(float[][] x, int n) {
                Updates.sgd(x[0], x[1], x[2], step, n);
            }

            @Override
            public void doubles(double[][] x, int n) {
                Updates.sgd(x[0], x[1], x[2], step, n);
            }
        });
    }

    static void adam(Strided p, Strided g, Strided m, Strided v, AdamStep step) {
        run(p, g, m, v, new Step() {
            @Override
            public void floats(float[][] x, int n) {
                Updates.adam(x[0], x[1], x[2], x[3], step, n);
            }

            @Override
            public void doubles(double[][] x, int n) {
                Updates.adam(x[0], x[1], x[2], x[3], step, n);
            }
        });
    }

    /** A step on a chunk of parameter, gradient and states. */
    private interface Step {
        void floats(float[][] x, int n);

        void doubles(double[][] x, int n);
    }

    private static void run(Strided p, Strided g, Strided first, Strided second, Step step) {
        Strided[] operands = {p, g, first, second};
        boolean wide = Element.of(p.dtype()) == Element.F64;
        Parallel.range(p.count(), Parallel.GRAIN, (from, to) -> {
            int size = Elementwise.size(from, to);
            Reader[] readers = new Reader[4];
            Writer[] writers = new Writer[4];
            float[][] floats = new float[4][];
            double[][] doubles = new double[4][];
            for (int i = 0; i < 4; i++) {
                if (operands[i] != null) {
                    readers[i] = new Reader(operands[i], from);
                    writers[i] = i == 1 ? null : new Writer(operands[i], from);
                    floats[i] = wide ? null : new float[size];
                    doubles[i] = wide ? new double[size] : null;
                }
            }
            Elementwise.chunks(from, to, n -> {
                for (int i = 0; i < 4; i++) {
                    if (readers[i] != null && wide) {
                        readers[i].read(doubles[i], n);
                    } else if (readers[i] != null) {
                        readers[i].read(floats[i], n);
                    }
                }
                if (wide) {
                    step.doubles(doubles, n);
                } else {
                    step.floats(floats, n);
                }
                for (int i = 0; i < 4; i++) {
                    if (writers[i] != null && wide) {
                        writers[i].write(doubles[i], n);
                    } else if (writers[i] != null) {
                        writers[i].write(floats[i], n);
                    }
                }
            });
        });
    }

    private static void sgd(float[] p, float[] g, float[] v, SgdStep s, int n) {
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

    private static void adam(float[] p, float[] g, float[] m, float[] v, AdamStep s, int n) {
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

    private static void sgd(double[] p, double[] g, double[] v, SgdStep s, int n) {
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

    private static void adam(double[] p, double[] g, double[] m, double[] v, AdamStep s, int n) {
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
}
