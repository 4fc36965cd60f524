package org.tenon.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.tenon.DType;
import org.tenon.spi.Strided;
import org.tenon.support.CCompiler;

/** The calls of cuBLAS, on a library of the same functions that works on host memory. */
class CublasTest {
    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path folder;

    private Path library(String name, String... flags) throws IOException {
        return CCompiler.compile(CublasTest.class, "cublas.c", folder.resolve(name), flags);
    }

    @Test
    void everyElementTypeAndLayout() throws Exception {
        Cublas cublas = new Cublas(library("a.so").toString(), 0, false);
        assertThat(cublas.version()).isEqualTo("12.4");
        for (DType dtype : List.of(DType.F32, DType.F64, DType.F16, DType.BF16)) {
            for (int batch : new int[] {1, 3}) {
                for (Operands x : Operands.all(batch, 4, 3)) {
                    for (Operands y : Operands.all(batch, 3, 2)) {
                        Gemm gemm = Gemm.of(x.strided(), y.strided(), out(batch, 4, 2));
                        if (gemm != null) {
                            check(cublas, gemm, dtype, x, y, batch);
                        }
                    }
                }
            }
        }
    }

    private static Strided out(long batch, long m, long n) {
        return new Strided(null, DType.F32, 0, new long[] {batch, m, n}, new long[] {m * n, n, 1});
    }

    /** Small whole numbers, which every type holds and sums exactly. */
    private static void check(Cublas cublas, Gemm gemm, DType dtype, Operands x, Operands y, int batch) {
        try (Arena arena = Arena.ofConfined()) {
            int bytes = dtype.bytes();
            MemorySegment left = numbers(arena, dtype, x.extent(), 1);
            MemorySegment right = numbers(arena, dtype, y.extent(), 2);
            MemorySegment out = arena.allocate((long) batch * 8 * bytes, 64).fill((byte) 0xFF);
            int status = cublas.multiply(
                    gemm,
                    dtype,
                    right.address() + y.offset() * bytes,
                    left.address() + x.offset() * bytes,
                    out.address());
            assertThat(status).as(x + " by " + y).isEqualTo(Cublas.SUCCESS);
            for (int b = 0; b < batch; b++) {
                for (int i = 0; i < 4; i++) {
                    for (int j = 0; j < 2; j++) {
                        double wanted = 0;
                        for (int l = 0; l < 3; l++) {
                            wanted += get(left, dtype, x.at(b, i, l)) * get(right, dtype, y.at(b, l, j));
                        }
                        assertThat(get(out, dtype, (b * 4 + i) * 2 + j))
                                .as(dtype + " " + x + " by " + y)
                                .isEqualTo(wanted);
                    }
                }
            }
        }
    }

    private static MemorySegment numbers(Arena arena, DType dtype, int count, int seed) {
        MemorySegment all = arena.allocate((long) count * dtype.bytes(), 64);
        Random random = new Random(seed);
        for (int i = 0; i < count; i++) {
            float value = random.nextInt(-4, 5);
            if (dtype == DType.F32) {
                all.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
            } else if (dtype == DType.F64) {
                all.setAtIndex(ValueLayout.JAVA_DOUBLE, i, value);
            } else if (dtype == DType.F16) {
                all.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(value));
            } else {
                all.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits(value) >>> 16));
            }
        }
        return all;
    }

    private static double get(MemorySegment all, DType dtype, int i) {
        if (dtype == DType.F32) {
            return all.getAtIndex(ValueLayout.JAVA_FLOAT, i);
        }
        if (dtype == DType.F64) {
            return all.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
        }
        short bits = all.getAtIndex(ValueLayout.JAVA_SHORT, i);
        return dtype == DType.F16 ? Float.float16ToFloat(bits) : Float.intBitsToFloat(bits << 16);
    }

    @Test
    void tf32OnlyWhereAllowed() throws Throwable {
        Path path = library("b.so");
        assertThat(computeOf(path, false, DType.F32)).isEqualTo(68);
        assertThat(computeOf(path, true, DType.F32)).isEqualTo(77);
        assertThat(computeOf(path, true, DType.F16)).isEqualTo(68);
        assertThat(computeOf(path, true, DType.BF16)).isEqualTo(68);
        assertThat(computeOf(path, true, DType.F64)).isEqualTo(70);
        assertThat(ask(path, "stub_math"))
                .as("half types are summed in float32")
                .isEqualTo(16);
    }

    private static int computeOf(Path path, boolean tf32, DType dtype) throws Throwable {
        Cublas cublas = new Cublas(path.toString(), 0, tf32);
        Operands x = Operands.all(1, 4, 3).getFirst();
        Operands y = Operands.all(1, 3, 2).getFirst();
        check(cublas, Gemm.of(x.strided(), y.strided(), out(1, 4, 2)), dtype, x, y, 1);
        return ask(path, "stub_compute");
    }

    @SuppressWarnings("restricted")
    private static int ask(Path path, String function) throws Throwable {
        MemorySegment symbol =
                SymbolLookup.libraryLookup(path, Arena.global()).find(function).orElseThrow();
        return (int) Linker.nativeLinker()
                .downcallHandle(symbol, FunctionDescriptor.of(ValueLayout.JAVA_INT))
                .invokeExact();
    }

    @Test
    void librariesThatDoNotWorkSayWhy() throws IOException {
        Path fails = library("c.so", "-DCREATE_FAILS");
        assertThatThrownBy(() -> new Cublas(fails.toString(), 0, false))
                .isInstanceOf(Cublas.FailureException.class)
                .hasMessage("cublasCreate failed with CUBLAS_STATUS_NOT_INITIALIZED (1)");
        Path old = library("d.so", "-DNO_VERSION");
        assertThatThrownBy(() -> new Cublas(old.toString(), 0, false))
                .hasMessage("it has no function cublasGetVersion_v2");
        assertThatThrownBy(() -> new Cublas("/no/such/libcublas.so.12", 0, false))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Cublas("libcublas-that-is-nowhere.so", 0, false))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
