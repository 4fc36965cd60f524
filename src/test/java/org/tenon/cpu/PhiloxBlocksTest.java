package org.tenon.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.tenon.spi.Philox;

/** Many blocks at once are those that {@link Philox} makes one by one. */
@Tag("plain")
class PhiloxBlocksTest {
    @Test
    void areThoseOfPhilox() {
        long[] keys = {0, 1, -1, 0x123456789ABCDEF0L, Long.MIN_VALUE};
        long[] counters = {0, 1, 0xFFFFFFFFL - 20, 0x7FFFFFFFL - 20, -30, Long.MAX_VALUE - 5, 0xFEDCBA9876543210L};
        PhiloxBlocks blocks = new PhiloxBlocks();
        int[] words = new int[4];
        for (long key : keys) {
            for (long counter : counters) {
                blocks.make(counter, key);
                for (int i = 0; i < PhiloxBlocks.COUNT; i++) {
                    Philox.block(counter + i, key, words);
                    for (int k = 0; k < 4; k++) {
                        assertThat(blocks.words(k)[i])
                                .as("word %d of block %d from %x under %x", k, i, counter, key)
                                .isEqualTo(Integer.toUnsignedLong(words[k]));
                    }
                }
            }
        }
    }
}
