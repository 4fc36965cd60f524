package org.tenon.gpu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tenon.spi.Buffer;
import org.tenon.spi.CustomKernel;
import org.tenon.spi.RawMemory;

/**
 * A device that computes nothing and notes each launch as the kernel would see it: {@code kernel(parameter=buffer ...
 * field=value ...)}, with names from the kernel's text. A launch of other arguments than that text declares is an error.
 */
final class Recorder extends PretendedRuntime {
    private static final Pattern INCLUDE = Pattern.compile("#include \"([^\"]*)\"");

    private final List<String> launches = new ArrayList<>();
    private final Set<String> launched = new TreeSet<>();

    /** A kernel and what it declares. */
    private static final class Declared extends GpuKernel {
        private final KernelText text;

        private Declared(String name, int block, KernelText text) {
            super(name, block);
            this.text = text;
        }
    }

    /** A block that is only a name. */
    static final class Named extends Buffer {
        private final String name;

        Named(String name, long bytes) {
            super(bytes);
            this.name = name;
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

    Recorder(Traits traits) {
        super("recorder", traits);
    }

    /** The launches since this was last asked. */
    List<String> launches() {
        List<String> all = List.copyOf(launches);
        launches.clear();
        return all;
    }

    /** The kernels launched so far, as {@code file/kernel}. */
    Set<String> launched() {
        return launched;
    }

    @Override
    public GpuKernel kernel(String file, String kernel, String options) {
        String program = traits().warps() != null && Files.exists(Path.of("kernels", file + ".cuda.k"))
                ? override("common.h") + override(file + ".cuda.k")
                : Sources.program("portable.opencl.h", file);
        return new Declared(file + "/" + kernel, block(options), KernelText.of(program, kernel, options));
    }

    /** A source that is CUDA's alone, and is not in the jar, with all that it includes. */
    private static String override(String name) {
        try (Stream<String> lines = Files.lines(Path.of("kernels", name))) {
            return lines.map(line -> {
                        Matcher include = INCLUDE.matcher(line);
                        return include.matches() ? override(include.group(1)) : line + "\n";
                    })
                    .collect(Collectors.joining());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public GpuKernel custom(CustomKernel kernel, String preamble, String options) {
        return new Declared("custom/" + kernel.name(), block(options), KernelText.ofArguments(preamble));
    }

    @Override
    public void launch(GpuKernel kernel, long groups, Launch launch) {
        KernelText text = ((Declared) kernel).text;
        if (launch.buffers() != text.buffers().size() || launch.bytes() != text.bytes()) {
            throw new AssertionError("%s takes %d buffers and a structure of %d bytes, the launch has %d and %d"
                    .formatted(kernel.name(), text.buffers().size(), text.bytes(), launch.buffers(), launch.bytes()));
        }
        List<String> words = new ArrayList<>();
        for (int i = 0; i < launch.buffers(); i++) {
            words.add(text.buffers().get(i) + "=" + ((Named) launch.buffer(i)).name);
        }
        int at = 0;
        for (Map.Entry<String, Integer> field : text.fields().entrySet()) {
            int longs = field.getValue();
            words.add(field.getKey() + "="
                    + (longs == 0 ? String.valueOf(number(launch, at)) : numbers(launch, at, longs)));
            at += Math.max(1, longs);
        }
        launched.add(kernel.name());
        launches.add(kernel.name() + "(" + String.join(" ", words) + ")");
    }

    private static long number(Launch launch, int at) {
        return launch.structure().getAtIndex(ValueLayout.JAVA_LONG, at);
    }

    /** Without the zeros at the end. */
    private static String numbers(Launch launch, int at, int longs) {
        int count = longs;
        while (count > 0 && number(launch, at + count - 1) == 0) {
            count--;
        }
        List<String> words = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            words.add(String.valueOf(number(launch, at + i)));
        }
        return "[" + String.join(",", words) + "]";
    }

    @Override
    public RawMemory memory() {
        return memory("flag");
    }

    /** Blocks of this name. */
    RawMemory memory(String name) {
        return new RawMemory() {
            @Override
            public Buffer create(long bytes) {
                return new Named(name, bytes);
            }

            @Override
            public long limit() {
                return Long.MAX_VALUE;
            }
        };
    }

    @Override
    public void write(MemorySegment from, Buffer to, long offset) {}

    @Override
    public void read(Buffer from, long offset, MemorySegment to) {
        to.fill((byte) 0);
    }
}
