package org.tenon.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tenon.support.ChildJvm;

/** The command that trains a character-level GPT: what it prints, what it refuses, how it goes on. */
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
        Path report = folder.resolve("report.html");
        ChildJvm child = run(
                "--text",
                file("fox.txt", text).toString(),
                "--steps=60",
                "--device=cpu",
                "--layers=1",
                "--embedding=32",
                "--context=16",
                "--sample-length=40",
                "--report=" + report,
                "--tensorboard=" + folder.resolve("board"));
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
        assertThat(report).content().contains("loss/validation");
        assertThat(folder.resolve("board")).isDirectoryContaining("glob:**events.out.tfevents*");
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
        assertThat(child.output())
                .contains(
                        "--text",
                        "--device",
                        "--preset",
                        "--layers",
                        "--heads",
                        "--embedding",
                        "--context",
                        "--dropout")
                .contains("--no-bias", "--batch", "--steps", "--lr", "--min-lr", "--warmup", "--weight-decay")
                .contains("--precision", "--seed", "--eval-every", "--eval-batches", "--temperature", "--top-k")
                .contains(
                        "--sample-length",
                        "--prompt",
                        "--checkpoint",
                        "--resume",
                        "--report",
                        "--tensorboard",
                        "--help");
    }

    @Test
    void badInputIsOneLineAndExitCode2() throws IOException {
        refused("Unknown option: '--step=3'", "--step=3");
        refused("--steps", "--steps", "many");
        refused("--steps is 0; it is 1 or more", "--steps", "0");
        refused("there is no such file", "--text", folder.resolve("absent.txt").toString());
        refused("has 0 characters", "--text", file("empty.txt", "").toString());
        refused(
                "has 5 characters; at least 680 are needed",
                "--text",
                file("short.txt", "short").toString());
        Path binary = Files.write(folder.resolve("binary"), new byte[] {(byte) 0xC3, (byte) 0x28, (byte) 0xFF});
        refused("the bytes here are not UTF-8", "--text", binary.toString());
        refused("Is a directory", "--text", folder.toString());
        String text = file("text.txt", "text ".repeat(200)).toString();
        refused("there is no such kind of device; use cuda, opencl, cpu, or best", "--text", text, "--device", "tpu");
        refused("--device cpu:7: there is no such device; here are [cpu]", "--text", text, "--device", "cpu:7");
        refused("--lr is -1.0", "--lr", "-1");
        refused("--heads is 5; it divides --embedding", "--heads=5", "--embedding=64");
        refused("--min-lr is 0.5; it is 0 or more and at most --lr", "--min-lr=0.5");
        refused("--dropout is 1.0", "--dropout=1");
        refused("'--precision'", "--precision=f8");
        refused("'--preset'", "--preset=tpu");
        refused("--temperature is 0.0", "--text", text, "--temperature=0");
        refused("--top-k is 0; it is 1 or more", "--text", text, "--top-k=0");
        refused("--prompt: vocabulary: character 'q' at position 1", "--text", text, "--prompt=eq");
        refused("--resume needs --checkpoint FILE", "--resume");
        refused(
                "there is no such file",
                "--resume",
                "--checkpoint",
                folder.resolve("none").toString());
        refused(
                "--report",
                "--text",
                text,
                "--device=cpu",
                "--report",
                folder.resolve("no/such/report.html").toString());
    }

    @Test
    void aCheckpointIsGoneOnFrom() throws IOException {
        String text = file("text.txt", "to be, or not to be: that is the question. ".repeat(40))
                .toString();
        Path checkpoint = folder.resolve("checkpoint");
        String[] flags = {
            "--checkpoint=" + checkpoint, "--device=cpu", "--layers=1", "--heads=2", "--context=8", "--sample-length=30"
        };
        ChildJvm first = run(with(flags, "--text=" + text, "--embedding=16", "--steps=20"));
        assertThat(first.exitCode()).as(first.output()).isZero();
        byte[] saved = Files.readAllBytes(checkpoint);
        ChildJvm again = run(with(flags, "--text=" + text, "--embedding=16", "--steps=20", "--resume"));
        assertThat(again.exitCode()).as(again.output()).isZero();
        assertThat(results(again)).isEqualTo(results(first)).hasSizeGreaterThan(4);
        assertThat(checkpoint).hasBinaryContent(saved);
        ChildJvm longer = run(with(flags, "--text=" + text, "--embedding=16", "--steps=60", "--resume"));
        assertThat(number(longer.output(), "validation loss: "))
                .as(longer.output())
                .isLessThan(number(first.output(), "validation loss: "));
        refused(
                "was trained with --embedding 16; here it is 8",
                with(flags, "--text=" + text, "--embedding=8", "--resume"));
        refused(
                "was trained with --seed 1; here it is 2",
                with(flags, "--text=" + text, "--embedding=16", "--seed=2", "--resume"));
        String other =
                file("other.txt", "another text has other letters ".repeat(40)).toString();
        refused(
                "was trained on a text of other characters",
                with(flags, "--text=" + other, "--embedding=16", "--resume"));
        Files.write(checkpoint, new byte[100]);
        refused("--checkpoint: " + checkpoint, with(flags, "--text=" + text, "--embedding=16", "--resume"));
    }

    private static String[] with(String[] flags, String... more) {
        return Stream.concat(Arrays.stream(flags), Arrays.stream(more)).toArray(String[]::new);
    }

    /** The lines from the losses on. */
    private static List<String> results(ChildJvm child) {
        return child.output()
                .lines()
                .dropWhile(line -> !line.startsWith("training loss: "))
                .toList();
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
