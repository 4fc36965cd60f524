package org.tenon.gpu;

/** Takes longs, one after another. */
interface Longs {
    /** The next one. */
    Longs value(long value);

    /** Zeros. */
    default Longs zeros(int number) {
        for (int i = 0; i < number; i++) {
            value(0);
        }
        return this;
    }
}
