package org.tenon.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.tenon.DType;
import org.tenon.cpu.MatMulPart.Way;
import org.tenon.spi.Buffer;
import org.tenon.spi.Strided;

/** The ways to pack a product's operands: each gives the same bits, right ones, and is taken where it is meant to be. */
@Tag("plain")
class MatMulPartTest {
    private static final int UNIT = Lanes.CHOSEN.columns();
    private final CpuBackend cpu = new CpuBackend();
    private final List<Buffer> buffers = new ArrayList<>();

    @AfterEach
    void free() {
        buffers.forEach(cpu.allocator()::free);
    }

    /** Batches of dense matrices, or of transposes of such. */
    private Strided matrices(long batch, long rows, long columns, boolean turned) {
        Buffer buffer = cpu.allocator().allocate(Math.max(4, batch * rows * columns * Float.BYTES));
        buffers.add(buffer);
        MemorySegment memory = buffer.host();
        Random random = new Random(rows * 31 + columns);
        for (long i = 0; i < batch * rows * columns; i++) {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat() - 0.5f);
        }
        return laid(buffer, batch, rows, columns, turned);
    }

    private static Strided laid(Buffer buffer, long batch, long rows, long columns, boolean turned) {
        return new Strided(buffer, DType.F32, 0, new long[] {batch, rows, columns}, new long[] {
            rows * columns, turned ? 1 : columns, turned ? rows : 1
        });
    }

    /** The way of a product that is not computed, so that its operands need no memory. */
    private Way way(long batch, long m, long k, long n, boolean turnedX, boolean turnedY) {
        Buffer none = matrices(1, 1, 1, false).buffer();
        Strided out = laid(none, batch, m, n, false);
        Strided x = laid(none, batch, m, k, turnedX);
        return new MatMulPart(x, laid(none, batch, k, n, turnedY), out, MatMulTarget.of(out), false).way();
    }

    private static float at(Strided x, long b, long i, long j) {
        long[] strides = x.strides();
        return CpuBuffer.segment(x)
                .getAtIndex(ValueLayout.JAVA_FLOAT, b * strides[0] + i * strides[1] + j * strides[2]);
    }

    private static int[] bits(Strided x) {
        return CpuBuffer.floats(x).toArray(ValueLayout.JAVA_INT);
    }

    private MatMulPart part(long batch, long m, long k, long n, boolean turnedX, boolean turnedY) {
        Strided out = matrices(batch, m, n, false);
        return new MatMulPart(
                matrices(batch, m, k, turnedX), matrices(batch, k, n, turnedY), out, MatMulTarget.of(out), false);
    }

    @Test
    void waysGiveTheSameBits() {
        long[][] sizes = {
            {1, 6, 5, UNIT}, {1, 7, 256, UNIT + 1}, {1, 205, 257, 2 * UNIT - 1}, {3, 13, 300, 70}, {9, 64, 16, 64}
        };
        for (long[] s : sizes) {
            for (int form = 0; form < 4; form++) {
                MatMulPart part = part(s[0], s[1], s[2], s[3], (form & 1) != 0, (form & 2) != 0);
                part.run(Way.SHARED);
                int[] shared = bits(part.out());
                checkValues(part);
                for (Way way : List.of(Way.BY_ROWS, Way.BY_COLUMNS)) {
                    CpuBuffer.floats(part.out()).fill((byte) -1);
                    part.run(way);
                    assertThat(bits(part.out()))
                            .as(way + " of " + List.of(s[1], s[2], s[3]))
                            .isEqualTo(shared);
                }
            }
        }
    }

    /** Where a second piece of the inner axis is added to the first, and one matrix is multiplied with many. */
    @Test
    void waysAddAndRepeatAlike() {
        MatMulPart dense = part(5, 20, 30, 40, false, false);
        Strided one = new Strided(dense.y().buffer(), DType.F32, 0, dense.y().sizes(), new long[] {0, 40, 1});
        int[] shared = null;
        for (Way way : Way.values()) {
            CpuBuffer.floats(dense.out()).fill((byte) 0x3f);
            new MatMulPart(dense.x(), one, dense.out(), dense.target(), true).run(way);
            int[] bits = bits(dense.out());
            shared = shared == null ? bits : shared;
            assertThat(bits).as("" + way).isEqualTo(shared);
        }
    }

    private static void checkValues(MatMulPart part) {
        long[] sizes = part.out().sizes();
        for (long b = 0; b < sizes[0]; b++) {
            for (long i = 0; i < sizes[1]; i++) {
                for (long j = 0; j < sizes[2]; j++) {
                    double sum = 0;
                    for (long p = 0; p < part.x().sizes()[2]; p++) {
                        sum += (double) at(part.x(), b, i, p) * at(part.y(), b, p, j);
                    }
                    assertThat(Math.abs(at(part.out(), b, i, j) - sum)).isLessThan(2e-5);
                }
            }
        }
    }

    @Test
    void eachThreadPacksForItselfWhatItHasEnoughToDoWith() {
        int rows = MatMulTile.LEAST_ROWS * Parallel.THREADS;
        int columns = MatMulTile.LEAST_COLUMNS * Parallel.THREADS;
        int few = columns - 1;
        assertThat(way(1, rows - 1, 8, few, false, false)).isEqualTo(Way.SHARED);
        assertThat(way(1, rows, 8, few, false, false)).isEqualTo(Way.BY_ROWS);
        assertThat(way(1, rows - 1, 8, columns, false, false)).isEqualTo(Way.BY_COLUMNS);
        assertThat(way(1, 2, 0, columns, false, false)).isEqualTo(Way.SHARED);
        long matrices = 2L * Parallel.THREADS;
        assertThat(way(matrices, 6, 8, 8, false, false)).isEqualTo(Way.BY_ROWS);
        assertThat(way(matrices - 1, 6, 8, 8, false, false)).isEqualTo(Way.SHARED);
    }

    @Test
    void whatIsTooLargeForOneThreadIsShared() {
        int rows = MatMulTile.LEAST_ROWS * Parallel.THREADS;
        int deep = MatMulTile.OWN / UNIT;
        assertThat(way(1, rows, deep, 1, false, false)).isEqualTo(Way.BY_ROWS);
        assertThat(way(1, rows, deep + 1, 1, false, false)).isEqualTo(Way.SHARED);
        int columns = MatMulTile.LEAST_COLUMNS * Parallel.THREADS;
        int most = MatMulTile.OWN / MatMulPacking.ROW / MatMulTile.ROWS * MatMulTile.ROWS;
        assertThat(way(1, 6, most / 6 * 256, columns, false, false)).isEqualTo(Way.BY_COLUMNS);
        assertThat(way(1, 6, most / 6 * 256 + 1, columns, false, false)).isEqualTo(Way.SHARED);
    }

    @Test
    void ofTwoWaysTheCheaperIsTaken() {
        int rows = MatMulTile.LEAST_ROWS * Parallel.THREADS;
        int columns = MatMulTile.LEAST_COLUMNS * Parallel.THREADS;
        int many = Math.max(rows, columns);
        if (Parallel.THREADS > 1) {
            assertThat(way(1, many, 8, many + 1, false, false)).isEqualTo(Way.BY_COLUMNS);
            assertThat(way(1, many + 1, 8, many, false, false)).isEqualTo(Way.BY_ROWS);
            assertThat(way(1, many, 8, many, true, false)).isEqualTo(Way.BY_ROWS);
            assertThat(way(1, many, 8, many, false, true)).isEqualTo(Way.BY_COLUMNS);
        }
    }
}
