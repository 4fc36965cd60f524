package org.tenon.gpu;

import java.lang.foreign.MemorySegment;
import org.tenon.DType;
import org.tenon.DeviceType;
import org.tenon.spi.Allocator;
import org.tenon.spi.Backend;
import org.tenon.spi.Buffer;
import org.tenon.spi.Kernels;
import org.tenon.spi.Recording;

/** A GPU as ops see it, over its runtime. */
public final class GpuBackend implements Backend {
    private final GpuRuntime runtime;
    private final Allocator allocator;
    private final IndexFlag flag;
    private final GpuKernels kernels;

    /** The backend of a device that was found to work. */
    public GpuBackend(GpuRuntime runtime) {
        this.runtime = runtime;
        allocator = new Allocator(runtime.name(), runtime.memory());
        flag = new IndexFlag(runtime, allocator);
        kernels = new GpuKernels(runtime, allocator, flag);
    }

    @Override
    public String name() {
        return runtime.name();
    }

    @Override
    public String description() {
        return runtime.description();
    }

    @Override
    public Class<? extends DeviceType> type() {
        return runtime.type();
    }

    @Override
    public int rank() {
        return runtime.rank();
    }

    @Override
    public boolean supports(DType dtype) {
        return dtype != DType.F64 || runtime.traits().fp64();
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
        if (from.byteSize() > 0) {
            runtime.write(from, to, to.base() + byteOffset);
        }
    }

    @Override
    public void download(Buffer from, long byteOffset, MemorySegment to) {
        flag.raise();
        if (to.byteSize() > 0) {
            runtime.read(from, from.base() + byteOffset, to);
        }
    }

    @Override
    public boolean copyFrom(Backend other, Buffer from, long fromOffset, Buffer to, long toOffset, long bytes) {
        return other instanceof GpuBackend gpu
                && runtime.copyFrom(gpu.runtime, from, from.base() + fromOffset, to, to.base() + toOffset, bytes);
    }

    @Override
    public void synchronize() {
        runtime.finish();
        flag.raise();
    }

    @Override
    public Recording recording() {
        GpuRuntime.Graph graph = runtime.graph();
        return graph == null ? null : new GpuRecording(runtime, allocator, flag, kernels, graph);
    }
}
