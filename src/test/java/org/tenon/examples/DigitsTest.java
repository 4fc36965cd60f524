package org.tenon.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.examples.DigitModel.Classes;
import org.tenon.examples.DigitModel.Images;
import org.tenon.junit.DeviceTest;
import org.tenon.support.ChildJvm;

/** The examples with digits: reading them, learning them, going on, distilling, and what is refused. */
class DigitsTest {
    @TempDir
    private Path folder;

    @DeviceTest
    void aModelLearnsDrawnDigits(Device<?> device) {
        assertThat(accuracy(device, DigitModel.MLP, Digits.drawn(400, 100, 3))).isGreaterThan(0.5);
    }

    private static <Dev extends DeviceType> double accuracy(Device<Dev> device, DigitModel kind, Digits digits) {
        long before = device.memory().liveBuffers();
        double accuracy;
        var settings = new DigitTraining.Settings(6, 32, 3e-3, 1);
        try (var model = kind.on(device, new Generator(1));
                var training = new DigitTraining<>(
                        device,
                        model,
                        digits.training(),
                        settings,
                        (pictures, logits, labels) -> F.crossEntropy(logits, labels))) {
            double first = training.epoch(0);
            for (int epoch = 1; epoch < 6; epoch++) {
                training.epoch(epoch);
            }
            assertThat(training.epoch(6)).isLessThan(first / 2);
            accuracy = training.test(digits.test()).accuracy();
        }
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
        return accuracy;
    }

    @DeviceTest
    void theSoftLossIsTheDivergenceOfSoftenedProbabilities(Device<?> device) {
        Scope.run(() -> soft(device));
    }

    private static <Dev extends DeviceType> void soft(Device<Dev> device) {
        Tensor<R2<Images, Classes>, F32, Dev> student = device.randn(R2.of(4, 10), DType.F32, new Generator(1));
        Tensor<R2<Images, Classes>, F32, Dev> teacher = device.randn(R2.of(4, 10), DType.F32, new Generator(2));
        double[] q = F.logSoftmax(F.div(student, 3), -1).toDoubleArray();
        double[] p = F.logSoftmax(F.div(teacher, 3), -1).toDoubleArray();
        double sum = 0;
        for (int i = 0; i < p.length; i++) {
            sum += Math.exp(p[i]) * (p[i] - q[i]);
        }
        assertThat(Distill.soft(student, teacher, 3).item()).isCloseTo(9 * sum / 4, within(1e-5));
        assertThat(Distill.soft(teacher, teacher, 3).item()).isCloseTo(0, within(1e-6));
    }

    @Test
    void confusionCounts() {
        Confusion confusion = new Confusion(3);
        confusion.add(new long[] {0, 1, 2, 2, 2, 1}, new long[] {0, 2, 2, 1, 1, 1});
        assertThat(confusion.accuracy()).isEqualTo(0.5);
        assertThat(confusion.worst(5)).containsExactly(new Confusion.Pair(2, 1, 2), new Confusion.Pair(1, 2, 1));
    }

    private void idx(String name, int count, int rows, boolean packed) throws IOException {
        boolean images = name.contains("images");
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(images ? 0x803 : 0x801);
        out.writeInt(count);
        if (images) {
            out.writeInt(rows);
            out.writeInt(28);
        }
        for (int i = 0; i < count * (images ? rows * 28 : 1); i++) {
            out.writeByte(images ? i % 256 : i % 10);
        }
        Path file = folder.resolve(packed ? name + ".gz" : name);
        try (OutputStream to =
                packed ? new GZIPOutputStream(Files.newOutputStream(file)) : Files.newOutputStream(file)) {
            to.write(bytes.toByteArray());
        }
    }

    @Test
    void theTestSetIsSplitWhereItIsAlone() throws Exception {
        idx("t10k-images-idx3-ubyte", 50, 28, true);
        idx("t10k-labels-idx1-ubyte", 50, 28, false);
        Digits split = Digits.mnist(folder, 40);
        assertThat(split.training().size()).isEqualTo(40);
        assertThat(split.test().size()).isEqualTo(10);
        assertThat(split.training().inputs().shape()).containsExactly(40, 1, 28, 28);
        idx("train-images-idx3-ubyte", 30, 28, false);
        idx("train-labels-idx1-ubyte", 30, 28, true);
        Digits whole = Digits.mnist(folder, 40);
        assertThat(whole.training().size()).isEqualTo(30);
        assertThat(whole.test().size()).isEqualTo(50);
    }

    private static void refused(Class<?> main, String fragment, String... arguments) throws IOException {
        ChildJvm child = ChildJvm.run(main, List.of(), arguments);
        List<String> lines = child.output()
                .lines()
                .filter(line -> !line.startsWith("WARNING: Using incubator"))
                .toList();
        assertThat(lines).as(child.output()).hasSize(1);
        assertThat(lines.getFirst()).startsWith(main.getSimpleName() + ": ").contains(fragment);
        assertThat(child.exitCode()).isEqualTo(2);
    }

    @Test
    void badInputIsOneLineAndExitCode2() throws IOException {
        refused(Mnist.class, "'--model'", "--model=rnn");
        refused(Mnist.class, "--epochs is 0; it is 1 or more", "--epochs=0");
        refused(Mnist.class, "has neither t10k-images", "--device=cpu", "--data=" + folder);
        refused(Distill.class, "--temperature is -1.0", "--temperature=-1");
        refused(Distill.class, "--labels is 0; it is 1 or more", "--labels=0");
        idx("t10k-images-idx3-ubyte", 5, 20, true);
        idx("t10k-labels-idx1-ubyte", 5, 28, false);
        refused(Mnist.class, "the pictures have shape [5, 20, 28]", "--device=cpu", "--data=" + folder);
        idx("t10k-images-idx3-ubyte", 5, 28, true);
        refused(Mnist.class, "--train-count is 8000", "--device=cpu", "--data=" + folder);
    }

    @Test
    void theCommandsPrintWhatTheyLearned() throws IOException {
        idx("t10k-images-idx3-ubyte", 50, 28, true);
        idx("t10k-labels-idx1-ubyte", 50, 28, false);
        Path checkpoint = folder.resolve("digits");
        ChildJvm mnist = ChildJvm.run(
                Mnist.class,
                List.of(),
                "--device=cpu",
                "--data=" + folder,
                "--train-count=40",
                "--epochs=2",
                "--checkpoint=" + checkpoint);
        assertThat(mnist.exitCode()).as(mnist.output()).isZero();
        assertThat(mnist.output()).contains("epoch 2: loss", "accuracy: ", "was taken for");
        assertThat(checkpoint).isNotEmptyFile();
        ChildJvm distill = ChildJvm.run(
                Distill.class,
                List.of(),
                "--device=cpu",
                "--data=" + folder,
                "--train-count=40",
                "--labels=5",
                "--epochs=1");
        assertThat(distill.exitCode()).as(distill.output()).isZero();
        assertThat(distill.output())
                .contains("teacher: ", "student alone, 5 labels: ", "student distilled, no label: ", "mistakes: ");
    }
}
