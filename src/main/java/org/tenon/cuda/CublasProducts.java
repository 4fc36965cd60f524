package org.tenon.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tenon.OutOfDeviceMemoryException;
import org.tenon.TensorStateException;
import org.tenon.gpu.ProductLibrary;
import org.tenon.spi.Strided;

/**
 * Products by cuBLAS where the system has it: its newest version that works is opened at the first product, and the choice
 * is logged. {@code -Dtenon.cublas=off} does without, {@code -Dtenon.cublas=PATH} takes that library or fails;
 * {@code -Dtenon.tf32=true} lets float32 be multiplied with 10 bits of mantissa instead of 23.
 */
final class CublasProducts implements ProductLibrary {
    private static final Logger LOG = LoggerFactory.getLogger(CublasProducts.class);

    private final CudaRuntime runtime;
    private final List<String> candidates;
    private final boolean forced;
    private Cublas library;
    private boolean opened;

    private CublasProducts(CudaRuntime runtime, List<String> candidates, boolean forced) {
        this.runtime = runtime;
        this.candidates = candidates;
        this.forced = forced;
    }

    /** What the user asked for; on the stand-in for tests, which a real cuBLAS would not know, only a library by path. */
    static ProductLibrary of(CudaRuntime runtime, CudaDevice device) {
        String asked = System.getProperty("tenon.cublas", "").strip();
        if (asked.equals("off") || asked.isEmpty() && device.standIn()) {
            return NONE;
        }
        return asked.isEmpty()
                ? new CublasProducts(runtime, names(), false)
                : new CublasProducts(runtime, List.of(asked), true);
    }

    private static List<String> names() {
        boolean windows =
                System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("win");
        return List.of(13, 12, 11).stream()
                .map(version -> windows ? "cublas64_" + version + ".dll" : "libcublas.so." + version)
                .toList();
    }

    @Override
    public boolean multiply(Strided x, Strided y, Strided out) {
        if (out.count() == 0) {
            return false;
        }
        Gemm gemm = Gemm.of(x, y, out);
        if (gemm == null) {
            return false;
        }
        Queue queue = runtime.queue();
        synchronized (queue) {
            runtime.context().enter();
            Cublas cublas = library();
            if (cublas == null) {
                return false;
            }
            queue.mark();
            long position = queue.next();
            int status = cublas.multiply(
                    gemm, out.dtype(), address(y, position), address(x, position), address(out, position));
            if (status == Cublas.NOT_SUPPORTED) {
                return false;
            }
            if (status != Cublas.SUCCESS) {
                throw failure(status, gemm);
            }
            return true;
        }
    }

    private long address(Strided operand, long position) {
        CudaBuffer buffer = (CudaBuffer) operand.buffer();
        runtime.queue().uses(buffer, position);
        return buffer.address()
                + buffer.base()
                + operand.offset() * operand.dtype().bytes();
    }

    private TensorStateException failure(int status, Gemm gemm) {
        String what = "the product of " + gemm.batch() + " times [" + gemm.n() + ", " + gemm.k() + "] by [" + gemm.k()
                + ", " + gemm.m() + "] failed in cuBLAS with " + Cublas.statusName(status);
        return status == Cublas.ALLOC_FAILED
                ? new OutOfDeviceMemoryException(runtime.name(), 0, what + "; close tensors, or call trimMemory()")
                : new TensorStateException(runtime.name(), what);
    }

    private Cublas library() {
        if (!opened) {
            library = open();
            opened = true;
        }
        return library;
    }

    private Cublas open() {
        boolean tf32 = Boolean.getBoolean("tenon.tf32");
        List<String> troubles = new ArrayList<>();
        for (String candidate : candidates) {
            try {
                Cublas cublas = new Cublas(candidate, runtime.queue().stream().handle(), tf32);
                LOG.info(
                        "{}: matrix products by cuBLAS {} ({}{})",
                        runtime.name(),
                        cublas.version(),
                        candidate,
                        tf32 ? ", TF32" : "");
                return cublas;
            } catch (IllegalArgumentException e) {
                troubles.add(candidate + " cannot be loaded");
            } catch (Cublas.FailureException e) {
                troubles.add(candidate + ": " + e.getMessage());
            }
        }
        String why = String.join("; ", troubles);
        if (forced) {
            throw new TensorStateException(
                    runtime.name(), "cuBLAS was asked for with -Dtenon.cublas, but " + why + "; give its path, or off");
        }
        LOG.info("{}: matrix products by Tenon's own kernels: {}", runtime.name(), why);
        return null;
    }
}
