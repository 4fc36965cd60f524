package org.tenon.op;

import org.tenon.DType;
import org.tenon.TensorStateException;

/** What a backward needs of an operand or result: its memory, not the value, which may be closed meanwhile. */
final class Saved {
    private final Storage storage;
    private final DType dtype;
    private final Layout layout;
    private final int version;
    private final Node node;

    private Saved(Value value, Node node) {
        storage = value.storage();
        dtype = value.dtype();
        layout = value.layout();
        version = storage.version();
        this.node = node;
    }

    static Saved of(Value value) {
        if (!value.storage().retain()) {
            throw value.closedError();
        }
        return new Saved(value, value.node());
    }

    Value restore(String op, Node owner, boolean isResult) {
        if (storage.version() != version) {
            throw new TensorStateException(
                    "backward",
                    "a tensor that " + op + " saved was modified in place since; call backward before the update");
        }
        return Value.restore(storage, dtype, layout, GradMode.isOn() ? isResult ? owner : node : null);
    }

    void release() {
        storage.release();
    }
}
