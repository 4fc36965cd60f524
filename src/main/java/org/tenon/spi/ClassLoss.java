package org.tenon.spi;

/**
 * A loss against classes, {@code -weight[t] * logp[t]} for each target t: what its forward and its backward are told. All operands
 * are contiguous.
 *
 * @param rows the rows along the class axis of the input
 * @param target integers, {@code [outer, inner]}
 * @param weight one a class, of the type of the input, or null for ones
 * @param reduction none, mean or sum
 * @param check of the targets; it knows the ignored class
 * @param total a scalar for the sum of the targets' weights, float64 if the input is, else float32; null where nothing is reduced
 */
public record ClassLoss(
        Rows rows, Strided target, Strided weight, LossReduction reduction, IndexCheck check, Strided total) {
    /** Whether there is one loss for all targets. */
    public boolean isReduced() {
        return reduction != LossReduction.NONE;
    }
}
