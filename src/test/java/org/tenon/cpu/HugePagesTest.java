package org.tenon.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** Large blocks begin on a page of 2 MiB, are whole, and end with their arena. */
class HugePagesTest {
    private static final long PAGE = 2L << 20;

    @Test
    void blocksAreAlignedAndWhole() {
        assumeThat(System.getProperty("os.name")).isEqualTo("Linux");
        for (long bytes : new long[] {2 * PAGE, 2 * PAGE + 1, 3 * PAGE - 1, 17 * PAGE}) {
            MemorySegment block;
            try (Arena arena = Arena.ofConfined()) {
                block = HugePages.allocate(bytes, arena);
                assertThat(block.address() % PAGE).isZero();
                assertThat(block.byteSize()).isEqualTo(bytes);
                assertThat(block.get(ValueLayout.JAVA_BYTE, bytes - 1)).isZero();
                block.fill((byte) 3);
                assertThat(block.get(ValueLayout.JAVA_BYTE, bytes - 1)).isEqualTo((byte) 3);
            }
            assertThatThrownBy(() -> block.get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void smallBlocksAreLeftToOthers() {
        try (Arena arena = Arena.ofConfined()) {
            assertThat(HugePages.allocate(2 * PAGE - 1, arena)).isNull();
        }
    }

    @Test
    void moreThanThereIsIsNull() {
        try (Arena arena = Arena.ofConfined()) {
            assertThat(HugePages.allocate(1L << 60, arena)).isNull();
        }
    }
}
