package org.tenon.softmax;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tenon.Cpu;
import org.tenon.Device;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;

/** There are two NaNs, of either sign; which one comes out must not change when the JVM compiles what it has interpreted. */
class NanRowsTest {
    @ParameterizedTest
    @CsvSource({"3, 30000", "40, 10000", "5000, 2000"})
    void aNanAmongMinusInfinities(int length, int runs) {
        Device<Cpu> device = Devices.cpu();
        float[] rows = new float[2 * length];
        Arrays.fill(rows, Float.NEGATIVE_INFINITY);
        rows[length / 2] = Float.NaN;
        rows[length] = Float.NaN;
        Scope.run(() -> {
            Tensor<R1<Dim>, F32, Cpu> flat = device.tensor(rows);
            Tensor<R2<Dim, Dim>, F32, Cpu> x = flat.reshape(R2.of(2, length));
            int[] first = bits(x);
            for (int i = 0; i < runs; i++) {
                assertThat(Arrays.mismatch(bits(x), first)).as("in run " + i).isEqualTo(-1);
            }
        });
    }

    /** Of softmax and of log-softmax. */
    private static int[] bits(Tensor<R2<Dim, Dim>, F32, Cpu> x) {
        return Scope.call(() -> {
            int[] softmax = raw(F.softmax(x, -1));
            int[] both = Arrays.copyOf(softmax, 2 * softmax.length);
            System.arraycopy(raw(F.logSoftmax(x, -1)), 0, both, softmax.length, softmax.length);
            return both;
        });
    }

    private static int[] raw(Tensor<R2<Dim, Dim>, F32, Cpu> x) {
        float[] values = x.toFloatArray();
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(values[i]);
        }
        return bits;
    }
}
