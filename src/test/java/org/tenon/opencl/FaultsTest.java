package org.tenon.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jocl.CL;
import org.junit.jupiter.api.Test;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.I64;
import org.tenon.OpenCl;
import org.tenon.OutOfDeviceMemoryException;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.TensorStateException;
import org.tenon.gpu.GpuBackend;
import org.tenon.op.Creation;
import org.tenon.op.Value;

/** A call that fails gives one clear exception; the next one works, or says that the device is gone. */
class FaultsTest {
    /** Lets the next calls of one name fail. */
    private static final class Faults extends Status {
        private String call = "";
        private int status;
        private int times;

        Faults() {
            super("opencl:test");
        }

        void next(int number, String name, int answer) {
            times = number;
            call = name;
            status = answer;
        }

        @Override
        int seen(String name, int real) {
            if (times > 0 && name.startsWith(call) && real == CL.CL_SUCCESS) {
                times--;
                return status;
            }
            return real;
        }
    }

    private final Found found = Present.found();
    private final Faults faults = new Faults();
    private final GpuBackend backend = new GpuBackend(new OpenClRuntime("opencl:test", found, faults));

    private Value full(double value) {
        return Creation.full("full", backend, DType.F32, value, 300);
    }

    private static float[] floats(Value x) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(1200, 4);
            Creation.download(x, host);
            return host.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    private void works() {
        Value x = full(3);
        assertThat(floats(x)).containsOnly(3f);
        x.close();
    }

    /** As PoCL's own cache does now and then while several processes fill it. */
    @Test
    void aBuildThatFailsWithoutALogIsTriedOnceMore() {
        OpenClRuntime runtime = Present.runtime("tenon.cache", "off", faults);
        faults.next(1, "clBuildProgram", CL.CL_BUILD_PROGRAM_FAILURE);
        assertThat(runtime.kernel("fill", "fill", "-DT=u8 -DBLOCK=1").name()).isEqualTo("fill/fill");
        faults.next(2, "clBuildProgram", CL.CL_BUILD_PROGRAM_FAILURE);
        assertThatThrownBy(() -> runtime.kernel("fill", "fill", "-DT=u16 -DBLOCK=1"))
                .isInstanceOf(TensorStateException.class)
                .hasMessageStartingWith("opencl:test: kernels/fill.k does not build with -DT=u16 -DBLOCK=1")
                .hasMessageEndingWith(": CL_BUILD_PROGRAM_FAILURE, no build log");
        assertThat(runtime.kernel("fill", "fill", "-DT=u16 -DBLOCK=1").name()).isEqualTo("fill/fill");
    }

    @Test
    void noMemoryForABuffer() {
        for (String call : new String[] {"clCreateBuffer", "clEnqueueMigrateMemObjects"}) {
            for (int status :
                    new int[] {CL.CL_MEM_OBJECT_ALLOCATION_FAILURE, CL.CL_OUT_OF_RESOURCES, CL.CL_OUT_OF_HOST_MEMORY}) {
                backend.allocator().trim();
                faults.next(2, call, status);
                assertThatThrownBy(() -> full(1))
                        .isInstanceOf(OutOfDeviceMemoryException.class)
                        .hasMessageStartingWith("opencl:test: out of memory asking 1.2 KiB (live 0 B in 0 buffers");
                works();
            }
        }
    }

    /** Emptying the cache may be all it takes. */
    @Test
    void oneFailureForABufferIsTriedAgain() {
        backend.allocator().trim();
        faults.next(1, "clCreateBuffer", CL.CL_MEM_OBJECT_ALLOCATION_FAILURE);
        works();
    }

    @Test
    void noMemoryAtALaunch() {
        works();
        long live = backend.allocator().stats().liveBuffers();
        faults.next(1, "launching", CL.CL_MEM_OBJECT_ALLOCATION_FAILURE);
        assertThatThrownBy(() -> full(1))
                .isInstanceOf(OutOfDeviceMemoryException.class)
                .hasMessageContaining(
                        "launching fill/fill failed with CL_MEM_OBJECT_ALLOCATION_FAILURE: out of memory");
        works();
        assertThat(backend.allocator().stats().liveBuffers()).isLessThanOrEqualTo(live + 1);
    }

    @Test
    void noMemoryAtACopy() {
        Value x = full(4);
        for (String call : new String[] {"clEnqueueReadBuffer", "clWaitForEvents", "clFlush"}) {
            faults.next(1, call, CL.CL_OUT_OF_RESOURCES);
            assertThatThrownBy(() -> floats(x))
                    .isInstanceOf(OutOfDeviceMemoryException.class)
                    .hasMessageContaining(call);
            assertThat(floats(x)).containsOnly(4f);
        }
    }

    @Test
    void otherFailuresAreNamed() {
        faults.next(1, "launching", CL.CL_INVALID_KERNEL_ARGS);
        assertThatThrownBy(() -> full(1))
                .isInstanceOf(TensorStateException.class)
                .isNotInstanceOf(OutOfDeviceMemoryException.class)
                .hasMessage("opencl:test: launching fill/fill failed with CL_INVALID_KERNEL_ARGS");
        works();
    }

    @Test
    void aLostDeviceSaysSoFromThenOn() {
        Value x = full(1);
        faults.next(1, "launching", CL.CL_INVALID_COMMAND_QUEUE);
        assertThatThrownBy(() -> full(2))
                .isInstanceOf(TensorStateException.class)
                .hasMessage("opencl:test: launching fill/fill failed with CL_INVALID_COMMAND_QUEUE;"
                        + " the device is gone, start the JVM anew");
        String gone = "opencl:test: the device is gone, start the JVM anew; lost when launching fill/fill failed with"
                + " CL_INVALID_COMMAND_QUEUE";
        assertThatThrownBy(() -> floats(x)).hasMessage(gone);
        assertThatThrownBy(() -> full(2)).hasMessage(gone);
        assertThatThrownBy(backend::synchronize).hasMessage(gone);
    }

    @Test
    void aDeviceLostWhileItIsWaitedForIsGoneToo() {
        full(1);
        faults.next(1, "clFinish", -9999);
        assertThatThrownBy(backend::synchronize).hasMessageContaining("the device is gone");
        assertThatThrownBy(backend::synchronize).hasMessageContaining("lost when clFinish failed");
    }

    @Test
    void moreThanThereIsIsRefusedAndTheDeviceGoesOn() {
        Device<OpenCl> device = Present.device();
        long before = device.memory().liveBuffers();
        assertThatThrownBy(() -> device.zeros(R1.of(1L << 45)))
                .isInstanceOf(OutOfDeviceMemoryException.class)
                .hasMessageContaining("opencl:0: out of memory asking 128 TiB (live ");
        long tooLong = found.largestBlock() / 4 + (1 << 20);
        assertThat(device.memory().largestBytes()).isEqualTo(found.largestBlock());
        assertThatThrownBy(() -> device.zeros(R1.of(tooLong)))
                .isInstanceOf(OutOfDeviceMemoryException.class)
                .hasMessageMatching(".*, device .*, a buffer at most .*\\); close tensors, or ask for less");
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
        assertThat(device.ones(R1.of(5)).toFloatArray()).containsOnly(1f);
    }

    /** The launch returns; the call that reads meets the error; the device is as good as before. */
    @Test
    void aBadIndexSurfacesWhereItIsRead() {
        Device<OpenCl> device = Present.device();
        Tensor<R2<Dim, Dim>, F32, OpenCl> logp = device.zeros(R2.of(3, 5));
        Tensor<R1<Dim>, I64, OpenCl> targets = device.tensor(1L, 7L, -2L);
        var loss = F.nllLoss(logp, targets);
        assertThatThrownBy(loss::item)
                .isInstanceOf(TensorArgumentException.class)
                .hasMessage("nllLoss: target 7 at position 1 is outside [0, 5)");
        assertThat(F.nllLoss(logp, device.<Dim>tensor(1L, 2L, 4L)).item()).isZero();
        device.synchronize();
    }
}
