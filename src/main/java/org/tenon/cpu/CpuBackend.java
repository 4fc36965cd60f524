package org.tenon.cpu;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.DeviceType;
import org.tenon.spi.Allocator;
import org.tenon.spi.Backend;
import org.tenon.spi.Buffer;
import org.tenon.spi.Kernels;
import org.tenon.spi.RawMemory;

/** The CPU as a device: host memory, a few threads, every element type. */
final class CpuBackend implements Backend {
    private final Allocator allocator = new Allocator("cpu", new HostMemory(Settings.memory()));
    private final Kernels kernels = new CpuKernels();

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public String description() {
        return model() + ", " + Parallel.THREADS + (Parallel.THREADS == 1 ? " thread, " : " threads, ")
                + Lanes.CHOSEN.description();
    }

    private static String model() {
        try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("model name"))
                    .findFirst()
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .orElse(System.getProperty("os.arch"));
        } catch (IOException | java.io.UncheckedIOException e) {
            return System.getProperty("os.arch");
        }
    }

    @Override
    public Class<? extends DeviceType> type() {
        return Cpu.class;
    }

    @Override
    public int rank() {
        return 0;
    }

    @Override
    public boolean supports(DType dtype) {
        return true;
    }

    @Override
    public Allocator allocator() {
        return allocator;
    }

    @Override
    public Kernels kernels() {
        return kernels;
    }

    @Override
    public void upload(MemorySegment from, Buffer to, long byteOffset) {
        ((CpuBuffer) to).usable().asSlice(byteOffset, from.byteSize()).copyFrom(from);
    }

    @Override
    public void download(Buffer from, long byteOffset, MemorySegment to) {
        to.copyFrom(((CpuBuffer) from).usable().asSlice(byteOffset, to.byteSize()));
    }

    @Override
    public void synchronize() {
        // A kernel is done when its call returns.
    }

    /** Off-heap memory up to {@code -Dtenon.cpu.memory}, such as 4g or 512m, by default 7/8 of the machine's. */
    private static final class HostMemory implements RawMemory {
        private final long limit;

        HostMemory(Long limit) {
            this.limit = limit == null ? physical() / 8 * 7 : limit;
        }

        /** The machine's memory; where the JVM has no module to ask, that of its heap stands in. */
        private static long physical() {
            try {
                return Machine.memory();
            } catch (LinkageError e) {
                return Runtime.getRuntime().maxMemory();
            }
        }

        @Override
        public Buffer create(long bytes) {
            try {
                return new CpuBuffer(bytes);
            } catch (OutOfMemoryError e) {
                return null;
            }
        }

        @Override
        public long limit() {
            return limit;
        }
    }

    /** Apart, since a small runtime may lack the module jdk.management. */
    private static final class Machine {
        static long memory() {
            return ManagementFactory.getOperatingSystemMXBean()
                            instanceof com.sun.management.OperatingSystemMXBean machine
                    ? machine.getTotalMemorySize()
                    : Runtime.getRuntime().maxMemory();
        }
    }
}
