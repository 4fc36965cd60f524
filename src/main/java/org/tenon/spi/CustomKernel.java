package org.tenon.spi;

import java.util.List;
import org.tenon.DType;

/**
 * A kernel that a user wrote: its source for each kind of device, and what it is launched with. Two are the same only if
 * they are one object.
 *
 * <p>On a GPU it has as arguments the result, the inputs in their order, and one structure of longs: the number of items,
 * then for result and inputs in turn where the first element is (in elements from the start of the block), how many there
 * are, and eight sizes; then the bits of each parameter. A source in C is given names for all that; PTX has it as it is.
 */
public final class CustomKernel {
    /** The most inputs a kernel has. */
    public static final int INPUTS = 4;

    /** The most parameters. */
    public static final int PARAMETERS = 8;

    private final String name;
    private final List<Input> inputs;
    private final List<String> parameters;
    private final Grid grid;
    private final Sources sources;

    /**
     * An input.
     *
     * @param name its name in the source
     * @param dtype its element type, or null for that of the result
     */
    public record Input(String name, DType dtype) {}

    /** How items and threads belong together. */
    public enum Grid {
        /** A thread for each item. */
        THREADS,
        /** A group of threads for each item. */
        GROUPS
    }

    /**
     * The kernel for each kind of device, null where there is none.
     *
     * @param cpu in Java
     * @param shared in the C of Tenon's own kernels, for every GPU
     * @param openCl in the same C, for OpenCL alone, in place of {@code shared}
     * @param ptx for CUDA, in place of {@code shared}
     */
    public record Sources(CpuBody cpu, String shared, String openCl, String ptx) {}

    /** The kernel in Java. */
    @FunctionalInterface
    public interface CpuBody {
        /** Does items {@code from} to {@code to}, exclusive. Called from several threads, each with a part of its own. */
        void run(CustomCall call, long from, long to);
    }

    /** A kernel of this name in its sources. */
    public CustomKernel(String name, List<Input> inputs, List<String> parameters, Grid grid, Sources sources) {
        this.name = name;
        this.inputs = List.copyOf(inputs);
        this.parameters = List.copyOf(parameters);
        this.grid = grid;
        this.sources = sources;
    }

    /** The name, of the op and of the function in the source. */
    public String name() {
        return name;
    }

    /** The inputs. */
    public List<Input> inputs() {
        return inputs;
    }

    /** The names of the parameters. */
    public List<String> parameters() {
        return parameters;
    }

    /** How it is launched. */
    public Grid grid() {
        return grid;
    }

    /** Its sources. */
    public Sources sources() {
        return sources;
    }
}
