package org.tenon;

import java.util.List;

/**
 * An op was asked for something it cannot do: wrong shape, dim, dtype, device or value. The message says what is wrong,
 * with the values, and what would be right. Thrown before anything is allocated.
 */
public final class TensorArgumentException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final String op;
    private final transient List<String> operands;

    /** {@code op} names the operation, {@code problem} reads {@code <what is wrong>; <what is right>}. */
    public TensorArgumentException(String op, String problem) {
        this(op, problem, List.of());
    }

    /** As above, with a description of each operand, such as {@code float32[2, 5] on cpu}. */
    public TensorArgumentException(String op, String problem, List<String> operands) {
        super(op + ": " + problem);
        this.op = op;
        this.operands = List.copyOf(operands);
    }

    /** The operation that refused. */
    public String op() {
        return op;
    }

    /** What it was given: dtype, shape and device of each tensor, where there were any. */
    public List<String> operands() {
        return operands == null ? List.of() : operands;
    }
}
