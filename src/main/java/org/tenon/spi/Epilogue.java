package org.tenon.spi;

/**
 * What comes after a product: {@code residual + dropout(activation(x + bias))}, each part of which may be absent. All operands are
 * contiguous and of one floating type.
 *
 * @param activation RELU, GELU, GELU_TANH, SILU, TANH, SIGMOID, or null
 * @param bias one for each element of the last axis, or null
 * @param dropout which elements stay, or null
 * @param residual as many as x has, or null
 */
public record Epilogue(UnaryOp activation, Strided bias, Dropout dropout, Strided residual) {
    /** The activation's derivative, times a gradient. */
    public BinaryOp slope() {
        return switch (activation) {
            case RELU -> BinaryOp.RELU_GRAD;
            case GELU -> BinaryOp.GELU_GRAD;
            case GELU_TANH -> BinaryOp.GELU_TANH_GRAD;
            case SILU -> BinaryOp.SILU_GRAD;
            case TANH -> BinaryOp.TANH_GRAD;
            case SIGMOID -> BinaryOp.SIGMOID_GRAD;
            default -> throw new IllegalStateException(activation + " is no activation");
        };
    }

    /** The activation where its derivative is that at its result, else null. RELU's is the same at both. */
    public UnaryOp beforeSlope() {
        return activation == UnaryOp.TANH || activation == UnaryOp.SIGMOID ? activation : null;
    }

    /** The size of the rows to each of which {@code bias} is added; 1 without one. */
    public long length() {
        return bias == null ? 1 : bias.count();
    }
}
