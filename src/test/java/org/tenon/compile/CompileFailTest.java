package org.tenon.compile;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Mistakes that must not compile, each beside a twin that differs in nothing but the mistake and does compile. */
class CompileFailTest {
    private static final String HEAD = """
        import java.util.*;
        import org.tenon.*;
        import org.tenon.nn.*;
        interface Batch extends Dim {}
        interface Classes extends Dim {}
        interface Features extends Dim {}
        abstract class Gpu0 extends Cuda {}
        abstract class Gpu1 extends Cuda {}
        class Snippet {
            Tensor<R2<Batch, Classes>, F32, Cpu> onCpu;
            Tensor<R2<Batch, Classes>, F32, Cuda> onCuda;
            Tensor<R2<Batch, Classes>, F32, Gpu0> onGpu0;
            Tensor<R2<Batch, Classes>, F32, Gpu1> onGpu1;
            Tensor<R2<Batch, Classes>, F64, Cpu> wide;
            Tensor<R2<Batch, Classes>, I64, Cpu> whole;
            Tensor<R2<Batch, Classes>, Bool, Cpu> flags;
            Tensor<R2<Batch, Features>, F32, Cpu> features;
            Tensor<R2<Features, Classes>, F32, Cpu> weight;
            Tensor<R2<Classes, Batch>, F32, Cpu> turned;
            Tensor<R1<Batch>, I64, Cpu> targets;
            Tensor<R1<Batch>, F32, Cpu> floatTargets;
            Tensor<R1<Features>, I64, Cpu> otherTargets;
            Tensor<R1<Batch>, I64, Cuda> cudaTargets;
            Gradients gradients;
            void onTheCpu(Tensor<R2<Batch, Classes>, F32, Cpu> x) {}
            <Dev extends DeviceType> void train(Device<Dev> device) {}
            void test() throws Exception {
        """;

    private record Mistake(String what, String wrong, String right, String diagnostic) {
        @Override
        public String toString() {
            return what;
        }
    }

    static Stream<Mistake> mistakes() {
        return Stream.of(
                new Mistake(
                        "adding tensors of two devices",
                        "onCpu.add(onCuda);",
                        "onCpu.add(onCpu);",
                        "cannot be converted"),
                new Mistake(
                        "adding tensors of two devices by F", "F.add(onCpu, onCuda);", "F.add(onCpu, onCpu);", "Cuda"),
                new Mistake(
                        "two brands of one kind", "onGpu0.add(onGpu1);", "onGpu0.add(onGpu0);", "cannot be converted"),
                new Mistake(
                        "log_softmax of integers without a dtype",
                        "F.logSoftmax(whole, -1);",
                        "F.logSoftmax(whole, -1, DType.F32);",
                        "Floating"),
                new Mistake("exp of bool", "F.exp(flags);", "F.exp(onCpu);", "Floating"),
                new Mistake("mean of integers", "F.mean(whole);", "F.mean(whole.to(DType.F32));", "Floating"),
                new Mistake(
                        "float class targets",
                        "F.nllLoss(onCpu, floatTargets);",
                        "F.nllLoss(onCpu, targets);",
                        "Integral"),
                new Mistake(
                        "targets of another batch",
                        "F.nllLoss(onCpu, otherTargets);",
                        "F.nllLoss(onCpu, targets);",
                        "Features"),
                new Mistake(
                        "targets on another device",
                        "F.nllLoss(onCpu, cudaTargets);",
                        "F.nllLoss(onCpu, targets);",
                        "Cuda"),
                new Mistake(
                        "float targets of cross entropy",
                        "F.crossEntropy(onCpu, floatTargets);",
                        "F.crossEntropy(onCpu, targets);",
                        "Integral"),
                new Mistake(
                        "matmul with a wrong inner label",
                        "F.matmul(onCpu, weight);",
                        "F.matmul(features, weight);",
                        "Features"),
                new Mistake(
                        "a wrong reduced axis",
                        "Tensor<R1<Classes>, F32, Cpu> s = onCpu.sum(R2.dim1());",
                        "Tensor<R1<Batch>, F32, Cpu> s = onCpu.sum(R2.dim1());",
                        "Classes"),
                new Mistake(
                        "an axis of another rank",
                        "Tensor<R2<Batch, Classes>, F32, Cpu> s = onCpu.sum(R3.dim2());",
                        "Tensor<R1<Batch>, F32, Cpu> s = onCpu.sum(R2.dim1());",
                        "R3"),
                new Mistake(
                        "a CUDA tensor where the CPU's is asked for",
                        "onTheCpu(onCuda);",
                        "onTheCpu(onCpu);",
                        "cannot be converted"),
                new Mistake(
                        "adding other element types",
                        "onCpu.add(wide);",
                        "onCpu.add(wide.to(DType.F32));",
                        "cannot be converted"),
                new Mistake(
                        "adding a transposed shape",
                        "onCpu.add(turned);",
                        "onCpu.add(F.t(turned));",
                        "cannot be converted"),
                new Mistake(
                        "a loss of two shapes",
                        "F.mseLoss(onCpu, features, Reduction.mean());",
                        "F.mseLoss(onCpu, onCpu, Reduction.mean());",
                        "Features"),
                new Mistake(
                        "a loss of integers",
                        "F.l1Loss(whole, whole, Reduction.mean());",
                        "F.l1Loss(wide, wide, Reduction.mean());",
                        "Floating"),
                new Mistake(
                        "a convolution of other channels",
                        "Conv1d<Batch, Features, Classes, Dim, F32, Cpu> c = null;"
                                + "Tensor<R3<Batch, Classes, Dim>, F32, Cpu> x = null; c.forward(x);",
                        "Conv1d<Batch, Features, Classes, Dim, F32, Cpu> c = null;"
                                + "Tensor<R3<Batch, Features, Dim>, F32, Cpu> x = null; c.forward(x);",
                        "cannot be converted"),
                new Mistake(
                        "a mask of floats",
                        "AttentionOptions.<F32, Cpu>defaults().allowed(onCpu);",
                        "AttentionOptions.<F32, Cpu>defaults().allowed(flags);",
                        "cannot be converted"),
                new Mistake(
                        "the gradient of another type",
                        "Tensor<R2<Batch, Classes>, F64, Cpu> g = gradients.get(onCpu);",
                        "Tensor<R2<Batch, Classes>, F32, Cpu> g = gradients.get(onCpu);",
                        "F64"),
                new Mistake(
                        "a device of two kinds",
                        "abstract class Both extends Cpu, Cuda {}",
                        "abstract class One extends Cuda {}",
                        "'{' expected"),
                new Mistake(
                        "layers that do not fit",
                        "Sequential.of((Linear<R2<Batch, Features>, R2<Batch, Classes>, F32, Cpu>) null).then("
                                + "(Linear<R2<Batch, Features>, R2<Batch, Classes>, F32, Cpu>) null);",
                        "Sequential.of((Linear<R2<Batch, Features>, R2<Batch, Classes>, F32, Cpu>) null).then("
                                + "(Linear<R2<Batch, Classes>, R2<Batch, Features>, F32, Cpu>) null);",
                        "cannot be converted"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("mistakes")
    void doesNotCompile(Mistake mistake) {
        assertThat(errors(mistake.right())).as("the twin without the mistake").isEmpty();
        assertThat(errors(mistake.wrong())).isNotEmpty().first().asString().contains(mistake.diagnostic());
    }

    @Test
    void anInstanceMethodsMistakeIsOneLine() {
        assertThat(errors("onCpu.maximum(onCuda);").getFirst().lines()).hasSize(1);
    }

    @Test
    void aDeviceIsChosenAtRunTimeInOneLine() {
        assertThat(errors("train(Devices.best());")).isEmpty();
        assertThat(errors("train(Devices.get(\"cpu\"));")).isEmpty();
    }

    @Test
    void theUntypedTensorStaysUsable() {
        assertThat(errors("""
            Tensor<?, ?, ?> x = onCpu;
            System.out.println(x + " " + Arrays.toString(x.shape()) + x.numel() + x.dtype() + x.device());
            double[] all = x.toDoubleArray();
            double one = x.sum().item();
            Tensor<?, F32, ?> y = x.to(DType.F32);
            Tensor<Any, ?, ?> z = x.any();
            x.close();
            """)).isEmpty();
    }

    @Test
    void switchesOverElementTypesAreExhaustive() {
        assertThat(errors("""
            DType d = onCpu.dtype();
            int bits = switch (d) {
                case F32 f -> 32; case F64 f -> 64; case F16 f -> 16; case BF16 f -> 16;
                case I32 i -> 32; case I64 i -> 64; case Bool b -> 8;
            };
            """)).isEmpty();
    }

    private static List<String> errors(String body) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
        JavaFileObject source =
                new SimpleJavaFileObject(URI.create("string:///Snippet.java"), JavaFileObject.Kind.SOURCE) {
                    @Override
                    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                        return HEAD + body + "\n}\n}\n";
                    }
                };
        List<String> options = List.of(
                "-proc:none",
                "-implicit:none",
                "-d",
                System.getProperty("java.io.tmpdir"),
                "-Xlint:none",
                "--class-path",
                System.getProperty("java.class.path"),
                "-XDshould-stop.ifNoError=FLOW");
        compiler.getTask(null, null, found, options, null, List.of(source)).call();
        return found.getDiagnostics().stream()
                .filter(each -> each.getKind() == Diagnostic.Kind.ERROR)
                .map(each -> each.getMessage(null))
                .toList();
    }
}
