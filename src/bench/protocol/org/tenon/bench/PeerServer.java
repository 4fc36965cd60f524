package org.tenon.bench;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The side of a library in a JVM of its own. It answers one {@link Request} after another, and between them it sleeps. A request
 * is its number in a byte and what its comment says; an answer starts with an empty text, or with that of a failure and ends there.
 */
final class PeerServer<A> {
    /** What is asked for. Numbers are big-endian, as are those of {@link DataOutputStream}. */
    enum Request {
        /** Nothing; answered by the library's name and version. */
        VERSION,
        /** Which operand (0 or 1), rows, columns, whether an op takes its transpose, values: one more of that operand. */
        MATRIX,
        /** Name of the op and an axis, -1 where it has none: what is called from now on, with the first operands or with both. */
        OP,
        /** Nothing; answered by the values of the op's result from the first of each operand. */
        RESULT,
        /** Number of the first call and how many calls; answered by nanoseconds. */
        CALLS,
        /** Nothing: operands are freed. */
        END
    }

    /** What all libraries have. */
    enum Op {
        LOG_SOFTMAX,
        SOFTMAX,
        EXP,
        SUM,
        MAX,
        ADD,
        MATMUL
    }

    /** Called with two operands; the second is null where the op has one. */
    @FunctionalInterface
    interface Function<A> {
        A apply(A x, A y);
    }

    /** A library whose arrays are of class {@code A}. */
    interface Library<A> {
        String version();

        A matrix(long rows, long columns, float[] values);

        /** A view. */
        A transposed(A matrix);

        /** An op; {@code axis} is -1 where it has none. */
        Function<A> function(Op op, int axis);

        /** In order of rows. */
        float[] values(A array);

        /** Calls it and frees the result as its users would. */
        void call(Function<A> function, A x, A y);

        void free(A array);
    }

    private static final int BLOCK = 1 << 14;

    private final Library<A> library;
    private final List<List<A>> operands = List.of(new ArrayList<>(), new ArrayList<>());
    /** The operands, and what the transposed ones are views of: all that must be freed. */
    private final List<A> open = new ArrayList<>();

    private Function<A> function;

    private PeerServer(Library<A> library) {
        this.library = library;
    }

    /** Serves the process that started this one until it closes the stream. What a library prints goes to the errors. */
    static <A> void serve(Library<A> library) throws IOException {
        System.setOut(System.err);
        serve(library, new FileInputStream(FileDescriptor.in), new FileOutputStream(FileDescriptor.out));
    }

    static <A> void serve(Library<A> library, InputStream in, OutputStream out) throws IOException {
        PeerServer<A> server = new PeerServer<>(library);
        DataInputStream requests = new DataInputStream(new BufferedInputStream(in));
        DataOutputStream answers = new DataOutputStream(new BufferedOutputStream(out));
        for (int request = requests.read(); request >= 0; request = requests.read()) {
            server.answer(Request.values()[request], requests, answers);
            answers.flush();
        }
    }

    private void answer(Request request, DataInputStream in, DataOutputStream out) throws IOException {
        switch (request) {
            case VERSION -> answer(out, library::version, DataOutputStream::writeUTF);
            case MATRIX -> {
                int operand = in.readByte();
                long rows = in.readLong();
                long columns = in.readLong();
                boolean transposed = in.readBoolean();
                float[] values = readFloats(in);
                answer(out, () -> add(operand, rows, columns, transposed, values), PeerServer::nothing);
            }
            case OP -> {
                Op op = Op.valueOf(in.readUTF());
                int axis = in.readInt();
                answer(out, () -> function = library.function(op, axis), PeerServer::nothing);
            }
            case RESULT -> answer(out, this::result, PeerServer::writeFloats);
            case CALLS -> {
                int first = in.readInt();
                int calls = in.readInt();
                answer(out, () -> nanos(first, calls), DataOutputStream::writeLong);
            }
            case END -> answer(out, this::end, PeerServer::nothing);
        }
    }

    @FunctionalInterface
    private interface Work<T> {
        T get();
    }

    @FunctionalInterface
    private interface Writer<T> {
        void write(DataOutputStream out, T answer) throws IOException;
    }

    private static <T> void answer(DataOutputStream out, Work<T> work, Writer<T> writer) throws IOException {
        T answer;
        try {
            answer = work.get();
        } catch (RuntimeException | LinkageError e) {
            out.writeUTF(e.toString());
            return;
        }
        out.writeUTF("");
        writer.write(out, answer);
    }

    private static void nothing(DataOutputStream out, Object answer) {}

    private Void add(int operand, long rows, long columns, boolean transposed, float[] values) {
        A matrix = library.matrix(rows, columns, values);
        open.add(matrix);
        if (transposed) {
            matrix = library.transposed(matrix);
            open.add(matrix);
        }
        operands.get(operand).add(matrix);
        return null;
    }

    private float[] result() {
        A result = function.apply(operand(0, 0), operand(1, 0));
        float[] values = library.values(result);
        library.free(result);
        return values;
    }

    private long nanos(int first, int calls) {
        long start = System.nanoTime();
        for (int i = 0; i < calls; i++) {
            int call = first + i & Integer.MAX_VALUE;
            library.call(function, operand(0, call), operand(1, call));
        }
        return System.nanoTime() - start;
    }

    private A operand(int operand, int call) {
        List<A> all = operands.get(operand);
        return all.isEmpty() ? null : all.get(call % all.size());
    }

    private Void end() {
        open.forEach(library::free);
        open.clear();
        operands.forEach(List::clear);
        return null;
    }

    static void writeFloats(DataOutputStream out, float[] values) throws IOException {
        out.writeInt(values.length);
        ByteBuffer block = ByteBuffer.allocate(BLOCK * Float.BYTES);
        for (int i = 0; i < values.length; i += BLOCK) {
            int count = Math.min(BLOCK, values.length - i);
            block.asFloatBuffer().put(values, i, count);
            out.write(block.array(), 0, count * Float.BYTES);
        }
    }

    static float[] readFloats(DataInputStream in) throws IOException {
        float[] values = new float[in.readInt()];
        ByteBuffer block = ByteBuffer.allocate(BLOCK * Float.BYTES);
        for (int i = 0; i < values.length; i += BLOCK) {
            int count = Math.min(BLOCK, values.length - i);
            in.readFully(block.array(), 0, count * Float.BYTES);
            block.asFloatBuffer().get(values, i, count);
        }
        return values;
    }
}
