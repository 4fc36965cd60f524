package org.tenon.junit;

import org.tenon.BF16;
import org.tenon.DType;
import org.tenon.F16;
import org.tenon.F32;
import org.tenon.F64;

/**
 * How far a value may be from the one expected: {@code |actual - expected| <= absolute + relative * |expected|}.
 *
 * @param relative the part of the expected value, 0 or more
 * @param absolute whatever the expected value, 0 or more
 */
public record Tolerance(double relative, double absolute) {
    /** No difference at all. */
    public static final Tolerance EXACT = new Tolerance(0, 0);

    /** Refuses negative numbers and NaN. */
    public Tolerance {
        if (!(relative >= 0 && absolute >= 0)) {
            throw new IllegalArgumentException(
                    "Tolerance: relative is " + relative + " and absolute " + absolute + "; both are 0 or more");
        }
    }

    /** That of {@code torch.testing.assert_close} for an element type; none for integers and bools. */
    public static Tolerance of(DType dtype) {
        return switch (dtype) {
            case F64 f64 -> new Tolerance(1e-7, 1e-7);
            case F32 f32 -> new Tolerance(1.3e-6, 1e-5);
            case F16 f16 -> new Tolerance(1e-3, 1e-5);
            case BF16 bf16 -> new Tolerance(1.6e-2, 1e-5);
            default -> EXACT;
        };
    }

    double allowed(double expected) {
        return absolute + (relative == 0 ? 0 : relative * Math.abs(expected));
    }

    /** Equal, infinities and NaN among it, or near enough. */
    boolean allows(double actual, double expected) {
        return actual == expected
                || Double.isNaN(actual) && Double.isNaN(expected)
                || Double.isFinite(expected) && Math.abs(actual - expected) <= allowed(expected);
    }
}
