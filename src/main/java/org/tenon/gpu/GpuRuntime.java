package org.tenon.gpu;

import java.lang.foreign.MemorySegment;
import org.tenon.DeviceType;
import org.tenon.TensorStateException;
import org.tenon.spi.Buffer;
import org.tenon.spi.CustomKernel;
import org.tenon.spi.RawMemory;

/** One GPU (or what acts as one) with a queue whose commands run in order. Safe for use from several threads. */
public interface GpuRuntime {
    /** The name users know it by. */
    String name();

    /** What it is, in one line. */
    String description();

    /** The device type it stands for. */
    Class<? extends DeviceType> type();

    /** As {@link org.tenon.spi.Backend#rank}. */
    int rank();

    /** How kernels should be shaped for it. */
    Traits traits();

    /** Where memory comes from. */
    RawMemory memory();

    /**
     * A kernel, built on first use.
     *
     * @param file the source's name without its ending, such as {@code reduce}
     * @param kernel the kernel's name within it
     * @param options definitions, such as {@code -DT=f32 -DOP=SUM}, with {@code -DBLOCK=} among them
     */
    GpuKernel kernel(String file, String kernel, String options);

    /**
     * A user's kernel, built anew at each call; its build log is part of the error where it does not build.
     *
     * @param kernel its sources and name
     * @param preamble what stands between {@code common.h} and a source in C: the names of its operands
     * @param options definitions, with {@code -DBLOCK=} among them
     */
    default GpuKernel custom(CustomKernel kernel, String preamble, String options) {
        throw new TensorStateException(
                kernel.name(), name() + " takes no kernels of users yet; move the inputs to another device");
    }

    /** Queues a launch of {@code groups} groups of the kernel's size. Returns before it runs. */
    void launch(GpuKernel kernel, long groups, Launch launch);

    /** Copies host memory into a buffer, counted from the start of its block; the source may be reused on return. */
    void write(MemorySegment from, Buffer to, long offset);

    /** Copies from a buffer, counted from the start of its block, into host memory, after all that was queued. */
    void read(Buffer from, long offset, MemorySegment to);

    /** As {@link org.tenon.spi.Backend#copyFrom}, counted from the starts of the blocks. */
    default boolean copyFrom(GpuRuntime other, Buffer from, long fromOffset, Buffer to, long toOffset, long bytes) {
        return false;
    }

    /** Whoever multiplies matrices better than our own kernels do, if there is someone. */
    default ProductLibrary products() {
        return ProductLibrary.NONE;
    }

    /** Waits for everything queued. */
    void finish();

    /** A graph of launches that is empty, or null where there is no such thing. */
    default Graph graph() {
        return null;
    }

    /** Launches that are kept, to be queued again and again as one. */
    interface Graph {
        /**
         * Runs {@code body}, whose launches are kept and not queued; those of other threads wait. Copies and waiting are
         * refused in it. Where it fails nothing is kept.
         */
        void record(Runnable body);

        /** Queues what was kept. */
        void launch();

        /** Forgets it; harmless where there is nothing. */
        void close();
    }

    /**
     * What the launch code asks of a device.
     *
     * @param fp64 whether it computes in float64
     * @param block threads of a group that works together on a row; 1 on a CPU, where one thread does a row best
     * @param threads threads of a group whose threads have nothing to do with each other; a power of two, at most 256
     * @param lanes neighbours a thread takes at once, for vector instructions of a CPU
     * @param units how many groups run at once, roughly
     * @param localBytes what a group may have in local memory
     * @param warps what the kernels written for CUDA need to know; null elsewhere
     */
    record Traits(boolean fp64, int block, int threads, int lanes, int units, long localBytes, Warps warps) {
        /** A device with groups of 256 threads and 48 KiB of local memory. */
        public Traits(boolean fp64, int block, int lanes, int units) {
            this(fp64, block, 256, lanes, units, 48 << 10, null);
        }

        /** The same of a device with warps. */
        public Traits(boolean fp64, int block, int lanes, int units, Warps warps) {
            this(fp64, block, 256, lanes, units, 48 << 10, warps);
        }

        /** Whether groups have more than one thread for a row. */
        boolean cooperative() {
            return block > 1;
        }
    }

    /**
     * A device whose threads run in warps of 32 that can exchange registers.
     *
     * @param sharedBytes the most memory that the threads of a group may share
     * @param clusters whether groups can work together in clusters
     */
    record Warps(long sharedBytes, boolean clusters) {}
}
