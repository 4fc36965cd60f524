package org.tenon.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import org.tenon.BF16;
import org.tenon.Bool;
import org.tenon.DType;
import org.tenon.F16;
import org.tenon.F32;
import org.tenon.F64;
import org.tenon.I32;
import org.tenon.I64;

/** A cuBLAS library and a handle of it, whose calls go into one stream. Not for several threads at once. */
final class Cublas {
    static final int SUCCESS = 0;
    static final int ALLOC_FAILED = 3;
    static final int NOT_SUPPORTED = 15;

    /** Half types are summed in float32 all the way, also where a sum is split. */
    private static final int NO_REDUCED_PRECISION = 16;

    private static final int COMPUTE_32F = 68;
    private static final int COMPUTE_64F = 70;
    private static final int COMPUTE_32F_FAST_TF32 = 77;
    private static final int DEFAULT_ALGORITHM = -1;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    private final SymbolLookup library;
    private final long handle;
    private final int floatCompute;
    private final int version;
    private final MethodHandle gemm;
    private final MethodHandle gemmBatched;
    private final MemorySegment floats = Arena.ofAuto().allocate(8, 8);
    private final MemorySegment doubles = Arena.ofAuto().allocate(16, 8);

    /** A call of the library failed when it was opened. */
    static final class FailureException extends Exception {
        private static final long serialVersionUID = 1L;

        FailureException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * Opens a library by path or by the name that the system finds it by, in the calling thread's context.
     *
     * @throws IllegalArgumentException if there is no such library
     */
    @SuppressWarnings("restricted")
    Cublas(String name, long stream, boolean tf32) throws FailureException {
        library = name.contains("/") || name.contains("\\")
                ? SymbolLookup.libraryLookup(Path.of(name), Arena.global())
                : SymbolLookup.libraryLookup(name, Arena.global());
        floatCompute = tf32 ? COMPUTE_32F_FAST_TF32 : COMPUTE_32F;
        // handle, two transpositions, m n k, alpha, then a b and c with their types and leading dimensions, beta before
        // c
        gemm = function(
                "cublasGemmEx",
                LONG,
                INT,
                INT,
                INT,
                INT,
                INT,
                LONG,
                LONG,
                INT,
                INT,
                LONG,
                INT,
                INT,
                LONG,
                LONG,
                INT,
                INT,
                INT,
                INT);
        // with a stride after each leading dimension, and the number of products
        gemmBatched = function(
                "cublasGemmStridedBatchedEx",
                LONG,
                INT,
                INT,
                INT,
                INT,
                INT,
                LONG,
                LONG,
                INT,
                INT,
                LONG,
                LONG,
                INT,
                INT,
                LONG,
                LONG,
                LONG,
                INT,
                INT,
                LONG,
                INT,
                INT,
                INT);
        floats.setAtIndex(ValueLayout.JAVA_FLOAT, 0, 1);
        doubles.setAtIndex(ValueLayout.JAVA_DOUBLE, 0, 1);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment made = arena.allocate(LONG);
            check("cublasCreate", (int) function("cublasCreate_v2", LONG).invokeExact(made.address()));
            handle = made.get(LONG, 0);
            check("cublasSetStream", (int)
                    function("cublasSetStream_v2", LONG, LONG).invokeExact(handle, stream));
            check("cublasSetMathMode", (int)
                    function("cublasSetMathMode", LONG, INT).invokeExact(handle, NO_REDUCED_PRECISION));
            MemorySegment number = arena.allocate(INT);
            check("cublasGetVersion", (int)
                    function("cublasGetVersion_v2", LONG, LONG).invokeExact(handle, number.address()));
            version = number.get(INT, 0);
        } catch (FailureException e) {
            throw e;
        } catch (Throwable e) {
            throw new FailureException("it cannot be called: " + e, e);
        }
    }

    @SuppressWarnings("restricted")
    private MethodHandle function(String name, MemoryLayout... arguments) throws FailureException {
        MemorySegment symbol =
                library.find(name).orElseThrow(() -> new FailureException("it has no function " + name, null));
        return Linker.nativeLinker().downcallHandle(symbol, FunctionDescriptor.of(INT, arguments));
    }

    private static void check(String call, int status) throws FailureException {
        if (status != SUCCESS) {
            throw new FailureException(call + " failed with " + statusName(status), null);
        }
    }

    /** Its version, such as 12.4. */
    String version() {
        return version / 10_000 + "." + version / 100 % 100;
    }

    /** Queues a product of device memory at these addresses, and gives the library's status. */
    int multiply(Gemm g, DType dtype, long a, long b, long out) {
        int type = type(dtype);
        boolean wide = dtype instanceof F64;
        MemorySegment factors = wide ? doubles : floats;
        long one = factors.address();
        long zero = one + (wide ? Double.BYTES : Float.BYTES);
        int compute = compute(dtype);
        int ta = g.a().transposed() ? 1 : 0;
        int tb = g.b().transposed() ? 1 : 0;
        try {
            if (g.batch() == 1) {
                return (int) gemm.invokeExact(
                        handle,
                        ta,
                        tb,
                        g.m(),
                        g.n(),
                        g.k(),
                        one,
                        a,
                        type,
                        g.a().ld(),
                        b,
                        type,
                        g.b().ld(),
                        zero,
                        out,
                        type,
                        g.m(),
                        compute,
                        DEFAULT_ALGORITHM);
            }
            return (int) gemmBatched.invokeExact(
                    handle,
                    ta,
                    tb,
                    g.m(),
                    g.n(),
                    g.k(),
                    one,
                    a,
                    type,
                    g.a().ld(),
                    g.a().stride(),
                    b,
                    type,
                    g.b().ld(),
                    g.b().stride(),
                    zero,
                    out,
                    type,
                    g.m(),
                    g.outStride(),
                    g.batch(),
                    compute,
                    DEFAULT_ALGORITHM);
        } catch (Throwable e) {
            throw new IllegalStateException("cuBLAS cannot be called", e);
        }
    }

    private int compute(DType dtype) {
        return switch (dtype) {
            case F32 _ -> floatCompute;
            case F64 _ -> COMPUTE_64F;
            case F16 _, BF16 _ -> COMPUTE_32F;
            case I32 _, I64 _, Bool _ -> throw notFloating(dtype);
        };
    }

    /** The number of an element type in {@code cudaDataType}. */
    private static int type(DType dtype) {
        return switch (dtype) {
            case F32 _ -> 0;
            case F64 _ -> 1;
            case F16 _ -> 2;
            case BF16 _ -> 14;
            case I32 _, I64 _, Bool _ -> throw notFloating(dtype);
        };
    }

    private static IllegalArgumentException notFloating(DType dtype) {
        return new IllegalArgumentException("products are of floating types, not of " + dtype);
    }

    static String statusName(int status) {
        String name = switch (status) {
            case 1 -> "NOT_INITIALIZED";
            case ALLOC_FAILED -> "ALLOC_FAILED";
            case 7 -> "INVALID_VALUE";
            case 8 -> "ARCH_MISMATCH";
            case 11 -> "MAPPING_ERROR";
            case 13 -> "EXECUTION_FAILED";
            case 14 -> "INTERNAL_ERROR";
            case NOT_SUPPORTED -> "NOT_SUPPORTED";
            case 16 -> "LICENSE_ERROR";
            default -> "an unknown status";
        };
        return (name.startsWith("an ") ? name : "CUBLAS_STATUS_" + name) + " (" + status + ")";
    }
}
