package org.tenon.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompileResult;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tenon.gpu.Natives;

/**
 * NVIDIA's compiler for PTX, which JCuda brings and which needs no GPU, takes the kernels of the jar, and those that keep rows or
 * sums in registers spill none of them.
 */
class SpillTest {
    static final String COMPILER = "libJNvPTXCompiler-12.6.0-linux-x86_64.so";
    private static final Pattern SPILLS = Pattern.compile("(\\d+) bytes spill stores, (\\d+) bytes spill loads");

    @ParameterizedTest
    @CsvSource({"matmul, sm_80, 32", "matmul, sm_90, 32", "softmax, sm_90, 84", "softmax.sm_90, sm_90, 12"})
    void nothingSpills(String file, String device, int atLeast) throws Exception {
        Class<?> jcuda = Class.forName("jcuda.LibUtils", false, SpillTest.class.getClassLoader());
        Assumptions.assumeTrue(Natives.has(jcuda, COMPILER), "JCuda has no PTX compiler for this platform");
        String log = Natives.load(jcuda, List.of(COMPILER), () -> compile(text(file), device));
        List<String> spills = SPILLS.matcher(log)
                .results()
                .map(match -> match.group(1) + " " + match.group(2))
                .toList();
        assertThat(spills).as("kernels that the compiler speaks of").hasSizeGreaterThanOrEqualTo(atLeast);
        assertThat(spills).containsOnly("0 0");
    }

    private static byte[] text(String file) {
        try (InputStream in = SpillTest.class.getResourceAsStream("/org/tenon/kernels/ptx/" + file + ".ptx")) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    static String compile(byte[] ptx, String device) {
        nvPTXCompilerHandle compiler = new nvPTXCompilerHandle();
        check(JNvPTXCompiler.nvPTXCompilerCreate(compiler, ptx.length, ptx));
        try {
            int status = JNvPTXCompiler.nvPTXCompilerCompile(
                    compiler, 2, new String[] {"--gpu-name=" + device, "--verbose"});
            long[] size = new long[1];
            if (status != nvPTXCompileResult.NVPTXCOMPILE_SUCCESS) {
                check(JNvPTXCompiler.nvPTXCompilerGetErrorLogSize(compiler, size));
                byte[] error = new byte[(int) size[0] + 1];
                check(JNvPTXCompiler.nvPTXCompilerGetErrorLog(compiler, error));
                throw new AssertionError(new String(error, StandardCharsets.UTF_8));
            }
            check(JNvPTXCompiler.nvPTXCompilerGetInfoLogSize(compiler, size));
            byte[] log = new byte[(int) size[0] + 1];
            check(JNvPTXCompiler.nvPTXCompilerGetInfoLog(compiler, log));
            return new String(log, StandardCharsets.UTF_8);
        } finally {
            check(JNvPTXCompiler.nvPTXCompilerDestroy(compiler));
        }
    }

    private static void check(int status) {
        assertThat(status).isEqualTo(nvPTXCompileResult.NVPTXCOMPILE_SUCCESS);
    }
}
