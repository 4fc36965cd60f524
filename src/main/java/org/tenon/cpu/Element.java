package org.tenon.cpu;

import org.tenon.BF16;
import org.tenon.Bool;
import org.tenon.DType;
import org.tenon.F16;
import org.tenon.F32;
import org.tenon.F64;
import org.tenon.I32;
import org.tenon.I64;

/** The element types as an enum, which switches faster than a class does, and what each is computed in. */
enum Element {
    F32(Domain.FLOAT, 4),
    F16(Domain.FLOAT, 2),
    BF16(Domain.FLOAT, 2),
    F64(Domain.DOUBLE, 8),
    I32(Domain.LONG, 4),
    I64(Domain.LONG, 8),
    BOOL(Domain.LONG, 1);

    /** The type of the arrays that a chunk is computed in. */
    enum Domain {
        FLOAT,
        DOUBLE,
        LONG
    }

    private final Domain domain;
    private final int bytes;

    Element(Domain domain, int bytes) {
        this.domain = domain;
        this.bytes = bytes;
    }

    static Element of(DType dtype) {
        return switch (dtype) {
            case F32 f -> F32;
            case F64 f -> F64;
            case F16 f -> F16;
            case BF16 f -> BF16;
            case I32 i -> I32;
            case I64 i -> I64;
            case Bool b -> BOOL;
        };
    }

    Domain domain() {
        return domain;
    }

    int bytes() {
        return bytes;
    }

    /** Whether this is float16 or bfloat16. */
    boolean half() {
        return this == F16 || this == BF16;
    }

    /** The error for an op that this type does not have; ops are checked earlier, so meeting it is a bug. */
    IllegalStateException undefined(Enum<?> op) {
        return new IllegalStateException(op + " is not defined for " + this + "; the op should have refused it");
    }
}
