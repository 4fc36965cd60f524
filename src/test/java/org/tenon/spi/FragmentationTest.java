package org.tenon.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tenon.OutOfDeviceMemoryException;

/**
 * Random allocations and frees of sizes over six decades, on a device that only counts: what the caching allocator holds
 * beyond what was asked for, and that it says out of memory only where there is none.
 *
 * <p>{@code -Dtenon.test.allocations=10000000} makes more of them than the million of the suite.
 */
class FragmentationTest {
    private static final int OPERATIONS = Integer.getInteger("tenon.test.allocations", 1_000_000);
    private static final int MOST_LIVE = 4000;
    /** What a buffer has however few bytes it is: the smallest class, the guard bands of checked memory, half again. */
    private static final long SMALL = 6 * 512;

    /** Memory that is a number. */
    private static final class Counted implements RawMemory {
        private final long limit;
        private long reserved;
        private long most;
        private long created;

        Counted(long limit) {
            this.limit = limit;
        }

        @Override
        public Buffer create(long bytes) {
            assertThat(reserved + bytes).as("within the device").isLessThanOrEqualTo(limit);
            reserved += bytes;
            most = Math.max(most, reserved);
            created++;
            return new Block(bytes);
        }

        @Override
        public long limit() {
            return limit;
        }

        private final class Block extends Buffer {
            private boolean released;

            Block(long capacity) {
                super(capacity);
            }

            @Override
            protected void release() {
                assertThat(released).as("given back twice").isFalse();
                released = true;
                reserved -= capacity();
            }

            @Override
            protected void fillBytes(long from, long length, byte value) {}

            @Override
            protected boolean allBytes(long from, long length, byte value) {
                return true;
            }
        }
    }

    /** From 100 bytes to 100 MB, half of them below 2 kB: the logarithm is that of a uniform number cubed. */
    private static long size(Random random) {
        double u = random.nextDouble();
        return (long) Math.pow(10, 2 + 6 * u * u * u);
    }

    /**
     * A class adds an eighth at most, and a block that is used again may be larger by a quarter, so what is live takes at
     * most 1.41 of what was asked for, and what each buffer has besides; the cache takes a quarter of the device. That holds
     * for any sequence. For this one, which is the same each time, what was held at most is less than half again of what was
     * asked for at most, also where the device has room to hold three times as much. The last device is too small.
     */
    @ParameterizedTest
    @ValueSource(longs = {64, 16, 8})
    void wasteIsBounded(long gib) {
        Counted memory = new Counted(gib << 30);
        Allocator allocator = new Allocator("counted", memory);
        Random random = new Random(20261125);
        Buffer[] live = new Buffer[MOST_LIVE];
        int count = 0;
        long asked = 0;
        long mostAsked = 0;
        long refused = 0;
        long allocations = 0;
        double worst = 0;
        for (int i = 0; i < OPERATIONS; i++) {
            // The number of live buffers swings, as that of a training does between forward and backward.
            double wave = 0.5 + 0.45 * Math.sin(i * 2 * Math.PI / 20_000);
            if (count == 0 || count < MOST_LIVE && random.nextDouble() * MOST_LIVE * wave * 2 > count) {
                long bytes = size(random);
                try {
                    Buffer buffer = allocator.allocate(bytes);
                    assertThat(buffer.bytes()).isEqualTo(bytes);
                    assertThat(buffer.capacity()).isLessThanOrEqualTo(bytes / 100 * 141 + bytes % 100 * 2 + SMALL);
                    live[count++] = buffer;
                    asked += bytes;
                    allocations++;
                } catch (OutOfDeviceMemoryException e) {
                    assertThat(allocator.stats().cachedBytes())
                            .as("cached when it said so")
                            .isZero();
                    assertThat(allocator.stats().liveBytes() + bytes + bytes / 8 + SMALL)
                            .as("what there would have to be")
                            .isGreaterThan(memory.limit());
                    refused++;
                }
            } else {
                int at = random.nextInt(count);
                asked -= live[at].bytes();
                allocator.free(live[at]);
                live[at] = live[--count];
                live[count] = null;
            }
            mostAsked = Math.max(mostAsked, asked);
            if (i % 1000 == 0) {
                MemoryStats stats = allocator.stats();
                assertThat(stats.liveBuffers()).isEqualTo(count);
                assertThat(stats.liveBytes() + stats.cachedBytes()).isEqualTo(memory.reserved);
                assertThat(stats.cachedBytes()).isLessThanOrEqualTo(memory.limit() / 4);
                assertThat(stats.liveBytes()).isLessThanOrEqualTo(asked / 100 * 141 + count * SMALL);
                if (asked > 1L << 30) {
                    worst = Math.max(worst, (double) stats.liveBytes() / asked);
                }
            }
        }
        double waste = (double) memory.most / mostAsked;
        System.out.printf(
                "fragmentation: %,d operations, %,d allocations (%,d of the device, %.2f %%), %,d refused; asked for"
                        + " at most %.2f GiB, held at most %.2f GiB of %d: %.3f; live buffers at most %.3f of what was"
                        + " asked%n",
                OPERATIONS,
                allocations,
                memory.created,
                100.0 * memory.created / allocations,
                refused,
                mostAsked / 0x1p30,
                memory.most / 0x1p30,
                gib,
                waste,
                worst);
        assertThat(memory.most).isLessThanOrEqualTo(mostAsked / 100 * 141 + MOST_LIVE * SMALL + memory.limit() / 4);
        assertThat(waste).isLessThan(1.5);
        for (int i = 0; i < count; i++) {
            allocator.free(live[i]);
        }
        allocator.trim();
        assertThat(memory.reserved).isZero();
        assertThat(allocator.stats().liveBytes()).isZero();
    }
}
