package org.tenon.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.tenon.DType;
import org.tenon.gpu.GpuRuntime.Warps;
import org.tenon.gpu.SoftmaxForm.Kernel;
import org.tenon.spi.Rows;

/** Which form a softmax on CUDA takes, and that each keeps to what a device has. */
class SoftmaxFormsTest {
    private static final Warps H100 = new Warps(227 << 10, true);
    private static final Warps A100 = new Warps(163 << 10, false);
    private static final List<DType[]> TYPES = List.of(
            new DType[] {DType.F32, DType.F32},
            new DType[] {DType.F64, DType.F64},
            new DType[] {DType.F16, DType.F16},
            new DType[] {DType.BF16, DType.F32},
            new DType[] {DType.F32, DType.F16});

    @Test
    void threadsOfARow() {
        assertThat(row(1, H100)).isEqualTo(new SoftmaxForm(Kernel.SHORT, 8, 1, 1, 1, 0));
        assertThat(row(10, H100)).isEqualTo(new SoftmaxForm(Kernel.SHORT, 8, 1, 2, 1, 0));
        assertThat(row(64, H100)).isEqualTo(new SoftmaxForm(Kernel.SHORT, 8, 1, 8, 1, 0));
        assertThat(row(128, H100)).isEqualTo(new SoftmaxForm(Kernel.SHORT, 8, 1, 16, 1, 0));
        assertThat(row(257, H100)).isEqualTo(new SoftmaxForm(Kernel.SHORT, 16, 1, 32, 1, 0));
        assertThat(row(1024, H100)).isEqualTo(new SoftmaxForm(Kernel.SHORT, 32, 1, 32, 1, 0));
        assertThat(row(1025, H100)).isEqualTo(new SoftmaxForm(Kernel.ROWS, 128, 1, 1, 1, 4112));
        assertThat(row(16384, H100)).isEqualTo(new SoftmaxForm(Kernel.ROWS, 128, 1, 1, 1, 65536));
        assertThat(row(16385, H100)).isEqualTo(new SoftmaxForm(Kernel.ROWS, 256, 8, 1, 1, 8208));
        assertThat(row(50257, H100)).isEqualTo(new SoftmaxForm(Kernel.ROWS, 256, 8, 1, 1, 25136));
        assertThat(row(10_000_000, H100)).isEqualTo(new SoftmaxForm(Kernel.ROWS, 256, 8, 1, 1, 0));
        assertThat(row(16385, A100)).isEqualTo(new SoftmaxForm(Kernel.ROWS, 512, 1, 1, 1, 65552));
        assertThat(row(50257, A100)).isEqualTo(new SoftmaxForm(Kernel.ROWS, 512, 1, 1, 1, 0));
        assertThat(SoftmaxForm.ofRow(16384, DType.F32, DType.F32, 2, A100))
                .as("a backward keeps two rows")
                .isEqualTo(new SoftmaxForm(Kernel.ROWS, 512, 1, 1, 1, 131072));
    }

    private static SoftmaxForm row(long length, Warps warps) {
        return SoftmaxForm.ofRow(length, DType.F32, DType.F32, 1, warps);
    }

    /** A launch of every row has room for all of it, and no more than there is. */
    @Test
    void everyRowFits() {
        for (Warps warps : List.of(H100, A100)) {
            for (DType[] types : TYPES) {
                for (int operands = 1; operands <= 2; operands++) {
                    for (long length = 1; length < 2_000_000; length += 1 + length / 50) {
                        SoftmaxForm form = SoftmaxForm.ofRow(length, types[0], types[1], operands, warps);
                        assertThat(form.sharedBytes()).isLessThanOrEqualTo(warps.sharedBytes() - 1024);
                        if (form.kernel() == Kernel.SHORT) {
                            assertThat((long) form.across() * form.size()).isGreaterThanOrEqualTo(length);
                            assertThat(Integer.bitCount(form.across())).isEqualTo(1);
                            assertThat(form.size() % SoftmaxForm.chunk(types[0], types[1]))
                                    .isZero();
                        } else if (form.sharedBytes() > 0) {
                            assertThat(form.sharedBytes() * form.cluster())
                                    .isGreaterThanOrEqualTo(length * types[0].bytes() * operands);
                        }
                    }
                }
            }
        }
    }

    @Test
    void everyTileFits() {
        for (Warps warps : List.of(H100, A100)) {
            for (DType[] types : TYPES) {
                for (long inner : new long[] {2, 3, 8, 17, 64, 65, 1000, 4096}) {
                    for (long length : new long[] {1, 2, 10, 33, 257, 1000, 5000, 100_000}) {
                        for (boolean aligned : new boolean[] {true, false}) {
                            tile(new Rows(3, length, inner), types, aligned, warps);
                        }
                    }
                }
            }
        }
    }

    private static void tile(Rows rows, DType[] types, boolean aligned, Warps warps) {
        SoftmaxForm form = SoftmaxForm.ofColumns(rows, types[0], types[1], 2, aligned, warps);
        assertThat(rows.inner() % form.size()).isZero();
        assertThat(form.size() == 1 || aligned).isTrue();
        assertThat(Integer.bitCount(form.down())).isEqualTo(1);
        assertThat(form.across() * form.down()).as("%s of %s", form, rows).isBetween(1, SoftmaxForm.COLUMN_BLOCK);
        assertThat(form.sharedBytes()).isLessThanOrEqualTo(warps.sharedBytes() - (17 << 10));
        if (form.sharedBytes() > 0) {
            long turns = (rows.len() + form.down() - 1) / form.down();
            assertThat(form.sharedBytes())
                    .isEqualTo(2 * turns * SoftmaxForm.COLUMN_BLOCK * form.size() * types[0].bytes());
        }
        long together = SoftmaxForm.COLUMN_BLOCK / ((long) form.across() * form.down());
        long tiles = (rows.inner() / form.size() + form.across() - 1) / form.across();
        assertThat(form.groups(rows)).isEqualTo(tiles * ((rows.outer() + together - 1) / together));
    }
}
