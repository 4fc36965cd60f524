package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
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
 *
 * <p>Where it costs nothing, a method here calls methods only of vectors that it has made itself, constants among them: the compiler then knows
 * their class. What it has counted of other calls may be too little, and then these calls stay calls and the vectors objects.
 */
final class VectorMath {
    static final VectorSpecies<Float> SPECIES = species();
    static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, SPECIES.vectorShape());
    static final int WIDTH = SPECIES.length();

    private static final float LN2_HIGH = 0.693359375f;
    private static final float LN2_LOW = -2.12194440e-4f;
    private static final float ROUND = 0x1.8p23f;
    /** Its last bits are those of an integer added to it, plus 127, the bias of an exponent. */
    private static final FloatVector BIASED = FloatVector.broadcast(SPECIES, ROUND + 127);
    /** For a scale of half the size, which is a float where the result is infinite. */
    private static final float LESS_BIASED = ROUND + 126;

    private static final int BITS_OF_ROOT_HALF = Float.floatToRawIntBits((float) Math.sqrt(0.5));
    private static final float TANH_SMALL = 0.625f;

    private static final FloatVector LOG2E = FloatVector.broadcast(SPECIES, 1.44269504f);
    private static final FloatVector MINUS_LN2 = FloatVector.broadcast(SPECIES, -0.693147182f);
    private static final FloatVector ZERO = FloatVector.zero(SPECIES);
    /** The exponential of less is no normal number. */
    private static final FloatVector LEAST = FloatVector.broadcast(SPECIES, -87.3f);
    /** The coefficients of {@link #expTerm}. */
    private static final FloatVector TERM_0 = FloatVector.broadcast(SPECIES, 1f);

    private static final FloatVector TERM_1 = FloatVector.broadcast(SPECIES, 0.9999997070141872f);
    private static final FloatVector TERM_2 = FloatVector.broadcast(SPECIES, 0.4999914919275598f);
    private static final FloatVector TERM_3 = FloatVector.broadcast(SPECIES, 0.16667636581798576f);
    private static final FloatVector TERM_4 = FloatVector.broadcast(SPECIES, 0.04189797537453274f);
    private static final FloatVector TERM_5 = FloatVector.broadcast(SPECIES, 0.008290306150254587f);
    static final VectorShuffle<Float> BY_8 = VectorShuffle.fromOp(SPECIES, i -> i ^ 8 & WIDTH - 1);
    static final VectorShuffle<Float> BY_4 = VectorShuffle.fromOp(SPECIES, i -> i ^ 4 & WIDTH - 1);
    static final VectorShuffle<Float> BY_2 = VectorShuffle.fromOp(SPECIES, i -> i ^ 2 & WIDTH - 1);
    static final VectorShuffle<Float> BY_1 = VectorShuffle.fromOp(SPECIES, i -> i ^ 1);

    /** The last lane, the last two, and so on. */
    private static final VectorMask<Float>[] LAST = last();

    private VectorMath() {}

    private static VectorSpecies<Float> species() {
        int most = FloatVector.SPECIES_PREFERRED.vectorBitSize();
        int bits = Settings.vectors();
        if (bits > most) {
            throw Settings.tooWide(most);
        }
        return switch (bits) {
            case 128 -> FloatVector.SPECIES_128;
            case 256 -> FloatVector.SPECIES_256;
            case 512 -> FloatVector.SPECIES_512;
            default -> FloatVector.SPECIES_PREFERRED;
        };
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static VectorMask<Float>[] last() {
        VectorMask<Float>[] masks = new VectorMask[WIDTH];
        for (int i = 0; i < WIDTH; i++) {
            masks[i] = SPECIES.indexInRange(0, WIDTH - 1 - i).not();
        }
        return masks;
    }

    /** The sum of the lanes, of halves, quarters and so on. Adding to zeros is for the class of the vector. */
    static float sum(FloatVector v) {
        FloatVector s = ZERO.add(v);
        s = WIDTH < 16 ? s : s.add(s.rearrange(BY_8));
        s = WIDTH < 8 ? s : s.add(s.rearrange(BY_4));
        s = s.add(s.rearrange(BY_2));
        return s.add(s.rearrange(BY_1)).lane(0);
    }

    /** The last {@code count} lanes, 1 to all of them. */
    static VectorMask<Float> last(int count) {
        return LAST[count - 1];
    }

    /** {@code v} in the last {@code count} lanes, zero before. */
    static FloatVector lastOf(FloatVector v, int count) {
        return ZERO.blend(v, last(count));
    }

    /** {@code e^v}, everywhere: {@code 2^k e^r} in two factors, so that results near the ends of the range are right. */
    static FloatVector exp(FloatVector v) {
        FloatVector c = atMost(v, 89f);
        c = c.blend(-104f, c.compare(VectorOperators.LT, -104f));
        FloatVector shifted = c.fma(LOG2E, FloatVector.broadcast(SPECIES, LESS_BIASED));
        FloatVector p = power(shifted.sub(LESS_BIASED), c);
        VectorMask<Float> tiny = c.compare(VectorOperators.LT, -86f);
        FloatVector scale = shifted.add(32f, tiny)
                .reinterpretAsInts()
                .lanewise(VectorOperators.LSHL, 23)
                .reinterpretAsFloats();
        return p.mul(scale).mul(FloatVector.broadcast(SPECIES, 2f).blend(0x1p-31f, tiny));
    }

    /** The smaller; NaN of NaN. Where it does not matter which zero comes out: {@code min} takes three times as long. */
    private static FloatVector atMost(FloatVector v, float most) {
        return v.blend(most, v.compare(VectorOperators.GT, most));
    }

    /** {@code e^v} for v below 88, 0 where that is no normal number: what functions of e to what is below 0 need. */
    static FloatVector expBelow(FloatVector v) {
        FloatVector shifted = LOG2E.fma(v, BIASED);
        FloatVector scale =
                shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
        return power(shifted.sub(BIASED), v).mul(scale).blend(ZERO, LEAST.compare(VectorOperators.GT, v));
    }

    /**
     * {@code e^v} for v below 88, 0 where that is no normal number, within 5 units in the last place, 2.5 for v above -16: the terms of a
     * softmax, where a term that is off by more is small beside the largest, which is 1. A polynomial of degree 5 with p(0) = 1, whose
     * relative error is 9.2e-8, and the logarithm of 2 as one float.
     */
    static FloatVector expTerm(FloatVector v) {
        FloatVector shifted = LOG2E.fma(v, BIASED);
        FloatVector r = shifted.sub(BIASED).fma(MINUS_LN2, v);
        FloatVector square = r.mul(r);
        FloatVector p = TERM_5.fma(square, r.fma(TERM_4, TERM_3))
                .fma(square, r.fma(TERM_2, TERM_1))
                .fma(r, TERM_0);
        FloatVector scale =
                shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
        return p.mul(scale).blend(ZERO, LEAST.compare(VectorOperators.GT, v));
    }

    /**
     * The sum of {@link #expTerm} of the last {@code count} elements, less {@code shift}, of the vector at {@code at}; all of it is written to
     * {@code out}, if there is one. For what is less than a vector at the end of a row, which is not in a loop: there the compiler would
     * not make the methods above part of it, and the vectors would be objects.
     */
    static float expOfLast(MemorySegment x, MemorySegment out, long at, int count, float shift) {
        FloatVector v = FloatVector.fromMemorySegment(SPECIES, x, at * Float.BYTES, ByteOrder.nativeOrder())
                .sub(shift);
        FloatVector shifted = LOG2E.fma(v, BIASED);
        FloatVector r = shifted.sub(BIASED).fma(MINUS_LN2, v);
        FloatVector square = r.mul(r);
        FloatVector p = TERM_5.fma(square, r.fma(TERM_4, TERM_3))
                .fma(square, r.fma(TERM_2, TERM_1))
                .fma(r, TERM_0);
        FloatVector scale =
                shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
        FloatVector e = p.mul(scale).blend(ZERO, LEAST.compare(VectorOperators.GT, v));
        if (out != null) {
            e.intoMemorySegment(out, at * Float.BYTES, ByteOrder.nativeOrder());
        }
        FloatVector s = ZERO.blend(e, last(count));
        s = WIDTH < 16 ? s : s.add(s.rearrange(BY_8));
        s = WIDTH < 8 ? s : s.add(s.rearrange(BY_4));
        s = s.add(s.rearrange(BY_2));
        return s.add(s.rearrange(BY_1)).lane(0);
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
     * {@code s = (m - 1) / (m + 1)}, whose series is short there. That is {@code f - (f^2 / 2 - s (f^2 / 2 + R))} with {@code f = m - 1},
     * which has no error, and the rest R of the series.
     */
    static FloatVector log(FloatVector x) {
        FloatVector v = ZERO.add(x);
        VectorMask<Float> small = v.compare(VectorOperators.LT, Float.MIN_NORMAL);
        IntVector bits = v.mul(0x1p23f, small).reinterpretAsInts();
        IntVector exponent = bits.sub(BITS_OF_ROOT_HALF).lanewise(VectorOperators.ASHR, 23);
        FloatVector m = bits.sub(exponent.lanewise(VectorOperators.LSHL, 23)).reinterpretAsFloats();
        FloatVector e = ((FloatVector) exponent.convertShape(VectorOperators.I2F, SPECIES, 0)).sub(23f, small);
        FloatVector f = m.sub(1f);
        FloatVector s = f.div(m.add(1f));
        FloatVector z = s.mul(s);
        FloatVector p = FloatVector.broadcast(SPECIES, 2f / 9);
        p = p.fma(z, FloatVector.broadcast(SPECIES, 2f / 7));
        p = p.fma(z, FloatVector.broadcast(SPECIES, 2f / 5));
        p = p.fma(z, FloatVector.broadcast(SPECIES, 2f / 3));
        FloatVector half = f.mul(0.5f).mul(f);
        FloatVector t = s.fma(p.fma(z, half), e.mul(LN2_LOW));
        FloatVector log =
                e.fma(FloatVector.broadcast(SPECIES, LN2_HIGH), t.sub(half).add(f));
        // Of zero, of what is below it, of infinity and of NaN.
        log = log.blend(v, v.lt(Float.POSITIVE_INFINITY).not());
        log = log.blend(Float.NaN, v.compare(VectorOperators.LT, 0f));
        return log.blend(Float.NEGATIVE_INFINITY, v.compare(VectorOperators.EQ, 0f));
    }

    /** {@code e^(-2|v|)}, which {@link #tanh} needs; apart, since both in one loop are too much to inline. */
    static FloatVector tanhPower(FloatVector v) {
        return expBelow(v.abs().mul(-2f));
    }

    /** {@code tanh v}, given {@link #tanhPower}: an odd polynomial near 0, with a relative error of 4e-9, else {@code 1 - 2 e / (1 + e)}. */
    static FloatVector tanh(FloatVector v, FloatVector e) {
        FloatVector z = v.mul(v);
        FloatVector q = FloatVector.broadcast(SPECIES, -0.005704986326826767f);
        q = q.fma(z, FloatVector.broadcast(SPECIES, 0.020639086567731377f));
        q = q.fma(z, FloatVector.broadcast(SPECIES, -0.05373971484571029f));
        q = q.fma(z, FloatVector.broadcast(SPECIES, 0.13331442194748425f));
        q = q.fma(z, FloatVector.broadcast(SPECIES, -0.33333281941853726f));
        FloatVector near = q.mul(z).fma(v, v);
        FloatVector one = FloatVector.broadcast(SPECIES, 1f);
        FloatVector far = one.sub(e.add(e).div(e.add(one)));
        far = far.reinterpretAsInts()
                .or(v.reinterpretAsInts().and(Integer.MIN_VALUE))
                .reinterpretAsFloats();
        return far.blend(near, v.abs().compare(VectorOperators.LT, TANH_SMALL));
    }

    /** {@code max(v, 0)}. */
    static FloatVector relu(FloatVector v) {
        return v.blend(0f, v.compare(VectorOperators.LE, 0f));
    }

    /** {@code 1 / (1 + e^-v)}. */
    static FloatVector sigmoid(FloatVector v) {
        return FloatVector.broadcast(SPECIES, 1f).div(exp(v.neg()).add(1f));
    }

    /** -1, 0 or 1; NaN of NaN. */
    static FloatVector sign(FloatVector v) {
        FloatVector s = FloatVector.zero(SPECIES).blend(1f, v.compare(VectorOperators.GT, 0f));
        s = s.blend(-1f, v.compare(VectorOperators.LT, 0f));
        return s.blend(v, v.test(VectorOperators.IS_NAN));
    }

    /** {@code g} times {@link #sign} of v. */
    static FloatVector absGrad(FloatVector g, FloatVector v) {
        FloatVector s = FloatVector.zero(SPECIES).blend(g, v.compare(VectorOperators.GT, 0f));
        s = s.blend(g.neg(), v.compare(VectorOperators.LT, 0f));
        return s.blend(v, v.test(VectorOperators.IS_NAN));
    }

    /** What {@link #tanh} is taken of for the approximation of GELU. */
    static FloatVector geluTanhArgument(FloatVector v) {
        return v.mul((float) CpuMath.TANH_CUBE).mul(v).mul(v).add(v).mul((float) CpuMath.TANH_SCALE);
    }

    /** The approximation of GELU by {@link #tanh}, given {@link #tanhPower} of {@link #geluTanhArgument} of v. */
    static FloatVector geluTanh(FloatVector v, FloatVector power) {
        return v.mul(0.5f).mul(tanh(geluTanhArgument(v), power).add(1f));
    }

    /** {@code v} times the normal distribution function of v, given {@link #bell} of v. */
    static FloatVector gelu(FloatVector v, FloatVector bell) {
        return v.mul(below(v, tail(atMost(v.abs(), GaussianTail.END), bell)));
    }

    /** The derivative of {@link #gelu}: the distribution function, and v times the density. */
    static FloatVector geluSlope(FloatVector v, FloatVector bell) {
        return bell.mul(GaussianTail.DENSITY).fma(v, below(v, tail(atMost(v.abs(), GaussianTail.END), bell)));
    }

    private static FloatVector below(FloatVector v, FloatVector tail) {
        return tail.blend(FloatVector.broadcast(SPECIES, 1f).sub(tail), v.compare(VectorOperators.GT, 0f));
    }

    /** {@code e^(-v^2 / 2)}, up to the end of {@link GaussianTail}; what the square loses to rounding is made up for. */
    static FloatVector bell(FloatVector v) {
        FloatVector a = atMost(v.abs(), GaussianTail.END);
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
