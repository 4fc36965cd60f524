package org.tenon.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.tenon.DType;
import org.tenon.spi.Buffer;
import org.tenon.spi.Strided;
import org.tenon.spi.UpdateStep;

/** Steps of gradient descent where the data lies have the bits of those on arrays. */
@Tag("plain")
class UpdatesTest {
    private final CpuBackend cpu = new CpuBackend();

    private static float[] values(int n, long seed) {
        Random random = new Random(seed);
        float[] x = new float[n];
        for (int i = 0; i < n; i++) {
            x[i] = (float) random.nextGaussian();
        }
        return x;
    }

    private Strided dense(float[] values) {
        Buffer buffer = cpu.allocator().allocate((long) values.length * Float.BYTES);
        Strided all = new Strided(buffer, DType.F32, 0, new long[] {values.length}, new long[] {1});
        MemorySegment.copy(values, 0, CpuBuffer.floats(all), ValueLayout.JAVA_FLOAT, 0, values.length);
        return all;
    }

    @Test
    void descentHasTheBitsOfArrays() {
        for (int n : new int[] {1, 15, 16, 17, 4096 + 33, 100_003}) {
            for (double momentum : new double[] {0, 0.9}) {
                for (double decay : new double[] {0, 0.01}) {
                    for (boolean first : new boolean[] {false, true}) {
                        check(n, new UpdateStep.Sgd(0.1, momentum, 0.2, decay, false, first));
                    }
                    check(n, new UpdateStep.Sgd(0.1, momentum, 0, decay, momentum > 0, false));
                }
            }
        }
    }

    private void check(int n, UpdateStep.Sgd step) {
        float[] p = values(n, 1);
        float[] g = values(n, 2);
        float[] v = step.momentum() == 0 ? null : values(n, 3);
        Strided[] row = {dense(p), dense(g), v == null ? null : dense(v)};
        Updates.update(step, new Strided[][] {row});
        FloatUpdates.sgd(p, g, v, step, n);
        assertThat(CpuBuffer.floats(row[0]).toArray(ValueLayout.JAVA_FLOAT))
                .as(n + " by " + step)
                .isEqualTo(p);
        if (v != null) {
            assertThat(CpuBuffer.floats(row[2]).toArray(ValueLayout.JAVA_FLOAT)).isEqualTo(v);
        }
        for (Strided each : row) {
            if (each != null) {
                cpu.allocator().free(each.buffer());
            }
        }
    }
}
