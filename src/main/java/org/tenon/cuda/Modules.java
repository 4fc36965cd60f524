package org.tenon.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUjit_option;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.tenon.TensorStateException;

/**
 * Loads kernels from the PTX in the jar, each when it is first asked for, as a module of its own: the driver then compiles
 * that one, and keeps what it made on disk for the next process. Of a file there may be variants for newer devices
 * ({@code softmax.sm_90.ptx}); the newest that the device can run and that has the kernel is taken.
 */
final class Modules {
    /** The least that the PTX is for. */
    static final int BASELINE = 80;

    private static final String FOLDER = "/org/tenon/kernels/ptx/";
    private static final int[] VARIANTS = {120, 100, 90, 89, 86};
    private static final int LOG_BYTES = 16 << 10;
    private static final Map<String, Ptx> TEXTS = new HashMap<>();

    private final CudaContext context;
    private final int capability;

    /** {@code capability} is ten times the device's major version plus the minor. */
    Modules(CudaContext context, int capability) {
        this.context = context;
        this.capability = capability;
    }

    /** Kernel {@code name} of a file. */
    CUfunction function(String file, String name) {
        List<String> seen = new ArrayList<>();
        for (String resource : resources(file)) {
            Ptx ptx = text(resource);
            String module = ptx == null ? null : ptx.module(name);
            if (module != null) {
                return function(module, resource, name);
            }
            if (ptx != null) {
                seen.add(resource);
            }
        }
        throw new TensorStateException(
                context.device(),
                "there is no kernel " + name
                        + (seen.isEmpty()
                                ? ": " + FOLDER + file + ".ptx is not in the class path"
                                : " in " + String.join(", ", seen))
                        + "; this build's PTX does not fit its sources, ci/ptx.sh makes it anew");
    }

    private List<String> resources(String file) {
        List<String> all = new ArrayList<>();
        for (int variant : VARIANTS) {
            if (variant <= capability) {
                all.add(file + ".sm_" + variant + ".ptx");
            }
        }
        all.add(file + ".ptx");
        return all;
    }

    private static Ptx text(String resource) {
        synchronized (TEXTS) {
            return TEXTS.computeIfAbsent(resource, Modules::read);
        }
    }

    private static Ptx read(String resource) {
        try (InputStream in = Modules.class.getResourceAsStream(FOLDER + resource)) {
            return in == null ? null : new Ptx(new String(in.readAllBytes(), StandardCharsets.ISO_8859_1));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Kernel {@code name} of a text; {@code resource} says where that is from, for messages. */
    CUfunction function(String module, String resource, String name) {
        CUmodule loaded = load(module, resource + ", kernel " + name);
        CUfunction function = new CUfunction();
        context.check("cuModuleGetFunction of " + name, JCudaDriver.cuModuleGetFunction(function, loaded, name));
        return function;
    }

    /** Loads a text; {@code what} says of it what it is, for messages. */
    CUmodule load(String module, String what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment log = arena.allocate(LOG_BYTES);
            int[] options = {
                CUjit_option.CU_JIT_ERROR_LOG_BUFFER, CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES,
            };
            MemorySegment values = arena.allocate(ValueLayout.JAVA_LONG, options.length);
            values.setAtIndex(ValueLayout.JAVA_LONG, 0, log.address());
            values.setAtIndex(ValueLayout.JAVA_LONG, 1, LOG_BYTES);
            Pointer image = new HostPointer(arena.allocateFrom(module, StandardCharsets.ISO_8859_1));
            CUmodule loaded = new CUmodule();
            int status =
                    JCudaDriver.cuModuleLoadDataEx(loaded, image, options.length, options, new HostPointer(values));
            if (refused(status)) {
                throw new TensorStateException(
                        context.device(),
                        "the driver cannot compile " + what + ": " + Status.name(status) + hint(status) + message(log));
            }
            context.check("cuModuleLoadDataEx of " + what, status);
            return loaded;
        }
    }

    private static String message(MemorySegment log) {
        String text = log.getString(0, StandardCharsets.ISO_8859_1).strip();
        return text.isEmpty() ? "" : "\n" + text;
    }

    /** Whether the text is at fault, or the driver too old for it. */
    private static boolean refused(int status) {
        return switch (status) {
            case CUresult.CUDA_ERROR_INVALID_IMAGE,
                    CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU,
                    CUresult.CUDA_ERROR_INVALID_PTX,
                    CUresult.CUDA_ERROR_JIT_COMPILER_NOT_FOUND,
                    CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION,
                    CUresult.CUDA_ERROR_JIT_COMPILATION_DISABLED,
                    CUresult.CUDA_ERROR_INVALID_SOURCE -> true;
            default -> false;
        };
    }

    private static String hint(int status) {
        return switch (status) {
            case CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION -> "; install a newer NVIDIA driver";
            case CUresult.CUDA_ERROR_JIT_COMPILER_NOT_FOUND ->
                "; the driver's installation lacks libnvidia-ptxjitcompiler.so.1";
            case CUresult.CUDA_ERROR_JIT_COMPILATION_DISABLED -> "; unset CUDA_DISABLE_PTX_JIT";
            default -> "";
        };
    }
}
