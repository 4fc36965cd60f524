package org.tenon.gpu;

import org.tenon.Cuda;
import org.tenon.DeviceType;

/** A device that only a test knows: never the best one, and done at once. */
abstract class PretendedRuntime implements GpuRuntime {
    private final String name;
    private final Traits traits;

    PretendedRuntime(String name, Traits traits) {
        this.name = name;
        this.traits = traits;
    }

    @Override
    public final Traits traits() {
        return traits;
    }

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final String description() {
        return "a pretended device";
    }

    @Override
    public final Class<? extends DeviceType> type() {
        return Cuda.class;
    }

    @Override
    public final int rank() {
        return -1;
    }

    @Override
    public final void finish() {}

    /** The number of threads in a group that a kernel is built for. */
    static int block(String options) {
        return Integer.parseInt(options.replaceAll(".*-DBLOCK=(\\d+).*", "$1"));
    }
}
