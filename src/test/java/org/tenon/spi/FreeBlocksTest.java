package org.tenon.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Against a map of queues, which is the same and makes garbage. */
class FreeBlocksTest {
    private static final class Block extends Buffer {
        Block(long capacity) {
            super(capacity);
        }

        @Override
        protected void release() {}

        @Override
        protected void fillBytes(long from, long length, byte value) {}

        @Override
        protected boolean allBytes(long from, long length, byte value) {
            return true;
        }
    }

    @Test
    void theSmallestThatFitsAndOfThoseTheLastFreed() {
        Random random = new Random(1);
        FreeBlocks free = new FreeBlocks();
        TreeMap<Long, ArrayDeque<Buffer>> wanted = new TreeMap<>();
        long bytes = 0;
        int taken = 0;
        for (int i = 0; i < 20_000; i++) {
            long size = 512L * (1 + random.nextInt(300));
            if (random.nextInt(100) < (i % 4000 < 2000 ? 60 : 40)) {
                Block block = new Block(size);
                free.add(block);
                wanted.computeIfAbsent(size, _ -> new ArrayDeque<>()).addLast(block);
                bytes += size;
            } else {
                Buffer got = free.take(size, size + size / 4);
                Map.Entry<Long, ArrayDeque<Buffer>> entry = wanted.ceilingEntry(size);
                if (entry == null || entry.getKey() > size + size / 4) {
                    assertThat(got).isNull();
                } else {
                    assertThat(got).isSameAs(entry.getValue().pollLast());
                    bytes -= got.capacity();
                    taken++;
                    if (entry.getValue().isEmpty()) {
                        wanted.remove(entry.getKey());
                    }
                }
            }
            assertThat(free.bytes()).isEqualTo(bytes);
        }
        assertThat(taken).isGreaterThan(5000);
        List<Buffer> rest = new ArrayList<>();
        free.clear(rest::add);
        assertThat(rest.stream().mapToLong(Buffer::capacity).sum()).isEqualTo(bytes);
        assertThat(free.bytes()).isZero();
        assertThat(free.take(0, Long.MAX_VALUE)).isNull();
    }
}
