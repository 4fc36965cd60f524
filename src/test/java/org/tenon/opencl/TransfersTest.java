package org.tenon.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.tenon.gpu.GpuBackend;
import org.tenon.spi.Buffer;

/** Copies through the pinned ring: no byte is lost, whatever their sizes, their number and their order. */
class TransfersTest {
    private static final int MIB = 1 << 20;

    private final GpuBackend backend = new GpuBackend(new OpenClRuntime("opencl:test", Present.found()));

    private static MemorySegment random(Arena arena, int bytes, long seed) {
        byte[] values = new byte[bytes];
        new Random(seed).nextBytes(values);
        return arena.allocateFrom(ValueLayout.JAVA_BYTE, values);
    }

    @Test
    void everySizeAndOffset() {
        try (Arena arena = Arena.ofConfined()) {
            int seed = 0;
            for (int bytes : new int[] {
                1, 63, 64, 65, 4095, MIB - 1, MIB, MIB + 1, 3 * MIB, 4 * MIB - 1, 4 * MIB, 4 * MIB + 3, 11 * MIB + 7
            }) {
                for (int offset : new int[] {0, 1, 517}) {
                    MemorySegment sent = random(arena, bytes, ++seed);
                    Buffer buffer = backend.allocator().allocate(bytes + offset);
                    backend.upload(sent, buffer, offset);
                    MemorySegment back = arena.allocate(bytes);
                    backend.download(buffer, offset, back);
                    assertThat(back.mismatch(sent))
                            .as("%d bytes at %d", bytes, offset)
                            .isEqualTo(-1);
                    backend.allocator().free(buffer);
                }
            }
        }
    }

    @Test
    void nothingIsNothing() {
        Buffer buffer = backend.allocator().allocate(0);
        backend.upload(MemorySegment.NULL, buffer, 0);
        backend.download(buffer, 0, MemorySegment.NULL);
        backend.allocator().free(buffer);
    }

    /** More pieces than the ring holds, and none read before the last is written; the source is overwritten at once. */
    @Test
    void manyWritesBeforeOneRead() {
        int pieces = 3000;
        int bytes = 2500;
        try (Arena arena = Arena.ofConfined()) {
            Buffer buffer = backend.allocator().allocate((long) pieces * bytes);
            MemorySegment scratch = arena.allocate(bytes);
            MemorySegment expected = arena.allocate((long) pieces * bytes);
            for (int i = 0; i < pieces; i++) {
                scratch.copyFrom(random(arena, bytes, i));
                MemorySegment.copy(scratch, 0, expected, (long) i * bytes, bytes);
                backend.upload(scratch, buffer, (long) i * bytes);
                scratch.fill((byte) 0x55);
            }
            MemorySegment back = arena.allocate((long) pieces * bytes);
            backend.download(buffer, 0, back);
            assertThat(back.mismatch(expected)).isEqualTo(-1);
            backend.allocator().free(buffer);
        }
    }

    @Test
    void readsAndWritesOfAllSizesTakeTurns() {
        Random random = new Random(5);
        List<Buffer> buffers = new ArrayList<>();
        List<MemorySegment> sent = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            for (int i = 0; i < 60; i++) {
                int bytes = 1 + random.nextInt(random.nextBoolean() ? 100 : 2 * MIB);
                MemorySegment each = random(arena, bytes, i);
                Buffer buffer = backend.allocator().allocate(bytes);
                backend.upload(each, buffer, 0);
                buffers.add(buffer);
                sent.add(each);
                int other = random.nextInt(buffers.size());
                MemorySegment back = arena.allocate(sent.get(other).byteSize());
                backend.download(buffers.get(other), 0, back);
                assertThat(back.mismatch(sent.get(other)))
                        .as("buffer %d after %d", other, i)
                        .isEqualTo(-1);
            }
        }
        buffers.forEach(backend.allocator()::free);
    }
}
