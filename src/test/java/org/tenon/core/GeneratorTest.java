package org.tenon.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.Generator;
import org.tenon.R1;
import org.tenon.Scope;
import org.tenon.TensorArgumentException;
import org.tenon.junit.DeviceTest;
import org.tenon.spi.Philox;

/** Where random numbers come from. */
class GeneratorTest {
    /** The known answers that the authors of Philox publish with their code, Random123. */
    @Test
    void philoxGivesTheKnownAnswers() {
        block(0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
        block(-1, -1, -1, -1, -1, -1, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
        block(
                0x243f6a88,
                0x85a308d3,
                0x13198a2e,
                0x03707344,
                0xa4093822,
                0x299f31d0,
                0xd16cfe09,
                0x94fdcceb,
                0x5001e420,
                0x24126ea1);
    }

    private static void block(int c0, int c1, int c2, int c3, int k0, int k1, int... expected) {
        int[] words = new int[4];
        Philox.block(c0, c1, c2, c3, k0, k1, words);
        assertThat(words).containsExactly(expected);
    }

    @Test
    void aSeedStartsASequenceAnew() {
        Generator generator = new Generator(7);
        assertThat(generator.advance(10)).isZero();
        assertThat(generator.advance(5)).isEqualTo(10);
        assertThat(generator.position()).isEqualTo(15);
        generator.reseed(8);
        assertThat(generator.seed()).isEqualTo(8);
        assertThat(generator.position()).isZero();
    }

    @DeviceTest
    void manualSeedRepeatsWhatTheStandardGeneratorDraws(Device<?> device) {
        Scope.run(() -> {
            Generator.manualSeed(3);
            float[] first = device.randn(R1.of(100)).toFloatArray();
            float[] second = device.randn(R1.of(100)).toFloatArray();
            Generator.manualSeed(3);
            assertThat(device.randn(R1.of(100)).toFloatArray()).isEqualTo(first).isNotEqualTo(second);
        });
    }

    @DeviceTest
    void aPermutationHasEachNumberOnceAndEachOrderIsAsLikely(Device<?> device) {
        Generator generator = new Generator(1);
        Scope.run(() -> {
            long[] order = device.permutation(1000, generator).toLongArray();
            assertThat(LongStream.of(order).sorted().toArray())
                    .isEqualTo(LongStream.range(0, 1000).toArray());
            assertThat(order).isNotEqualTo(LongStream.range(0, 1000).toArray());
            assertThat(device.permutation(0, generator).shape()).containsExactly(0);
            int[] counts = new int[6];
            for (int i = 0; i < 6000; i++) {
                long[] three = device.permutation(3, generator).toLongArray();
                counts[(int) (three[0] * 2 + (three[1] > three[2] ? 1 : 0))]++;
            }
            assertThat(Arrays.stream(counts).min().orElseThrow()).isGreaterThan(850);
            assertThatThrownBy(() -> device.permutation(-1, generator))
                    .isInstanceOf(TensorArgumentException.class)
                    .hasMessageContaining("-1");
        });
    }

    @Test
    void aHostStreamDrawsBelowItsBound() {
        Generator.HostStream stream = new Generator(5).stream(1000);
        int[] counts = new int[10];
        for (int i = 0; i < 1000; i++) {
            counts[(int) stream.below(10)]++;
        }
        assertThat(Arrays.stream(counts).min().orElseThrow()).isGreaterThan(60);
        assertThatThrownBy(() -> stream.below(0)).isInstanceOf(TensorArgumentException.class);
    }

    @DeviceTest
    void uniformNumbersFillTheirRange(Device<?> device) {
        Scope.run(() -> {
            float[] x = device.uniform(R1.of(100_000), -2, 6, DType.F32, new Generator(2))
                    .toFloatArray();
            int[] counts = new int[8];
            for (float each : x) {
                counts[(int) Math.floor(each + 2)]++;
            }
            assertThat(Arrays.stream(counts).min().orElseThrow()).isGreaterThan(12_000);
        });
    }
}
