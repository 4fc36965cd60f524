package org.tenon;

/**
 * Along which axis a softmax goes: {@code SoftmaxOptions.along(-1)}, and with {@link #dtype} what the input is cast to first.
 *
 * @param dim the axis; negative counts from the end
 */
public record SoftmaxOptions(int dim) {
    /** Along this axis, in the input's element type. */
    public static SoftmaxOptions along(int dim) {
        return new SoftmaxOptions(dim);
    }

    /** The same with the input cast to {@code dtype}, which the result then has. */
    public <D extends Floating> As<D> dtype(D dtype) {
        return new As<>(dim, dtype);
    }

    /**
     * Options with an element type.
     *
     * @param dim the axis; negative counts from the end
     * @param dtype the element type of the computation and of the result
     * @param <D> that type
     */
    public record As<D extends Floating>(int dim, D dtype) {}
}
