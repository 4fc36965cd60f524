package org.tenon.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tenon.DType;
import org.tenon.TensorStateException;
import org.tenon.gpu.Natives;
import org.tenon.gpu.TestLaunches;
import org.tenon.spi.CustomKernel;

/** Users' kernels in C become PTX that NVIDIA's assembler takes; nothing here runs it, which only a GPU can. */
class NvrtcTest {
    private static final String SWISH = """
        KERNEL void swish(ARGUMENTS) {
            long i = INDEX;
            if (i < ITEMS) {
                REAL v = LOAD(x, i);
                STORE(out, i, v / ((REAL) 1 + exp(-PARAMETER(beta) * v)));
            }
        }
        """;
    private static final String SUMS = """
        KERNEL void sums(ARGUMENTS) {
            LOCAL REAL all[BLOCK];
            REAL sum = -INF;
            for (long c = THREAD; c < SIZE(x, 1); c += BLOCK) {
                sum += LOAD(x, GROUP * SIZE(x, 1) + c) * LOAD(index, c);
            }
            all[THREAD] = sum;
            BARRIER();
            if (THREAD == 0) {
                STORE(out, GROUP, all[0] + all[BLOCK - 1]);
            }
        }
        """;

    private static void assumeLibrary() {
        Assumptions.assumeFalse(
                System.getProperty("tenon.nvrtc", "").isBlank(),
                "NVRTC is named with -Dtenon.nvrtc=PATH; it is a library of CUDA's toolkit");
    }

    private static CustomKernel kernel(String name, String source, CustomKernel.Input... inputs) {
        return new CustomKernel(
                name,
                List.of(inputs),
                List.of("beta"),
                CustomKernel.Grid.THREADS,
                new CustomKernel.Sources(null, source, null, null));
    }

    private static String ptx(CustomKernel kernel, DType out, DType... inputs) {
        return Nvrtc.ptx("cuda:0", kernel, TestLaunches.preamble(kernel, out, List.of(inputs)), "-DBLOCK=256");
    }

    private static void assembles(String ptx) throws Exception {
        Class<?> jcuda = Class.forName("jcuda.LibUtils", false, NvrtcTest.class.getClassLoader());
        Assumptions.assumeTrue(Natives.has(jcuda, SpillTest.COMPILER), "JCuda has no PTX compiler for this platform");
        String log = Natives.load(
                jcuda,
                List.of(SpillTest.COMPILER),
                () -> SpillTest.compile((ptx + "\0").getBytes(StandardCharsets.ISO_8859_1), "sm_90"));
        assertThat(log).contains("Compiling entry function");
    }

    @ParameterizedTest
    @ValueSource(strings = {"float32", "float64", "float16", "bfloat16"})
    void aSourceBecomesPtx(String type) throws Exception {
        assumeLibrary();
        DType dtype = List.of(DType.F32, DType.F64, DType.F16, DType.BF16).stream()
                .filter(each -> each.toString().equals(type))
                .findFirst()
                .orElseThrow();
        String swish = ptx(kernel("swish", SWISH, new CustomKernel.Input("x", null)), dtype, dtype);
        assertThat(new Ptx(swish).kernels()).containsExactly("swish");
        assertThat(swish).contains(".version 7.8\n", ".target sm_80");
        assembles(swish);
        String sums = ptx(
                kernel("sums", SUMS, new CustomKernel.Input("x", null), new CustomKernel.Input("index", DType.I64)),
                dtype,
                dtype,
                DType.I64);
        assertThat(new Ptx(sums).kernels()).containsExactly("sums");
        assertThat(sums).contains("bar.sync", ".shared");
        assembles(sums);
    }

    @Test
    void aSourceThatDoesNotBuildShowsTheLineOfItsSource() {
        assumeLibrary();
        CustomKernel bad = kernel(
                "bad", "KERNEL void bad(ARGUMENTS) {\n    undeclared = 1;\n}\n", new CustomKernel.Input("x", null));
        assertThatThrownBy(() -> ptx(bad, DType.F32, DType.F32))
                .isInstanceOf(TensorStateException.class)
                .hasMessageContaining("cuda:0: the kernel of bad does not build:")
                .hasMessageContaining("bad(2): error: identifier \"undeclared\" is undefined");
    }

    @Test
    void withoutNvrtcTheChoicesAreNamed() {
        CustomKernel swish = kernel("swish", SWISH, new CustomKernel.Input("x", null));
        String before = System.getProperty("tenon.nvrtc");
        try {
            System.setProperty("tenon.nvrtc", "/no/such/libnvrtc.so");
            assertThatThrownBy(() -> ptx(swish, DType.F32, DType.F32))
                    .isInstanceOf(TensorStateException.class)
                    .hasMessage("swish: on cuda:0 its source needs NVIDIA's compiler NVRTC, and there is no"
                            + " /no/such/libnvrtc.so; install CUDA's libnvrtc, name it with -Dtenon.nvrtc=PATH, or give"
                            + " PTX with ptx(...)");
            System.setProperty("tenon.nvrtc", "off");
            assertThatThrownBy(() -> ptx(swish, DType.F32, DType.F32)).hasMessageContaining("-Dtenon.nvrtc=off");
        } finally {
            if (before == null) {
                System.clearProperty("tenon.nvrtc");
            } else {
                System.setProperty("tenon.nvrtc", before);
            }
        }
    }
}
