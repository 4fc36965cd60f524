package org.tenon.spi;

/**
 * A normalisation of rows, {@code y = (x - mean) * scale * weight + bias} with {@code scale = 1 / sqrt(var + eps)}: layer norm,
 * or without a mean RMS norm, whose {@code var} is the mean square. All operands are contiguous.
 *
 * @param rows the rows, of neighbouring elements: {@code inner} is 1
 * @param eps what is added to the variance
 * @param weight one a column, of the type of x, or null for ones
 * @param bias one a column, or null for zeros
 * @param mean one a row, float64 where x is, else float32; null for RMS norm
 * @param scale one a row, of the type of {@code mean}
 */
public record Norm(Rows rows, double eps, Strided weight, Strided bias, Strided mean, Strided scale) {
    /** Whether the mean is taken away. */
    public boolean centred() {
        return mean != null;
    }
}
