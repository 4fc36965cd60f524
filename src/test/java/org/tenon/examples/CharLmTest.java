package org.tenon.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.junit.DeviceTest;
import org.tenon.support.ChildJvm;

/** The command that trains a character model: what it prints, what it refuses, that it learns and repeats itself. */
class CharLmTest {
    @TempDir
    private Path folder;

    private static ChildJvm run(String... arguments) throws IOException {
        return ChildJvm.run(CharLm.class, List.of(), arguments);
    }

    private Path file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    @Test
    void itPrintsLossesAndASample() throws IOException {
        String text = "the quick brown fox jumps over the lazy dog\n".repeat(100);
        ChildJvm child = run("--text", file("fox.txt", text).toString(), "--steps", "60", "--device", "cpu");
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output())
                .contains("device: cpu (")
                .contains("text: 4,400 characters, 28 different, 3,960 for training")
                .contains("model: ")
                .contains("training loss: ")
                .contains("validation loss: ")
                .contains("unigram entropy: ")
                .contains("sample:")
                .contains("loss ")
                .contains("chars/s");
        assertThat(number(child.output(), "validation loss: ")).isLessThan(number(child.output(), "unigram entropy: "));
    }

    private static double number(String output, String label) {
        return output.lines()
                .filter(line -> line.startsWith(label))
                .mapToDouble(line ->
                        Double.parseDouble(line.substring(label.length()).split("[ ,]")[0]))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void helpNamesEveryOption() throws IOException {
        ChildJvm child = run("--help");
        assertThat(child.exitCode()).isZero();
        assertThat(child.output()).contains("--text", "--device", "--steps", "--seed", "--help", "--batch", "--lr");
    }

    @Test
    void badInputIsOneLineAndExitCode2() throws IOException {
        refused("Unknown option: '--step=3'", "--step=3");
        refused("--steps", "--steps", "many");
        refused("--steps is 0; it is 1 or more", "--steps", "0");
        refused("there is no such file", "--text", folder.resolve("absent.txt").toString());
        refused("has 0 characters", "--text", file("empty.txt", "").toString());
        refused(
                "has 5 characters; at least 360 are needed",
                "--text",
                file("short.txt", "short").toString());
        Path binary = Files.write(folder.resolve("binary"), new byte[] {(byte) 0xC3, (byte) 0x28, (byte) 0xFF});
        refused("not text in UTF-8", "--text", binary.toString());
        refused("Is a directory", "--text", folder.toString());
        String text = file("text.txt", "text ".repeat(200)).toString();
        refused("there is no such kind of device; use cuda, opencl, cpu, or best", "--text", text, "--device", "tpu");
        refused("--device cpu:7: there is no such device; here are [cpu]", "--text", text, "--device", "cpu:7");
        refused("--lr is -1.0", "--lr", "-1");
    }

    private static void refused(String fragment, String... arguments) throws IOException {
        ChildJvm child = run(arguments);
        List<String> lines = child.output()
                .lines()
                .filter(line -> !line.startsWith("WARNING: Using incubator"))
                .toList();
        assertThat(lines).as(child.output()).hasSize(1);
        assertThat(lines.getFirst()).startsWith("CharLm: ").contains(fragment);
        assertThat(child.exitCode()).isEqualTo(2);
    }

    @DeviceTest
    void theSameSeedGivesTheSameBits(Device<?> device) throws IOException {
        Corpus corpus = Corpus.ofFile(file("text.txt", "to be, or not to be: that is the question. ".repeat(40)));
        List<Double> first = losses(device, corpus, 5);
        assertThat(first).hasSize(30).isEqualTo(losses(device, corpus, 5));
        assertThat(losses(device, corpus, 6)).isNotEqualTo(first);
        assertThat(first.getLast()).isLessThan(first.getFirst());
    }

    private static <Dev extends DeviceType> List<Double> losses(Device<Dev> device, Corpus corpus, long seed) {
        long before = device.memory().liveBuffers();
        List<Double> all = new ArrayList<>();
        var settings = new CharTraining.Settings(30, 32, 4, 8, 32, 1e-2, seed);
        try (var training = new CharTraining<>(device, corpus, settings)) {
            training.run(1, (step, loss) -> all.add(loss));
            all.set(29, training.validationLoss());
        }
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
        return all;
    }

    @Test
    void unigramEntropyIsThatOfFrequencies() throws IOException {
        Corpus corpus = Corpus.ofFile(file("ab.txt", "ab".repeat(500)));
        assertThat(corpus.unigramEntropy()).isCloseTo(Math.log(2), org.assertj.core.api.Assertions.within(1e-12));
        assertThat(corpus.length()).isEqualTo(1000);
        assertThat(corpus.trainingLength()).isEqualTo(900);
        Path windows = Files.write(folder.resolve("crlf.txt"), "a\r\nb".getBytes(StandardCharsets.UTF_8));
        assertThat(Corpus.ofFile(windows).length()).isEqualTo(3);
    }
}
