package org.tenon.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Functions of a vector of floats, out of operations that give the same bits whether a method is interpreted or compiled.
 * The Vector API's own transcendental functions and its sum over lanes do not: the former come from another library once
 * compiled, the latter adds in another order.
 */
final class VectorMath {
    static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    static final int WIDTH = SPECIES.length();

    private static final float LOG2E = 1.44269504f;
    private static final float LN2_HIGH = 0.693359375f;
    private static final float LN2_LOW = -2.12194440e-4f;
    private static final float ROUND = 0x1.8p23f;
    /** Its last bits are those of an integer added to it, plus 127, the bias of an exponent. */
    private static final float BIASED = ROUND + 127;

    private static final float NEAR_ZERO = -87.3f;
    private static final int BITS_OF_ROOT_HALF = Float.floatToRawIntBits((float) Math.sqrt(0.5));
    private static final float TANH_SMALL = 0.625f;

    private static final VectorShuffle<Float> BY_8 = VectorShuffle.fromOp(SPECIES, i -> i ^ 8 & WIDTH - 1);
    private static final VectorShuffle<Float> BY_4 = VectorShuffle.fromOp(SPECIES, i -> i ^ 4 & WIDTH - 1);
    private static final VectorShuffle<Float> BY_2 = VectorShuffle.fromOp(SPECIES, i -> i ^ 2 & WIDTH - 1);
    private static final VectorShuffle<Float> BY_1 = VectorShuffle.fromOp(SPECIES, i -> i ^ 1);

    private VectorMath() {}

    /** The sum of the lanes, of halves, quarters and so on. */
    static float sum(FloatVector v) {
        FloatVector s = v;
        if (WIDTH >= 16) {
            s = s.add(s.rearrange(BY_8));
        }
        if (WIDTH >= 8) {
            s = s.add(s.rearrange(BY_4));
        }
        return pairs(s);
    }

    private static float pairs(FloatVector v) {
        FloatVector s = v.add(v.rearrange(BY_2));
        return s.add(s.rearrange(BY_1)).lane(0);
    }

    /** {@code e^v}, everywhere. */
    static FloatVector exp(FloatVector v) {
        FloatVector clamped = v.max(-104f).min(89f);
        FloatVector k = clamped.fma(FloatVector.broadcast(SPECIES, LOG2E), FloatVector.broadcast(SPECIES, ROUND))
                .sub(ROUND);
        FloatVector p = power(k, clamped);
        IntVector exponent = (IntVector) k.convertShape(VectorOperators.F2I, INTS, 0);
        IntVector half = exponent.lanewise(VectorOperators.ASHR, 1);
        FloatVector scale = half.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
        FloatVector rest =
                exponent.sub(half).add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
        return p.mul(scale).mul(rest);
    }

    /** {@code e^v} for v below 88, 0 where that is no normal number: what a softmax needs, at half the price. */
    static FloatVector expBelow(FloatVector v) {
        FloatVector shifted = v.fma(FloatVector.broadcast(SPECIES, LOG2E), FloatVector.broadcast(SPECIES, BIASED));
        FloatVector scale =
                shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
        return power(shifted.sub(BIASED), v).mul(scale).blend(0f, v.compare(VectorOperators.LT, NEAR_ZERO));
    }

    /**
     * {@code e^r} for {@code r = v - k ln2} in {@code [-ln2 / 2, ln2 / 2]}: the polynomial of degree 6 with p(0) = 1 of the
     * least relative error, 4e-9.
     */
    private static FloatVector power(FloatVector k, FloatVector v) {
        FloatVector r = k.fma(FloatVector.broadcast(SPECIES, -LN2_HIGH), v);
        r = k.fma(FloatVector.broadcast(SPECIES, -LN2_LOW), r);
        FloatVector p = FloatVector.broadcast(SPECIES, 0.0013948640636371077f);
        p = p.fma(r, FloatVector.broadcast(SPECIES, 0.008381157190351799f));
        p = p.fma(r, FloatVector.broadcast(SPECIES, 0.04166623985914626f));
        p = p.fma(r, FloatVector.broadcast(SPECIES, 0.16666325010553992f));
        p = p.fma(r, FloatVector.broadcast(SPECIES, 0.5000000081043141f));
        p = p.fma(r, FloatVector.broadcast(SPECIES, 1.0000000648778367f));
        return p.fma(r, FloatVector.broadcast(SPECIES, 1f));
    }

    /**
     * {@code log v}: {@code e ln2 + log m} with {@code m} between the roots of 1/2 and 2, and {@code log m = 2 artanh s} for
     * {@code s = (m - 1) / (m + 1)}, whose series is short there.
     */
    static FloatVector log(FloatVector v) {
        VectorMask<Float> small = v.compare(VectorOperators.LT, Float.MIN_NORMAL);
        FloatVector normal = v.blend(v.mul(0x1p23f), small);
        IntVector bits = normal.reinterpretAsInts();
        IntVector exponent = bits.sub(BITS_OF_ROOT_HALF).lanewise(VectorOperators.ASHR, 23);
        FloatVector m = bits.sub(exponent.lanewise(VectorOperators.LSHL, 23)).reinterpretAsFloats();
        FloatVector e = (FloatVector) exponent.convertShape(VectorOperators.I2F, SPECIES, 0);
        e = e.blend(e.sub(23f), small);
        FloatVector s = m.sub(1f).div(m.add(1f));
        FloatVector z = s.mul(s);
        FloatVector p = FloatVector.broadcast(SPECIES, 2f / 9);
        p = p.fma(z, FloatVector.broadcast(SPECIES, 2f / 7));
        p = p.fma(z, FloatVector.broadcast(SPECIES, 2f / 5));
        p = p.fma(z, FloatVector.broadcast(SPECIES, 2f / 3));
        FloatVector tail = p.mul(z).mul(s);
        FloatVector result =
                e.fma(FloatVector.broadcast(SPECIES, LN2_LOW), tail).add(s.add(s));
        result = e.fma(FloatVector.broadcast(SPECIES, LN2_HIGH), result);
        result = result.blend(v, v.compare(VectorOperators.EQ, Float.POSITIVE_INFINITY));
        result = result.blend(v, v.test(VectorOperators.IS_NAN));
        result = result.blend(Float.NEGATIVE_INFINITY, v.compare(VectorOperators.EQ, 0f));
        return result.blend(Float.NaN, v.compare(VectorOperators.LT, 0f));
    }

    /** {@code tanh v}: an odd polynomial near 0, with a relative error of 4e-9, else {@code 1 - 2 / (e^(2|v|) + 1)}. */
    static FloatVector tanh(FloatVector v) {
        FloatVector z = v.mul(v);
        FloatVector q = FloatVector.broadcast(SPECIES, -0.005704986326826767f);
        q = q.fma(z, FloatVector.broadcast(SPECIES, 0.020639086567731377f));
        q = q.fma(z, FloatVector.broadcast(SPECIES, -0.05373971484571029f));
        q = q.fma(z, FloatVector.broadcast(SPECIES, 0.13331442194748425f));
        q = q.fma(z, FloatVector.broadcast(SPECIES, -0.33333281941853726f));
        FloatVector near = q.mul(z).fma(v, v);
        FloatVector magnitude = v.abs();
        FloatVector e = expBelow(magnitude.mul(-2f));
        FloatVector far = e.mul(-2f).div(e.add(1f)).add(1f);
        far = far.blend(far.neg(), v.compare(VectorOperators.LT, 0f));
        return far.blend(near, magnitude.compare(VectorOperators.LT, TANH_SMALL));
    }

    /** {@code v} times the normal distribution function of v. */
    static FloatVector gelu(FloatVector v) {
        FloatVector a = v.abs().min(GaussianTail.END);
        return v.mul(below(v, tail(a, bell(a))));
    }

    /** The derivative of {@link #gelu}: the distribution function, and v times the density. */
    static FloatVector geluSlope(FloatVector v) {
        FloatVector a = v.abs().min(GaussianTail.END);
        FloatVector e = bell(a);
        return e.mul(GaussianTail.DENSITY).fma(v, below(v, tail(a, e)));
    }

    private static FloatVector below(FloatVector v, FloatVector tail) {
        return tail.blend(tail.neg().add(1f), v.compare(VectorOperators.GT, 0f));
    }

    /** {@code e^(-a^2 / 2)}; what the square loses to rounding is made up for. */
    private static FloatVector bell(FloatVector a) {
        FloatVector square = a.mul(a);
        FloatVector lost = a.fma(a, square.neg());
        FloatVector e = expBelow(square.mul(-0.5f));
        return e.fma(lost.mul(-0.5f), e);
    }

    private static FloatVector tail(FloatVector a, FloatVector bell) {
        FloatVector t = FloatVector.broadcast(SPECIES, 1f)
                .div(a.fma(FloatVector.broadcast(SPECIES, GaussianTail.K), FloatVector.broadcast(SPECIES, 1f)));
        FloatVector p = FloatVector.broadcast(SPECIES, GaussianTail.P9);
        p = p.fma(t, FloatVector.broadcast(SPECIES, GaussianTail.P8));
        p = p.fma(t, FloatVector.broadcast(SPECIES, GaussianTail.P7));
        p = p.fma(t, FloatVector.broadcast(SPECIES, GaussianTail.P6));
        p = p.fma(t, FloatVector.broadcast(SPECIES, GaussianTail.P5));
        p = p.fma(t, FloatVector.broadcast(SPECIES, GaussianTail.P4));
        p = p.fma(t, FloatVector.broadcast(SPECIES, GaussianTail.P3));
        p = p.fma(t, FloatVector.broadcast(SPECIES, GaussianTail.P2));
        p = p.fma(t, FloatVector.broadcast(SPECIES, GaussianTail.P1));
        p = p.fma(t, FloatVector.broadcast(SPECIES, GaussianTail.P0));
        return p.mul(t).mul(bell);
    }
}
