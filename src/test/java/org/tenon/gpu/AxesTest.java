package org.tenon.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Merged axes visit the same elements in the same order as the axes they came from. */
class AxesTest {
    private final Axes axes = new Axes();

    /** Where each element of an operand is, walking through the parts and, as kernels do, through their axes. */
    private List<Long> walked(int operand) {
        List<Long> all = new ArrayList<>();
        for (long part = 0; part < axes.parts(); part++) {
            axes.part(part);
            assertThat(axes.rank()).isBetween(1, Axes.RANK);
            for (long i = 0; i < axes.count(); i++) {
                long rest = i;
                long at = axes.offset(operand);
                for (int d = axes.rank() - 1; d >= 0; d--) {
                    at += rest % axes.size(d) * axes.stride(operand, d);
                    rest /= axes.size(d);
                }
                all.add(at);
            }
        }
        return all;
    }

    private static List<Long> expected(long[] sizes, long[] strides) {
        List<Long> all = new ArrayList<>(List.of(0L));
        for (int d = 0; d < sizes.length; d++) {
            List<Long> next = new ArrayList<>();
            for (long at : all) {
                for (long i = 0; i < sizes[d]; i++) {
                    next.add(at + i * strides[d]);
                }
            }
            all = next;
        }
        return all;
    }

    private static long[] dense(long... sizes) {
        long[] strides = new long[sizes.length];
        long stride = 1;
        for (int d = sizes.length - 1; d >= 0; d--) {
            strides[d] = stride;
            stride *= sizes[d];
        }
        return strides;
    }

    @Test
    void contiguousOperandsHaveOneAxis() {
        long[] sizes = {3, 1, 4, 5};
        axes.set(sizes, dense(sizes), dense(sizes), dense(sizes));
        assertThat(axes.rank()).isEqualTo(1);
        assertThat(axes.size(0)).isEqualTo(60);
        assertThat(axes.isDense(2)).isTrue();
        axes.set(sizes, dense(sizes), new long[] {0, 0, 0, 1});
        assertThat(axes.isDense(0)).isFalse();
    }

    @Test
    void scalarsAndNothing() {
        axes.set(new long[0], new long[0]);
        assertThat(axes.parts()).isEqualTo(1);
        assertThat(axes.count()).isEqualTo(1);
        assertThat(axes.isDense(0)).isTrue();
        axes.set(new long[] {3, 0, 2}, dense(3, 0, 2));
        assertThat(axes.parts()).isZero();
        assertThat(axes.count()).isZero();
    }

    @Test
    void randomOperandsOfAnyRank() {
        Random random = new Random(3);
        for (int turn = 0; turn < 400; turn++) {
            int rank = random.nextInt(turn % 10 == 0 ? 20 : 12);
            long[] sizes = new long[rank];
            long[][] strides = new long[4][rank];
            long elements = 1;
            for (int d = 0; d < rank; d++) {
                sizes[d] = elements > 2000 ? 1 : 1 + random.nextInt(3);
                elements *= sizes[d];
            }
            for (int k = 0; k < 4; k++) {
                strides[k] = dense(sizes);
                for (int d = 0; d < rank; d++) {
                    strides[k][d] *= random.nextInt(4) == 0 ? random.nextInt(-2, 3) : 1;
                }
            }
            axes.set(sizes, strides[0], strides[1], strides[2], strides[3]);
            for (int k = 0; k < 4; k++) {
                assertThat(walked(k)).isEqualTo(expected(sizes, strides[k]));
            }
            int from = random.nextInt(rank + 1);
            int to = from + random.nextInt(rank + 1 - from);
            axes.set(sizes, from, to, strides[0]);
            assertThat(walked(0))
                    .isEqualTo(expected(
                            java.util.Arrays.copyOfRange(sizes, from, to),
                            java.util.Arrays.copyOfRange(strides[0], from, to)));
        }
    }

    @Test
    void oneAxisLeftOut() {
        long[] sizes = {2, 3, 4};
        long[] strides = {100, 10, 1};
        axes.setWithout(1, sizes, strides, strides, strides);
        assertThat(walked(1)).isEqualTo(expected(new long[] {2, 4}, new long[] {100, 1}));
    }

    @Test
    void twoAxesLead() {
        axes.set(new long[] {2, 3, 4, 5}, new long[] {1000, 1, 7, 50}, new long[] {60, 20, 5, 1});
        assertThat(axes.rank()).isEqualTo(4);
        axes.lead(1);
        assertThat(new long[] {axes.size(0), axes.size(1), axes.size(2), axes.size(3)})
                .containsExactly(3, 5, 2, 4);
        assertThat(new long[] {axes.stride(0, 0), axes.stride(0, 1), axes.stride(0, 2), axes.stride(0, 3)})
                .containsExactly(1, 50, 1000, 7);
        axes.set(new long[] {2, 3}, new long[] {1, 8}, new long[] {3, 1});
        axes.lead(0);
        assertThat(new long[] {axes.size(0), axes.size(1)}).containsExactly(2, 3);
    }
}
