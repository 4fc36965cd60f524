package org.tenon;

/** A tensor, scope, graph or device is not in a state that allows what was asked: closed, consumed, modified, absent. */
public class TensorStateException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    private final String op;

    /** {@code op} names the operation, {@code problem} reads {@code <what is wrong>; <what is right>}. */
    public TensorStateException(String op, String problem) {
        super(op.isEmpty() ? problem : op + ": " + problem);
        this.op = op;
    }

    /** The operation that refused. */
    public String op() {
        return op;
    }
}
