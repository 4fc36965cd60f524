package org.tenon.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Generator;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.junit.DeviceTest;
import org.tenon.support.ChildJvm;

/** A training that stops and goes on, whatever happens between. */
class CheckpointTest {
    private static final List<String> NATIVE = List.of("--enable-native-access=ALL-UNNAMED", "-Xmx512m");

    @TempDir
    private Path folder;

    private Path file() {
        return folder.resolve("last.safetensors");
    }

    @DeviceTest
    void aTrainingGoesOnBitForBitInAnotherJvm(Device<?> device) throws IOException {
        goesOn(device);
    }

    private <Dev extends DeviceType> void goesOn(Device<Dev> device) throws IOException {
        List<String> unbroken;
        try (Trainee<Dev> trainee = new Trainee<>(device, 1)) {
            unbroken = trainee.train(0, 20);
        }
        assertThat(unbroken).hasSize(20).doesNotHaveDuplicates();
        try (Trainee<Dev> trainee = new Trainee<>(device, 1)) {
            assertThat(trainee.train(0, 10)).isEqualTo(unbroken.subList(0, 10));
            trainee.checkpoint().save(file(), 10);
        }
        ChildJvm child = ChildJvm.run(Trainee.class, NATIVE, "resume", device.name(), file().toString(), "20");
        assertThat(child.output()).contains("losses " + unbroken.subList(10, 20));
    }

    @Test
    void theSameStateGivesTheSameFile() throws IOException {
        try (Trainee<Cpu> trainee = new Trainee<>(Devices.cpu(), 1);
                Trainee<Cpu> other = new Trainee<>(Devices.cpu(), 2)) {
            trainee.train(0, 3);
            trainee.checkpoint().save(file(), 3, Map.of("run", "a"));
            Checkpoint.Loaded loaded = other.checkpoint().load(file());
            assertThat(loaded.step()).isEqualTo(3);
            assertThat(loaded.metadata()).isEqualTo(Map.of("run", "a"));
            assertThat(other.state()).isEqualTo(trainee.state());
            other.checkpoint().save(folder.resolve("again"), 3, Map.of("run", "a"));
            assertThat(Files.mismatch(file(), folder.resolve("again"))).isEqualTo(-1);
        }
    }

    @DeviceTest
    void oneDeviceLoadsWhatAnotherSaved(Device<?> device) throws IOException {
        across(device);
    }

    private <Dev extends DeviceType> void across(Device<Dev> device) throws IOException {
        try (Trainee<Cpu> trainee = new Trainee<>(Devices.cpu(), 1);
                Trainee<Dev> other = new Trainee<>(device, 2);
                Trainee<Cpu> back = new Trainee<>(Devices.cpu(), 3)) {
            trainee.train(0, 5);
            trainee.checkpoint().save(file(), 5);
            other.checkpoint().load(file());
            assertThat(other.state()).isEqualTo(trainee.state());
            float[] wanted = trainee.outputs();
            float[] got = other.outputs();
            for (int i = 0; i < wanted.length; i++) {
                assertThat(got[i]).isCloseTo(wanted[i], within(1e-5f));
            }
            Weights.save(other.net, folder.resolve("weights"));
            Weights.load(back.net, folder.resolve("weights"));
            assertThat(back.outputs()).isEqualTo(wanted);
        }
    }

    static LongStream haltingPoints() {
        return LongStream.of(0, 1, 8, 1000, 1800, 2300, 3000, -1, -2);
    }

    @ParameterizedTest
    @MethodSource("haltingPoints")
    void aKilledWriteLeavesTheLastWholeCheckpoint(long bytes) throws IOException {
        ChildJvm child = ChildJvm.run(Trainee.class, NATIVE, "halt", file().toString(), Long.toString(bytes));
        assertThat(child.exitCode()).as(child.output()).isEqualTo(9);
        try (Trainee<Cpu> unbroken = new Trainee<>(Devices.cpu(), 1);
                Trainee<Cpu> resumed = new Trainee<>(Devices.cpu(), 2)) {
            unbroken.train(0, 3);
            assertThat(resumed.checkpoint().load(file()).step()).isEqualTo(3);
            assertThat(resumed.train(3, 8)).isEqualTo(unbroken.train(3, 8));
            assertThat(leftOver()).hasSize(1);
            Files.setLastModifiedTime(leftOver().getFirst(), FileTime.fromMillis(0));
            resumed.checkpoint().save(file(), 8);
            assertThat(leftOver()).isEmpty();
        }
    }

    private List<Path> leftOver() throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.filter(each -> !each.equals(file())).toList();
        }
    }

    /** Bits, bytes, runs, cuts, insertions, swaps: each is refused, or what is loaded is what was saved. */
    @Test
    void corruptionsAreRefusedOrHarmless() throws IOException {
        Random random = new Random(20261124);
        try (Trainee<Cpu> trainee = new Trainee<>(Devices.cpu(), 1);
                Trainee<Cpu> other = new Trainee<>(Devices.cpu(), 2)) {
            trainee.train(0, 3);
            trainee.checkpoint().save(file(), 3, Map.of("text", "a \"quoted\" one"));
            byte[] whole = Files.readAllBytes(file());
            String saved = trainee.state();
            String before = other.state();
            Path damaged = folder.resolve("damaged");
            int refused = 0;
            int loaded = 0;
            for (int i = 0; i < 200; i++) {
                byte[] bytes = corrupt(whole, i, random);
                Files.write(damaged, bytes);
                try {
                    other.checkpoint().load(damaged);
                    assertThat(bytes).as("corruption %d", i).isEqualTo(whole);
                    assertThat(other.state()).isEqualTo(saved);
                    before = saved;
                    loaded++;
                } catch (FileFormatException e) {
                    assertThat(e).hasMessageStartingWith(damaged + ", byte ");
                    assertThat(other.state()).as("after refusal %d", i).isEqualTo(before);
                    refused++;
                }
            }
            System.out.printf("checkpoint: 200 corruptions, %d refused, %d loaded as saved%n", refused, loaded);
            assertThat(refused + loaded).isEqualTo(200);
        }
    }

    /** Of every five one in the length, one in the header, two anywhere, and one that changes the length. */
    private static byte[] corrupt(byte[] whole, int number, Random random) {
        byte[] bytes = whole.clone();
        int header = 8 + (whole[0] & 0xFF) + ((whole[1] & 0xFF) << 8);
        switch (number % 5) {
            case 0 -> bytes[random.nextInt(8)] ^= (byte) (1 << random.nextInt(8));
            case 1 -> bytes[8 + random.nextInt(header - 8)] = (byte) (32 + random.nextInt(95));
            case 2 -> bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            case 3 -> {
                int from = random.nextInt(bytes.length);
                int to = Math.min(bytes.length, from + 1 + random.nextInt(64));
                Arrays.fill(bytes, from, to, (byte) 0);
            }
            default -> {
                return switch (random.nextInt(3)) {
                    case 0 -> Arrays.copyOf(bytes, random.nextInt(bytes.length));
                    case 1 -> Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(100));
                    default -> {
                        int at = random.nextInt(bytes.length - 1);
                        byte kept = bytes[at];
                        bytes[at] = bytes[at + 1];
                        bytes[at + 1] = kept;
                        yield bytes;
                    }
                };
            }
        }
        return bytes;
    }

    @Test
    void oneErrorListsEverythingThatDiffers() throws IOException {
        try (Trainee<Cpu> trainee = new Trainee<>(Devices.cpu(), 1);
                Trainee<Cpu> wider = new Trainee<>(Devices.cpu(), 2, 20)) {
            trainee.checkpoint().save(file(), 0);
            String before = wider.state();
            Checkpoint wanted = new Checkpoint()
                    .module("model", wider.net)
                    .module("teacher", wider.net)
                    .generator("other", new Generator(1));
            assertThatThrownBy(() -> wanted.load(file()))
                    .isInstanceOfSatisfying(StateMismatchException.class, e -> {
                        assertThat(e.missing()).contains("teacher.first.weight", "generator other");
                        assertThat(e.unexpected())
                                .contains(
                                        "optimizer.state.0.exp_avg",
                                        "generator chance",
                                        "number optimizer.state.0.step");
                        assertThat(e.mismatched())
                                .contains("model.first.weight (the file has F32[12, 8], wanted is F32[20, 8])");
                    })
                    .hasMessageContaining("nothing was changed\n  missing in the file: ")
                    .hasMessageContaining("\n  unexpected in the file: ")
                    .hasMessageContaining("\n  of another shape or type: ");
            assertThat(wider.state()).isEqualTo(before);
        }
    }

    @Test
    void anotherElementTypeIsAMismatch() throws IOException {
        try (Trainee<Cpu> trainee = new Trainee<>(Devices.cpu(), 1)) {
            Map<String, Tensor<?, ?, ?>> doubles = new java.util.TreeMap<>();
            Weights.tensors(trainee.net).forEach((name, tensor) -> doubles.put(name, tensor.to(DType.F64)));
            Safetensors.write(file(), doubles, Map.of());
            assertThatThrownBy(() -> Weights.load(trainee.net, file()))
                    .isInstanceOf(StateMismatchException.class)
                    .hasMessageContaining("seen (the file has F64[1], wanted is F32[1])");
            assertThatThrownBy(() -> trainee.checkpoint().load(file()))
                    .isInstanceOf(FileFormatException.class)
                    .hasMessageContaining("is no checkpoint");
        }
    }

    @Test
    void numbersOfOthersAreKept() throws IOException {
        double[] scale = {65536, 3};
        Checkpoint checkpoint = new Checkpoint()
                .numbers("scaler", () -> Map.of("scale", scale[0], "good", scale[1]), loaded -> {
                    scale[0] = loaded.get("scale");
                    scale[1] = loaded.get("good");
                });
        checkpoint.save(file(), 1);
        scale[0] = 0;
        scale[1] = 0;
        checkpoint.load(file());
        assertThat(scale).containsExactly(65536, 3);
    }

    @Test
    void namesAreChecked() {
        Checkpoint checkpoint = new Checkpoint().generator("a", new Generator(1));
        assertThatThrownBy(() -> checkpoint.generator("a", new Generator(1)))
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining("taken");
        assertThatThrownBy(() -> checkpoint.generator("a.b", new Generator(1))).hasMessageContaining("dot");
        assertThatThrownBy(() -> checkpoint.save(file(), 1, Map.of("tenon.step", "1")))
                .hasMessageContaining("starts with tenon.");
    }
}
