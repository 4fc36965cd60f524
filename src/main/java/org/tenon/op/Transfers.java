package org.tenon.op;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.tenon.spi.Backend;
import org.tenon.spi.Buffer;

/**
 * Copies from one device to another by the shortest way: straight between devices that can, one copy where one side is host
 * memory, and else through a piece of host memory, so that a copy of any size needs no more than that piece.
 */
final class Transfers {
    private static final long PIECE = Long.getLong("tenon.copy.piece", 32L << 20);

    private Transfers() {}

    /** A copy on another device, row-major. */
    static Value to(Value x, Backend backend) {
        Value dense = GradMode.off(() -> Copies.contiguous(x));
        try {
            Value out = Value.allocate("to", backend, x.dtype(), x.sizes());
            long bytes = x.count() * x.dtype().bytes();
            if (bytes > 0) {
                try (Pins _ = Pins.of(dense, out)) {
                    copy(
                            dense.backend(),
                            dense.strided().buffer(),
                            dense.layout().offset() * x.dtype().bytes(),
                            backend,
                            out.strided().buffer(),
                            bytes);
                }
            }
            return out;
        } finally {
            if (dense != x) {
                dense.close();
            }
        }
    }

    private static void copy(Backend source, Buffer from, long offset, Backend target, Buffer to, long bytes) {
        if (from.host() != null) {
            source.synchronize();
            target.upload(from.host().asSlice(offset, bytes), to, 0);
        } else if (to.host() != null) {
            source.download(from, offset, to.host().asSlice(0, bytes));
        } else if (!target.copyFrom(source, from, offset, to, 0, bytes)) {
            byPieces(source, from, offset, target, to, bytes);
        }
    }

    private static void byPieces(Backend source, Buffer from, long offset, Backend target, Buffer to, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment piece = arena.allocate(Math.min(PIECE, bytes), 64);
            for (long at = 0; at < bytes; at += PIECE) {
                MemorySegment part = piece.asSlice(0, Math.min(PIECE, bytes - at));
                source.download(from, offset + at, part);
                target.upload(part, to, at);
            }
        }
    }
}
