package org.tenon.gpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tenon.spi.Buffer;
import org.tenon.spi.Strided;

/**
 * The arguments of one launch: buffers, then one structure of longs, as every kernel takes them. One for each thread, used
 * again and again, so that a launch makes no garbage.
 */
public final class Launch implements Longs {
    private static final int BUFFERS = 41;
    private static final int LONGS = 80;
    private static final ThreadLocal<Launch> CURRENT = ThreadLocal.withInitial(Launch::new);

    private final Buffer[] buffers = new Buffer[BUFFERS];
    private final MemorySegment longs = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG, LONGS);
    private final Axes axes = new Axes();
    private final Axes others = new Axes();
    private int bufferCount;
    private int longCount;
    private int sharedBytes;

    private Launch() {}

    /** This thread's launch, empty. */
    static Launch begin() {
        Launch launch = CURRENT.get();
        launch.clear();
        return launch;
    }

    /** This thread's axes, for its next launches. */
    static Axes axes() {
        return CURRENT.get().axes;
    }

    /** More of them, for launches that walk along two sets. */
    static Axes otherAxes() {
        return CURRENT.get().others;
    }

    /** Adds a buffer. */
    Launch buffer(Buffer buffer) {
        buffers[bufferCount++] = buffer;
        return this;
    }

    /** Adds an operand's buffer; its offset is for {@link #offset}. */
    Launch buffer(Strided operand) {
        return buffer(operand.buffer());
    }

    /** Adds a long to the structure. */
    @Override
    public Launch value(long value) {
        longs.setAtIndex(ValueLayout.JAVA_LONG, longCount++, value);
        return this;
    }

    /** Adds an operand's offset in elements from the start of its buffer's block. */
    Launch offset(Strided operand, long more) {
        return value(operand.buffer().base() / operand.dtype().bytes() + operand.offset() + more);
    }

    /** As above, of the operand's first element. */
    Launch offset(Strided operand) {
        return offset(operand, 0);
    }

    /** As above, or 0 where there is none. */
    Launch offsetOrZero(Strided operand) {
        return operand == null ? value(0) : offset(operand);
    }

    /** Whether an operand's first element lies at a multiple of so many bytes. */
    static boolean startsAt(Strided operand, int bytes) {
        return (operand.buffer().base() + operand.offset() * operand.dtype().bytes()) % bytes == 0;
    }

    /** The least power of two that is n or more; 1 for what is less. */
    static long powerAbove(long n) {
        return n <= 1 ? 1 : Long.highestOneBit(n - 1) << 1;
    }

    /** Adds {@link Axes#RANK} longs: the sizes of these axes, and then zeros. */
    Launch sizes(Axes axes) {
        for (int d = 0; d < Axes.RANK; d++) {
            value(d < axes.rank() ? axes.size(d) : 0);
        }
        return this;
    }

    /** The same of an operand's strides. */
    Launch strides(Axes axes, int operand) {
        for (int d = 0; d < Axes.RANK; d++) {
            value(d < axes.rank() ? axes.stride(operand, d) : 0);
        }
        return this;
    }

    /** Adds zeros. */
    @Override
    public Launch zeros(int number) {
        Longs.super.zeros(number);
        return this;
    }

    /** Asks for memory that the threads of a group share, besides what the kernel declares. */
    Launch shared(long bytes) {
        sharedBytes = Math.toIntExact(bytes);
        return this;
    }

    /** Queues it, and forgets the buffers. */
    void run(GpuRuntime runtime, GpuKernel kernel, long groups) {
        try {
            runtime.launch(kernel, groups, this);
        } finally {
            clear();
        }
    }

    /** As above with a thread for each of {@code items}. */
    void each(GpuRuntime runtime, GpuKernel kernel, long items) {
        run(runtime, kernel, (items + kernel.block() - 1) / kernel.block());
    }

    private void clear() {
        for (int i = 0; i < bufferCount; i++) {
            buffers[i] = null;
        }
        bufferCount = 0;
        longCount = 0;
        sharedBytes = 0;
    }

    /** The number of buffers. */
    public int buffers() {
        return bufferCount;
    }

    /** Buffer {@code i}. */
    public Buffer buffer(int i) {
        return buffers[i];
    }

    /** The bytes that the threads of a group share. */
    public int sharedBytes() {
        return sharedBytes;
    }

    /** The structure's bytes. */
    public long bytes() {
        return longCount * (long) Long.BYTES;
    }

    /** The structure: its first {@link #bytes} count. */
    public MemorySegment structure() {
        return longs;
    }
}
