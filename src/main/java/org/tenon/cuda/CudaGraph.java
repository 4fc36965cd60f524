package org.tenon.cuda;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUresult;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;
import org.tenon.gpu.GpuRuntime;

/**
 * Launches captured from a device's stream. The capture is a relaxed one: the thread may load a kernel or get memory
 * meanwhile; what the driver would refuse is refused before it is asked, by {@link Queue#refuse}.
 */
final class CudaGraph implements GpuRuntime.Graph {
    private final CudaContext context;
    private final Queue queue;
    private final Set<CudaBuffer> used = Collections.newSetFromMap(new IdentityHashMap<>());
    private List<CudaBuffer> buffers = List.of();
    private CUgraphExec executable;
    private Thread thread;

    CudaGraph(CudaContext context, Queue queue) {
        this.context = context;
        this.queue = queue;
    }

    /** Whether the calling thread is the one that captures. */
    boolean isOwn() {
        return thread == Thread.currentThread();
    }

    /** A captured launch uses a buffer. */
    void uses(CudaBuffer buffer) {
        used.add(buffer);
    }

    @Override
    public void record(Runnable body) {
        CUgraph graph = new CUgraph();
        synchronized (queue) {
            context.enter();
            thread = Thread.currentThread();
            queue.capture(this);
            try {
                context.check(
                        "cuStreamBeginCapture",
                        JCudaDriver.cuStreamBeginCapture(
                                queue.stream(), CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED));
                run(body, graph);
            } finally {
                queue.captured();
                thread = null;
            }
        }
        instantiate(graph);
        buffers = new ArrayList<>(used);
        used.clear();
    }

    private void run(Runnable body, CUgraph graph) {
        try {
            body.run();
            context.enter();
            context.check("cuStreamEndCapture", JCudaDriver.cuStreamEndCapture(queue.stream(), graph));
        } catch (RuntimeException | Error e) {
            // A call that failed before it did anything has left the stream capturing.
            drop();
            throw e;
        }
    }

    /** Ends the capture and forgets what it has. */
    private void drop() {
        context.release("cuStreamEndCapture", () -> {
            CUgraph graph = new CUgraph();
            int status = JCudaDriver.cuStreamEndCapture(queue.stream(), graph);
            return switch (status) {
                case CUresult.CUDA_SUCCESS -> JCudaDriver.cuGraphDestroy(graph);
                // Over, one way or another.
                case CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, CUresult.CUDA_ERROR_ILLEGAL_STATE ->
                    CUresult.CUDA_SUCCESS;
                default -> status;
            };
        });
    }

    private void instantiate(CUgraph graph) {
        CUgraphExec made = new CUgraphExec();
        try {
            context.check("cuGraphInstantiateWithFlags", JCudaDriver.cuGraphInstantiate(made, graph, 0));
            executable = made;
        } finally {
            context.release("cuGraphDestroy", () -> JCudaDriver.cuGraphDestroy(graph));
        }
    }

    @Override
    public void launch() {
        synchronized (queue) {
            context.enter();
            long position = queue.next();
            for (int i = 0; i < buffers.size(); i++) {
                buffers.get(i).used(position);
            }
            // No mark after it: where that failed, a launch that is queued would look as if it had not been.
            context.check("cuGraphLaunch", JCudaDriver.cuGraphLaunch(executable, queue.stream()));
        }
    }

    /** The driver keeps what still runs until it is done. */
    @Override
    public void close() {
        CUgraphExec old = executable;
        if (old != null) {
            executable = null;
            context.release("cuGraphExecDestroy", () -> JCudaDriver.cuGraphExecDestroy(old));
        }
        buffers = List.of();
        used.clear();
    }
}
