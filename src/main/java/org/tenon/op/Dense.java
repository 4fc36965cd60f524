package org.tenon.op;

/** A row-major form of an operand for as long as a kernel needs it: the operand itself, or a copy that goes away after. */
final class Dense implements AutoCloseable {
    private final Value original;
    private final Value value;

    private Dense(Value original) {
        this.original = original;
        this.value = Copies.contiguous(original);
    }

    static Dense of(Value x) {
        return new Dense(x);
    }

    Value value() {
        return value;
    }

    @Override
    public void close() {
        if (value != original) {
            value.close();
        }
    }
}
