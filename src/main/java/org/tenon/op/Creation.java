package org.tenon.op;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.tenon.DType;
import org.tenon.TensorArgumentException;
import org.tenon.spi.Backend;

/** New values: filled, counted, or copied from host memory; and back to the host. */
public final class Creation {
    private static final long PIECE = 4 << 20;
    private static final long ALIGNMENT = 64;

    private Creation() {}

    /** Every element {@code value}. */
    public static Value full(String op, Backend backend, DType dtype, double value, long... sizes) {
        Checks.holds(op, dtype, value);
        Value out = Value.allocate(op, backend, dtype, Checks.newSizes(op, sizes));
        return fill(out, value);
    }

    static Value zeros(String op, Value like) {
        return full(op, like.backend(), like.dtype(), 0, like.sizes());
    }

    private static Value fill(Value out, double value) {
        try (Pins _ = Pins.of(out)) {
            out.backend().kernels().fill(out.strided(), value);
        }
        return out;
    }

    /** {@code start, start + step, ...} below {@code end} (above it for a negative step). */
    public static Value arange(Backend backend, DType dtype, double start, double end, double step) {
        double length = Math.ceil((end - start) / step);
        if (!(step != 0 && Double.isFinite(length) && length < Long.MAX_VALUE)) {
            throw new TensorArgumentException(
                    "arange",
                    "cannot count from " + start + " to " + end + " by " + step + "; use a finite, non-zero step");
        }
        if (!dtype.isFloating() && (start != Math.rint(start) || step != Math.rint(step))) {
            throw new TensorArgumentException(
                    "arange",
                    "start " + start + " and step " + step
                            + " are not both whole; make them so, or use a floating type");
        }
        if (length < 0) {
            throw new TensorArgumentException(
                    "arange", "step " + step + " leads away from " + end + " at " + start + "; change its sign");
        }
        if (length > 0) {
            Checks.holds("arange", dtype, start);
            Checks.holds("arange", dtype, start + (length - 1) * step);
        }
        Value out = Value.allocate("arange", backend, dtype, (long) length);
        try (Pins _ = Pins.of(out)) {
            backend.kernels().arange(out.strided(), start, step);
        }
        return out;
    }

    /** Ones on the diagonal. */
    public static Value eye(Backend backend, DType dtype, long rows, long columns) {
        Value out = full("eye", backend, dtype, 0, rows, columns);
        long[] diagonal = {Math.min(rows, columns)};
        Value ones = out.view("eye", new Layout(0, diagonal, new long[] {columns + 1}));
        fill(ones, 1);
        ones.close();
        return out;
    }

    /** A copy of host memory: row-major elements of {@code dtype} in native byte order. */
    public static Value upload(Backend backend, DType dtype, MemorySegment from, long... sizes) {
        Checks.newSizes("tensor", sizes);
        long wanted = Layout.contiguous("tensor", dtype, sizes).count();
        if (from.byteSize() != wanted * dtype.bytes()) {
            throw new TensorArgumentException(
                    "tensor",
                    "the data has " + from.byteSize() / dtype.bytes() + " elements (" + from.byteSize() + " bytes of "
                            + dtype + "); shape " + Arrays.toString(sizes) + " needs " + wanted);
        }
        checkHost("tensor", "the data", from);
        Capture.refuse(
                "tensor", "cannot copy from host memory; make the tensor before, and copyFrom() it before each run");
        Value out = Value.allocate("tensor", backend, dtype, sizes);
        try (Pins _ = Pins.of(out)) {
            backend.upload(from, out.strided().buffer(), 0);
        }
        return out;
    }

    /** Where elements come from, piece after piece: a file. */
    @FunctionalInterface
    public interface Source {
        /** Fills host memory with the bytes from number {@code at} on. */
        void read(long at, MemorySegment piece) throws IOException;
    }

    /** Replaces the elements of a new value. Takes host memory for a piece only, however large the value is. */
    public static void refill(Value out, Source source) throws IOException {
        long bytes = out.count() * out.dtype().bytes();
        try (Arena arena = Arena.ofConfined();
                Pins _ = Pins.of(out)) {
            MemorySegment memory = arena.allocate(Math.clamp(bytes, 1, PIECE), ALIGNMENT);
            for (long at = 0; at < bytes; at += PIECE) {
                MemorySegment piece = memory.asSlice(0, Math.min(PIECE, bytes - at));
                source.read(at, piece);
                out.backend().upload(piece, out.strided().buffer(), at);
            }
        }
    }

    private static void checkHost(String op, String what, MemorySegment segment) {
        if (!segment.scope().isAlive()) {
            throw new TensorArgumentException(op, what + " is in an arena that was closed; keep it open");
        }
        if (!segment.isAccessibleBy(Thread.currentThread())) {
            throw new TensorArgumentException(
                    op, what + " is in an arena of another thread; use Arena.ofShared() or this thread's");
        }
    }

    /** Copies the elements, row-major, into host memory of exactly their size. Waits for the device. */
    public static void download(Value x, MemorySegment to) {
        x.checkOpen();
        Capture.refuse(
                "copyTo",
                "cannot read a result, as item(), toFloatArray() and copyTo() do; return the tensor, and read it after"
                        + " the run");
        checkHost("copyTo", "the target", to);
        if (to.isReadOnly()) {
            throw new TensorArgumentException("copyTo", "the target is read-only; give memory that can be written");
        }
        if (x.count() == 0) {
            return;
        }
        Value dense = GradMode.off(() -> Copies.contiguous(x));
        try (Pins _ = Pins.of(dense)) {
            dense.backend()
                    .download(
                            dense.strided().buffer(),
                            dense.layout().offset() * dense.dtype().bytes(),
                            to);
        } finally {
            if (dense != x) {
                dense.close();
            }
        }
    }
}
