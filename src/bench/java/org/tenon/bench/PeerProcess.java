package org.tenon.bench;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.tenon.bench.PeerServer.Op;
import org.tenon.bench.PeerServer.Request;

/**
 * A library in a JVM of its own, which works only while it is asked, but for threads that spin a while: the other side of
 * {@link PeerServer}. What such a JVM needs is in the folder that the build of {@code src/bench/others} wrote.
 */
final class PeerProcess implements AutoCloseable {
    private final String name;
    /** Null in tests, whose server is a thread. */
    private final Process process;

    private final DataOutputStream requests;
    private final DataInputStream answers;

    PeerProcess(String name, Process process, OutputStream requests, InputStream answers) {
        this.name = name;
        this.process = process;
        this.requests = new DataOutputStream(new BufferedOutputStream(requests));
        this.answers = new DataInputStream(new BufferedInputStream(answers));
    }

    /** Starts one with so many threads, and otherwise in this process's environment; nothing where it was not built. */
    static Optional<PeerProcess> start(String name, int threads) throws IOException {
        Path folder = Path.of("target", "peers", name);
        Path classpath = folder.resolve("classpath.txt");
        if (!Files.exists(classpath)) {
            return Optional.empty();
        }
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                "-classpath",
                folder.resolve("classes")
                        + File.pathSeparator
                        + Files.readString(classpath).strip(),
                "org.tenon.bench." + Character.toUpperCase(name.charAt(0)) + name.substring(1) + "Peer",
                folder.resolve("natives").toAbsolutePath().toString());
        builder.environment().put("OMP_NUM_THREADS", "" + threads);
        Process process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        return Optional.of(new PeerProcess(name, process, process.getOutputStream(), process.getInputStream()));
    }

    String name() {
        return name;
    }

    String version() {
        return ask(Request.VERSION, out -> {}, in -> in.readUTF());
    }

    /** One more of the first operand (0) or the second (1). */
    void matrix(int operand, long rows, long columns, boolean transposed, float[] values) {
        ask(
                Request.MATRIX,
                out -> {
                    out.writeByte(operand);
                    out.writeLong(rows);
                    out.writeLong(columns);
                    out.writeBoolean(transposed);
                    PeerServer.writeFloats(out, values);
                },
                in -> null);
    }

    /** What {@link #result} and {@link #nanos} call from now on; {@code axis} is -1 where it has none. */
    void op(Op op, int axis) {
        ask(
                Request.OP,
                out -> {
                    out.writeUTF(op.name());
                    out.writeInt(axis);
                },
                in -> null);
    }

    /** The op's result from the first of each operand. */
    float[] result() {
        return ask(Request.RESULT, out -> {}, PeerServer::readFloats);
    }

    /** Nanoseconds of so many calls. */
    long nanos(int first, int calls) {
        return ask(
                Request.CALLS,
                out -> {
                    out.writeInt(first);
                    out.writeInt(calls);
                },
                DataInputStream::readLong);
    }

    /** Frees the operands. */
    void end() {
        ask(Request.END, out -> {}, in -> null);
    }

    /** Of all its threads so far. */
    long cpuNanos() {
        return process.info().totalCpuDuration().map(Duration::toNanos).orElse(0L);
    }

    @FunctionalInterface
    private interface Writer {
        void write(DataOutputStream out) throws IOException;
    }

    @FunctionalInterface
    private interface Reader<T> {
        T read(DataInputStream in) throws IOException;
    }

    private <T> T ask(Request request, Writer writer, Reader<T> reader) {
        try {
            requests.writeByte(request.ordinal());
            writer.write(requests);
            requests.flush();
            String failure = answers.readUTF();
            if (!failure.isEmpty()) {
                throw new IllegalStateException(name + ": " + failure);
            }
            return reader.read(answers);
        } catch (IOException e) {
            throw new UncheckedIOException(name + " does not answer", e);
        }
    }

    /** Ends the process, which ends with the stream of requests. */
    @Override
    public void close() throws IOException {
        requests.close();
    }

    /** Of all of them. */
    static long cpuNanos(List<PeerProcess> all) {
        return all.stream().mapToLong(PeerProcess::cpuNanos).sum();
    }
}
