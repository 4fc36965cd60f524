package org.tenon.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.function.IntFunction;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.LongArrayRef;
import org.bytedeco.pytorch.global.torch;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.I64;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Tensor;
import org.tenon.bench.PeerServer.Op;
import org.tenon.bench.Turns.Contender;

/**
 * The operands of one case, the same in both libraries, and its contenders. So many of each are taken in turn, and so many
 * results of Tenon are kept, that none is in a cache when it is met again.
 */
final class Operands implements AutoCloseable {
    private static final long WORKING_SET = 256L << 20;
    private static final int MOST = 64;

    final int count;
    private final int threads;
    private final Generator generator = new Generator(1);
    private final List<Contender> contenders = new ArrayList<>();
    private final Deque<AutoCloseable> open = new ArrayDeque<>();
    private final List<PeerProcess> others;
    private Tensor<?, ?, Cpu> mine;
    private org.bytedeco.pytorch.Tensor theirs;

    /** {@code bytes} of a large tensor of the case; 0 where all may stay in the cache. */
    Operands(long bytes, int threads, List<PeerProcess> others) {
        count = bytes == 0 ? 1 : Math.clamp(WORKING_SET / bytes, 2, MOST);
        this.threads = threads;
        this.others = others;
    }

    /** A tensor here and there. */
    record Pair(Tensor<R2<Dim, Dim>, F32, Cpu> here, org.bytedeco.pytorch.Tensor there) {}

    /** Random matrices. */
    Pair[] matrices(long rows, long columns) {
        Pair[] all = new Pair[count];
        for (int i = 0; i < count; i++) {
            all[i] = matrix(Devices.cpu().randn(R2.of(rows, columns), DType.F32, generator));
        }
        return all;
    }

    /** A matrix of given values. */
    Pair matrix(Tensor<R2<Dim, Dim>, F32, Cpu> values) {
        return new Pair(keep(values), there(values));
    }

    private org.bytedeco.pytorch.Tensor there(Tensor<R2<Dim, Dim>, F32, Cpu> values) {
        try (FloatPointer data = new FloatPointer(values.toFloatArray());
                LongPointer sizes = new LongPointer(values.shape())) {
            return keep(torch.from_blob(data, new LongArrayRef(sizes, 2)).clone());
        }
    }

    /** Random classes. */
    Tensor<R1<Dim>, I64, Cpu> classes(long rows, long classes) {
        return keep(Devices.cpu().randint(R1.of(rows), 0, classes, DType.I64, generator));
    }

    /** Results of PyTorch's to write to, as large as that of a function. */
    org.bytedeco.pytorch.Tensor[] outs(IntFunction<org.bytedeco.pytorch.Tensor> function) {
        org.bytedeco.pytorch.Tensor[] all = new org.bytedeco.pytorch.Tensor[count];
        for (int i = 0; i < count; i++) {
            all[i] = keep(function.apply(i).clone());
        }
        return all;
    }

    <T extends AutoCloseable> T keep(T closeable) {
        open.push(closeable);
        return closeable;
    }

    /** Adds who copies so many bytes. */
    void copy(long bytes) {
        Arena arena = keep(Arena.ofShared());
        MemorySegment[] from = new MemorySegment[count];
        MemorySegment[] to = new MemorySegment[count];
        for (int i = 0; i < count; i++) {
            from[i] = arena.allocate(bytes, 64).fill((byte) 1);
            to[i] = arena.allocate(bytes, 64).fill((byte) 2);
        }
        add("copy", i -> copy(from[i % count], to[i % count], bytes));
    }

    private void copy(MemorySegment from, MemorySegment to, long bytes) {
        List<ForkJoinTask<?>> parts = new ArrayList<>();
        for (int part = 1; part < threads; part++) {
            long start = bytes * part / threads;
            long end = bytes * (part + 1) / threads;
            parts.add(ForkJoinPool.commonPool().submit(() -> MemorySegment.copy(from, start, to, start, end - start)));
        }
        MemorySegment.copy(from, 0, to, 0, bytes / threads);
        parts.forEach(ForkJoinTask::join);
    }

    /** Adds who calls an op here, and keeps its result for so many calls. */
    void tenon(IntFunction<Tensor<?, ?, Cpu>> op) {
        Tensor<?, ?, Cpu>[] results = ring();
        mine = keep(op.apply(0));
        add("tenon", i -> replace(results, i % count, op.apply(i % count)));
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private Tensor<?, ?, Cpu>[] ring() {
        return new Tensor[count];
    }

    /** Adds who calls an op of PyTorch and frees its result at once: fresh memory for each would cost it far more. */
    void torch(IntFunction<org.bytedeco.pytorch.Tensor> op) {
        theirs = keep(op.apply(0));
        add("torch", i -> op.apply(i % count).close());
    }

    private static <T extends AutoCloseable> void replace(T[] results, int at, T next) {
        T last = results[at];
        results[at] = next;
        if (last != null) {
            close(last);
        }
    }

    void add(String name, java.util.function.IntConsumer call) {
        contenders.add(Contender.here(name, call));
    }

    /** Tenon, and those of these names. */
    List<Contender> contenders(List<String> beside) {
        return contenders.stream()
                .filter(each -> each.name().equals("tenon") || beside.contains(each.name()))
                .toList();
    }

    /** A benchmark of wrong results would be worth nothing: both libraries agree. */
    void check(double tolerance) {
        float[] expected = new float[Math.toIntExact(theirs.numel())];
        theirs.to(torch.ScalarType.Float).contiguous().data_ptr_float().get(expected);
        check("torch", expected, tolerance);
    }

    private void check(String name, float[] expected, double tolerance) {
        float[] actual = mine.to(DType.F32).toFloatArray();
        if (actual.length != expected.length) {
            throw new IllegalStateException(actual.length + " elements against " + expected.length + " of " + name);
        }
        for (int i = 0; i < actual.length; i++) {
            if (!(Math.abs(actual[i] - expected[i]) <= tolerance * Math.max(1, Math.abs(expected[i])))) {
                throw new IllegalStateException(
                        "element " + i + ": " + actual[i] + " against " + expected[i] + " of " + name);
            }
        }
    }

    /** Adds the libraries of other processes, with an op that has no axis. */
    void others(Op op, double tolerance, Pair[]... operands) {
        others(op, -1, tolerance, operands);
    }

    /** Adds the libraries of other processes, after {@link #tenon}: they get the same values, and their results agree. */
    void others(Op op, int axis, double tolerance, Pair[]... operands) {
        for (PeerProcess each : others) {
            for (int operand = 0; operand < operands.length; operand++) {
                for (Pair pair : operands[operand]) {
                    send(each, operand, pair.here());
                }
            }
            keep(each::end);
            each.op(op, axis);
            check(each.name(), each.result(), tolerance);
            contenders.add(new Contender(each.name(), each::nanos));
        }
    }

    /** What is a transposed view here is one there. */
    private static void send(PeerProcess to, int operand, Tensor<R2<Dim, Dim>, F32, Cpu> values) {
        boolean transposed = !values.isContiguous();
        Tensor<R2<Dim, Dim>, F32, Cpu> whole = transposed ? F.t(values) : values;
        to.matrix(operand, whole.size(0), whole.size(1), transposed, whole.toFloatArray());
    }

    @Override
    public void close() {
        while (!open.isEmpty()) {
            close(open.pop());
        }
    }

    private static void close(AutoCloseable closeable) {
        try {
            closeable.close();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
