package org.tenon;

/**
 * The type of a tensor's elements. {@link Floating} types are {@link F32}, {@link F64}, {@link F16} and {@link BF16};
 * {@link Integral} types are {@link I32} and {@link I64}; then there is {@link Bool}. An op that makes sense for floating
 * types only says so in its signature.
 */
public abstract sealed class DType permits Floating, Integral, Bool {
    /** 32-bit floating point, {@code torch.float32}. */
    public static final F32 F32 = new F32();

    /** 64-bit floating point, {@code torch.float64}. */
    public static final F64 F64 = new F64();

    /** 16-bit floating point, {@code torch.float16}. */
    public static final F16 F16 = new F16();

    /** The upper half of a float32, {@code torch.bfloat16}. */
    public static final BF16 BF16 = new BF16();

    /** 32-bit integer, {@code torch.int32}. */
    public static final I32 I32 = new I32();

    /** 64-bit integer, {@code torch.int64}. */
    public static final I64 I64 = new I64();

    /** True or false, {@code torch.bool}. */
    public static final Bool BOOL = new Bool();

    private final String name;
    private final int bytes;

    DType(String name, int bytes) {
        this.name = name;
        this.bytes = bytes;
    }

    /** Bytes an element takes. */
    public final int bytes() {
        return bytes;
    }

    /** Whether this is a floating type. */
    public final boolean isFloating() {
        return this instanceof Floating;
    }

    /** PyTorch's name: {@code float32}. */
    @Override
    public final String toString() {
        return name;
    }
}
