package org.tenon.gpu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.tenon.spi.Allocator;
import org.tenon.spi.Buffer;
import org.tenon.spi.RawMemory;

/**
 * Every kernel that the launch code can ask of a CUDA device, written to {@code kernels/catalog.tsv}: what PTX and the
 * kernels for the host are built from. Run it after a change of what is launched.
 */
public final class Catalog {
    /** Where the list lies. */
    static final Path FILE = Path.of("kernels", "catalog.tsv");

    private Catalog() {}

    /** Writes the list. */
    public static void main(String[] args) throws IOException {
        Files.writeString(FILE, text());
        System.out.println(FILE + ": " + text().lines().count() + " kernels");
    }

    /** A line for each kernel, sorted: name, file, kernel, threads of a block, options. */
    static String text() {
        Recorder recorder = new Recorder();
        new GpuKernels(
                        recorder,
                        new Allocator("catalog", recorder.memory()),
                        new IndexFlag(recorder, new Allocator("flag", recorder.memory())))
                .buildAll();
        return String.join("", recorder.lines.values());
    }

    /** A device that notes what is built for it and cannot do more. */
    private static final class Recorder extends PretendedRuntime {
        private final Map<String, String> lines = new TreeMap<>();

        Recorder() {
            super("catalog", new Traits(true, 256, 1, 100, new Warps(227 << 10, true)));
        }

        @Override
        public GpuKernel kernel(String file, String kernel, String options) {
            String name = KernelNames.of(file, kernel, options);
            int block = block(options);
            String line = String.join("\t", name, file, kernel, String.valueOf(block), options) + "\n";
            String before = lines.put(name, line);
            if (before != null && !before.equals(line)) {
                throw new IllegalStateException("two kernels have the name " + name);
            }
            return new GpuKernel(name, block) {};
        }

        @Override
        public RawMemory memory() {
            return new RawMemory() {
                @Override
                public Buffer create(long bytes) {
                    return null;
                }

                @Override
                public long limit() {
                    return 0;
                }
            };
        }

        @Override
        public void launch(GpuKernel kernel, long groups, Launch launch) {
            throw new IllegalStateException("a list launches nothing");
        }

        @Override
        public void write(MemorySegment from, Buffer to, long offset) {
            throw new IllegalStateException("a list has no memory");
        }

        @Override
        public void read(Buffer from, long offset, MemorySegment to) {
            throw new IllegalStateException("a list has no memory");
        }
    }

    /** The list in the tree, for the test. */
    static String file() {
        try {
            return Files.readString(FILE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
