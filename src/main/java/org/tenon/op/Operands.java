package org.tenon.op;

import java.util.Arrays;
import org.tenon.spi.Strided;

/** Row-major forms of some operands for as long as a kernel needs them; an absent one, null, stays so. */
final class Operands implements AutoCloseable {
    private final Dense[] all;

    private Operands(Dense[] all) {
        this.all = all;
    }

    static Operands of(Value... values) {
        return new Operands(Arrays.stream(values)
                .map(each -> each == null ? null : Dense.of(each))
                .toArray(Dense[]::new));
    }

    Value value(int i) {
        return all[i] == null ? null : all[i].value();
    }

    Strided strided(int i) {
        return all[i] == null ? null : all[i].value().strided();
    }

    @Override
    public void close() {
        for (Dense each : all) {
            if (each != null) {
                each.close();
            }
        }
    }
}
