package org.tenon.opencl;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.Sizeof;
import org.jocl.cl_context;
import org.jocl.cl_device_id;
import org.jocl.cl_program;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tenon.TensorStateException;
import org.tenon.gpu.Caches;
import org.tenon.gpu.Sources;

/**
 * Builds programs, and keeps what was built on disk for the next JVM, under a name that is the digest of the source, the
 * options, the device and its driver. A file says in its head of what it is, and a digest of its contents; one that is
 * damaged or of something else is built anew. {@code -Dtenon.cache=off} keeps nothing.
 */
final class Programs {
    private static final Logger LOG = LoggerFactory.getLogger(Programs.class);
    private static final byte[] MAGIC = "tenon-opencl-1\n".getBytes(StandardCharsets.US_ASCII);
    private static final int DIGEST = 32;
    private static final int LONGEST_LOG = 64 << 20;
    private static final long LARGEST = 256 << 20;

    private final String device;
    private final Status status;
    private final cl_context context;
    private final cl_device_id id;
    private final String identity;
    private final Map<String, cl_program> programs = new HashMap<>();
    private final Path folder;

    /** {@code identity} names device, driver and platform with their versions. */
    Programs(String device, Status status, cl_context context, cl_device_id id, String identity) {
        this.device = device;
        this.status = status;
        this.context = context;
        this.id = id;
        this.identity = identity;
        folder = folder();
    }

    private static Path folder() {
        if (Caches.isOff()) {
            return null;
        }
        try {
            return Caches.folder("opencl");
        } catch (IOException e) {
            LOG.warn("built kernels are not kept: {}; -Dtenon.cache=FOLDER names another folder", e.getMessage());
            return null;
        }
    }

    /** The program of {@code file} under these options. */
    synchronized cl_program get(String file, String options) {
        return programs.computeIfAbsent(
                file + " " + options,
                _ -> load("kernels/" + file + ".k", Sources.program("portable.opencl.h", file), options));
    }

    /** The program of a user's source, which {@code what} names in messages. */
    synchronized cl_program custom(String what, String source, String options) {
        return load(what, source, options);
    }

    private cl_program load(String what, String source, String options) {
        byte[] key = digest((identity + "\n" + options + "\n" + source).getBytes(StandardCharsets.UTF_8));
        Path cached = folder == null ? null : folder.resolve(HexFormat.of().formatHex(key));
        long start = System.nanoTime();
        cl_program program = cached == null ? null : fromFile(cached, key, options);
        boolean known = program != null;
        if (!known) {
            program = fromSource(what, source, options);
            if (cached != null) {
                keep(program, cached, key);
            }
        }
        LOG.debug(
                "{}: {} {} with {} in {} ms",
                device,
                known ? "took from the cache" : "built",
                what,
                options,
                (System.nanoTime() - start) / 1_000_000);
        return program;
    }

    private cl_program fromSource(String what, String source, String options) {
        for (int attempt = 1; ; attempt++) {
            int[] answer = new int[1];
            cl_program program = CL.clCreateProgramWithSource(context, 1, new String[] {source}, null, answer);
            status.check("clCreateProgramWithSource", answer[0]);
            int built = status.seen("clBuildProgram", build(program, options));
            SignalHandlers.keep();
            if (built == CL.CL_SUCCESS) {
                return program;
            }
            String log = log(program);
            CL.clReleaseProgram(program);
            String said = CL.stringFor_errorCode(built) + (log.isEmpty() ? ", no build log" : ":\n" + log);
            if (attempt == 2 || !isDrivers(log)) {
                throw new TensorStateException(device, what + " does not build with " + options + ": " + said);
            }
            LOG.warn("{}: {} does not build, trying again; the driver said: {}", device, what, said);
            SignalHandlers.settle();
        }
    }

    /** A wrong source stays wrong. Without an error it is the driver that failed, also where it misses a file of its own. */
    private static boolean isDrivers(String log) {
        return !log.contains("error") || log.contains("No such file or directory");
    }

    /** What the driver said, or nothing where it does not answer: the length is then any number. */
    private String log(cl_program program) {
        long[] size = new long[1];
        int asked = CL.clGetProgramBuildInfo(program, id, CL.CL_PROGRAM_BUILD_LOG, 0, null, size);
        if (asked != CL.CL_SUCCESS || size[0] <= 0 || size[0] > LONGEST_LOG) {
            return "";
        }
        byte[] text = new byte[(int) size[0]];
        asked = CL.clGetProgramBuildInfo(program, id, CL.CL_PROGRAM_BUILD_LOG, text.length, Pointer.to(text), null);
        return asked != CL.CL_SUCCESS
                ? ""
                : new String(text, StandardCharsets.UTF_8).replace("\0", "").strip();
    }

    private int build(cl_program program, String options) {
        return CL.clBuildProgram(program, 1, new cl_device_id[] {id}, options, null, null);
    }

    private cl_program fromFile(Path file, byte[] key, String options) {
        byte[] binary = read(file, key);
        if (binary == null) {
            return null;
        }
        int[] answer = new int[1];
        cl_program program = CL.clCreateProgramWithBinary(
                context,
                1,
                new cl_device_id[] {id},
                new long[] {binary.length},
                new byte[][] {binary},
                new int[1],
                answer);
        if (answer[0] != CL.CL_SUCCESS) {
            return null;
        }
        if (build(program, options) != CL.CL_SUCCESS) {
            CL.clReleaseProgram(program);
            return null;
        }
        return program;
    }

    /** The binary of a file that is whole and of this very program, else null. */
    static byte[] read(Path file, byte[] key) {
        byte[] all = Caches.read(file, LARGEST);
        int head = MAGIC.length + 2 * DIGEST;
        if (all == null
                || all.length <= head
                || !Arrays.equals(all, 0, MAGIC.length, MAGIC, 0, MAGIC.length)
                || !Arrays.equals(all, MAGIC.length, MAGIC.length + DIGEST, key, 0, DIGEST)) {
            return null;
        }
        byte[] binary = Arrays.copyOfRange(all, head, all.length);
        return Arrays.equals(all, MAGIC.length + DIGEST, head, digest(binary), 0, DIGEST) ? binary : null;
    }

    private void keep(cl_program program, Path file, byte[] key) {
        byte[] binary = binary(program);
        if (binary.length == 0) {
            return;
        }
        try {
            Caches.place(file, contents(key, binary));
        } catch (IOException e) {
            LOG.debug("cannot keep a built kernel", e);
        }
    }

    static byte[] contents(byte[] key, byte[] binary) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(MAGIC);
        out.writeBytes(key);
        out.writeBytes(digest(binary));
        out.writeBytes(binary);
        return out.toByteArray();
    }

    private static byte[] binary(cl_program program) {
        long[] size = new long[1];
        int asked = CL.clGetProgramInfo(program, CL.CL_PROGRAM_BINARY_SIZES, Sizeof.size_t, Pointer.to(size), null);
        if (asked != CL.CL_SUCCESS || size[0] <= 0 || size[0] > Integer.MAX_VALUE) {
            return new byte[0];
        }
        ByteBuffer binary = ByteBuffer.allocateDirect((int) size[0]);
        Pointer pointers = Pointer.to(Pointer.to(binary));
        if (CL.clGetProgramInfo(program, CL.CL_PROGRAM_BINARIES, Sizeof.POINTER, pointers, null) != CL.CL_SUCCESS) {
            return new byte[0];
        }
        byte[] bytes = new byte[binary.remaining()];
        binary.get(bytes);
        return bytes;
    }

    static byte[] digest(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
