package org.tenon.cpu;

/**
 * The upper tail of the normal distribution, {@code Q(a) = e^(-a^2 / 2) t P(t)} for {@code a >= 0} with
 * {@code t = 1 / (1 + K a)}: P is the polynomial of degree 9 of the least relative error on [0, 14], 3.5e-9, by Lawson's
 * iteration.
 */
final class GaussianTail {
    /** Beyond it the tail is no float. */
    static final float END = 14;

    /** The density at 0, {@code 1 / sqrt(2 pi)}. */
    static final float DENSITY = 0.3989422804f;

    static final float K = 0.3f;
    static final float P0 = 0.11968663495f;
    static final float P1 = 0.11957282433f;
    static final float P2 = 0.11022746539f;
    static final float P3 = 0.07842491572f;
    static final float P4 = 0.09605975630f;
    static final float P5 = -0.07925093409f;
    static final float P6 = 0.19158601406f;
    static final float P7 = -0.22807074673f;
    static final float P8 = 0.11237714920f;
    static final float P9 = -0.02061308086f;

    private GaussianTail() {}

    /** Q(a), given {@code e^(-a^2 / 2)}. */
    static float of(float a, float bell) {
        float t = 1 / (1 + K * a);
        float p = P9 * t + P8;
        p = p * t + P7;
        p = p * t + P6;
        p = p * t + P5;
        p = p * t + P4;
        p = p * t + P3;
        p = p * t + P2;
        p = p * t + P1;
        p = p * t + P0;
        return p * t * bell;
    }
}
