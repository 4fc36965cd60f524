package org.tenon.gpu;

import java.util.Locale;
import java.util.function.Consumer;
import org.tenon.DType;
import org.tenon.spi.Allocator;
import org.tenon.spi.Buffer;
import org.tenon.spi.ElementLoss;
import org.tenon.spi.Extreme;
import org.tenon.spi.Order;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.Rows;
import org.tenon.spi.Strided;

/** Launches of reductions, running sums and selections. */
final class Reductions {
    /** Enough for the state of any reduction. */
    private static final int STATE_BYTES = 16;
    /** The least a part is worth a group of its own. */
    private static final long PART = 4096;

    /** The kernels of {@code reduce.k}; the last two are CUDA's alone. */
    private enum Kernel {
        ROWS,
        COLUMNS,
        MERGE,
        WIDE,
        TALL;

        /** Whether it reads 16 bytes at a time, which only floating types have. */
        boolean isOfChunks() {
            return this == WIDE || this == TALL;
        }

        /** Whether its groups are as large as a row's. */
        boolean isOfRows() {
            return this == ROWS || isOfChunks();
        }
    }

    /** Once: each call makes an array. */
    private static final Kernel[] KINDS = Kernel.values();

    private static final int KERNELS = KINDS.length;
    /** Once: each call makes an array. */
    private static final ReduceOp[] OPS = ReduceOp.values();
    /** What is reduced, beside the reductions as they are: the sum of the terms of a loss. */
    private static final int LOSS = OPS.length;

    /** So many elements at most, or about the square root of all, are added up one after another before their sums are. */
    private static final long RUN = 256;

    /** The elements that a thread of a row is given, before the row gets another thread; wide accesses ask for twice as many. */
    private static final int EACH = 8;

    /** The bytes of an access of {@link Kernel#TALL}, and the threads that read neighbours, where there are so many. */
    private static final int SLOT = 16;

    private static final int NEIGHBOURS = 8;

    private final GpuRuntime runtime;
    private final Allocator allocator;
    private final Elementwise elementwise;
    private final Variants reductions;
    private final Variants scans;
    private final Variants selections;

    Reductions(GpuRuntime runtime, Allocator allocator, Elementwise elementwise) {
        this.elementwise = elementwise;
        this.runtime = runtime;
        this.allocator = allocator;
        int block = runtime.traits().block();
        int threads = runtime.traits().threads();
        reductions = new Variants((LOSS + 1) * Types.NUMBERS.size() * KERNELS, this::exists, this::build);
        scans = new Variants(
                Types.NUMBERS.size() * 2,
                i -> runtime.kernel(
                        "scan",
                        i % 2 == 0 ? "scan_rows" : "scan_columns",
                        "-DT=" + Types.name(Types.NUMBERS.get(i / 2)) + " -DBLOCK=" + (i % 2 == 0 ? block : threads)));
        selections = new Variants(
                Types.NUMBERS.size() * 2,
                i -> runtime.kernel(
                        "topk",
                        "topk",
                        "-DOP=" + Extreme.values()[i % 2] + " -DT=" + Types.name(Types.NUMBERS.get(i / 2)) + " -DBLOCK="
                                + block));
    }

    private static int number(Kernel kernel, int op, DType type) {
        return kernel.ordinal() + KERNELS * (op * Types.NUMBERS.size() + Types.index(type));
    }

    private static ReduceOp op(int number) {
        int op = number / KERNELS / Types.NUMBERS.size();
        return op == LOSS ? ReduceOp.SUM : OPS[op];
    }

    private static boolean isLoss(int number) {
        return number / KERNELS / Types.NUMBERS.size() == LOSS;
    }

    private boolean exists(int number) {
        ReduceOp op = op(number);
        boolean floating =
                Types.NUMBERS.get(number / KERNELS % Types.NUMBERS.size()).isFloating();
        Kernel kernel = KINDS[number % KERNELS];
        boolean chunks = kernel.isOfChunks();
        boolean floats = chunks || isLoss(number) || op == ReduceOp.MEAN || op == ReduceOp.LOGSUMEXP;
        return (!floats || floating)
                && (!chunks || runtime.traits().warps() != null)
                && !(kernel == Kernel.TALL && isLoss(number));
    }

    private GpuKernel build(int number) {
        ReduceOp op = op(number);
        DType dtype = Types.NUMBERS.get(number / KERNELS % Types.NUMBERS.size());
        Kernel kernel = KINDS[number % KERNELS];
        String type = Types.name(dtype);
        boolean position = op == ReduceOp.ARGMAX || op == ReduceOp.ARGMIN;
        return runtime.kernel(
                "reduce",
                "reduce_" + kernel.name().toLowerCase(Locale.ROOT),
                "-DOP=" + op + (isLoss(number) ? " -DLOSS" : "") + " -DT=" + type + " -DU="
                        + (position ? "i64" : type)
                        + (kernel.isOfChunks() ? " -DWIDE=" + (dtype == DType.F64 ? "f64" : "f32") : "")
                        + " -DLANES=" + runtime.traits().lanes() + " -DBLOCK="
                        + (kernel.isOfRows()
                                ? runtime.traits().block()
                                : runtime.traits().threads()));
    }

    /** Builds every kernel there is. */
    void buildAll() {
        reductions.buildAll();
        scans.buildAll();
        selections.buildAll();
    }

    void reduce(ReduceOp op, Strided in, int kept, Strided out) {
        reduce(op.ordinal(), null, in, kept, out);
    }

    /** The sum of the terms over the divisor. */
    void loss(ElementLoss loss, Strided x, Strided out) {
        reduce(LOSS, loss, x, 0, out);
    }

    /** {@code loss} is that of {@link #LOSS}, else null. */
    private void reduce(int op, ElementLoss loss, Strided in, int kept, Strided out) {
        long outputs = out.count();
        if (outputs == 0) {
            return;
        }
        long length = in.count() / outputs;
        Axes keptAxes = Launch.axes().set(in.sizes(), 0, kept, in.strides());
        Axes reducedAxes = loss == null
                ? Launch.otherAxes().set(in.sizes(), kept, in.rank(), in.strides())
                : Launch.otherAxes().set(in.sizes(), in.strides(), loss.target().strides());
        if (keptAxes.parts() > 1 || reducedAxes.parts() > 1) {
            if (loss == null) {
                dense(in, copy -> reduce(op, null, copy, kept, out));
            } else {
                dense(in, copy -> dense(loss.target(), target -> reduce(op, loss.with(target), copy, kept, out)));
            }
            return;
        }
        Problem problem = new Problem(in, out, keptAxes, reducedAxes, outputs, length);
        boolean wide = problem.isWide() && (loss == null || reducedAxes.stride(1, 0) == 1);
        Kernel kernel = wide && exists(number(Kernel.WIDE, op, in.dtype()))
                ? Kernel.WIDE
                : problem.isTall() && exists(number(Kernel.TALL, op, in.dtype()))
                        ? Kernel.TALL
                        : columnwise(keptAxes, reducedAxes, outputs, length) ? Kernel.COLUMNS : Kernel.ROWS;
        Plan plan = kernel == Kernel.TALL ? tall(problem, in.dtype()) : plan(kernel, outputs, length);
        long splits = plan.splits();
        long span = (length + splits - 1) / splits;
        Buffer parts = splits == 1 ? null : allocator.allocate(outputs * splits * STATE_BYTES);
        try {
            Launch launch = Launch.begin().buffer(out).buffer(in).buffer(parts == null ? out.buffer() : parts);
            if (loss != null) {
                launch.buffer(loss.target());
            }
            problem.arguments(launch, splits, span, plan.across(), parts);
            more(launch, loss, reducedAxes);
            launch.run(runtime, reductions.get(number(kernel, op, in.dtype())), plan.groups());
            if (parts != null) {
                long together = across(splits, EACH / 2);
                Launch merge = Launch.begin().buffer(out).buffer(parts);
                problem.arguments(merge, splits, span, together, parts);
                more(merge, loss, reducedAxes);
                merge.each(runtime, reductions.get(number(Kernel.MERGE, op, in.dtype())), outputs * together);
            }
        } finally {
            if (parts != null) {
                allocator.free(parts);
            }
        }
    }

    /** How a reduction is shared out: the threads of each part of an output, the parts, and the groups of the launch. */
    private record Plan(long across, long splits, long groups) {}

    private Plan plan(Kernel kernel, long outputs, long length) {
        boolean columns = kernel == Kernel.COLUMNS;
        int threads = runtime.traits().threads();
        boolean cooperative = runtime.traits().cooperative();
        long groups = columns && cooperative ? (outputs + threads - 1) / threads : outputs;
        long sums = !cooperative
                ? runtime.traits().lanes()
                : columns ? 1 : runtime.traits().block();
        long splits = splits(groups, length, columns && cooperative ? 64 : PART, sums);
        long span = (length + splits - 1) / splits;
        long across = columns ? 1 : across(span, kernel == Kernel.WIDE ? 2 * EACH : EACH);
        int block = kernel.isOfRows() ? runtime.traits().block() : threads;
        return new Plan(across, splits, (outputs * splits * across + block - 1) / block);
    }

    /** For {@link Kernel#TALL}. As many threads read neighbours as a line of memory has slots, the others of a group what follows. */
    private Plan tall(Problem problem, DType dtype) {
        int block = runtime.traits().block();
        long each = SLOT / dtype.bytes();
        long run = problem.kept().size(problem.kept().rank() - 1);
        long columns = problem.outputs() / run * ((run + each - 1) / each);
        long length = problem.length();
        long across = Math.min(
                block / Math.min(NEIGHBOURS, Launch.powerAbove(columns)),
                Launch.powerAbove((length + 2 * EACH - 1) / (2 * EACH)));
        long tile = block / across;
        long tiles = (columns + tile - 1) / tile;
        long splits = splits(tiles, length, across * 2 * EACH, across);
        return new Plan(across, splits, tiles * splits);
    }

    /** How many threads work on so many elements; a power of two. */
    private long across(long elements, int each) {
        int most = Math.min(runtime.traits().block(), runtime.traits().threads());
        long wanted = (elements + each - 1) / each;
        return runtime.traits().cooperative() ? Math.min(most, Launch.powerAbove(wanted)) : 1;
    }

    /** What is reduced: the elements of an output and the outputs, each along axes that do not merge. */
    private record Problem(Strided in, Strided out, Axes kept, Axes reduced, long outputs, long length) {
        /** Whether elements of an output are neighbours, and outputs follow each other. */
        boolean isWide() {
            return reduced.rank() == 1
                    && reduced.stride(0, 0) == 1
                    && (outputs == 1 || kept.rank() == 1 && kept.stride(0, 0) == length);
        }

        /** Whether outputs are neighbours, in runs of two or more. */
        boolean isTall() {
            int last = kept.rank() - 1;
            return reduced.rank() == 1 && kept.stride(0, last) == 1 && kept.size(last) > 1;
        }

        void arguments(Launch launch, long splits, long span, long across, Buffer parts) {
            launch.value(outputs)
                    .value(length)
                    .value(splits)
                    .value(span)
                    .value(across)
                    .offset(in)
                    .offset(out)
                    .value(parts == null ? 0 : parts.base() / Long.BYTES)
                    .value(kept.rank())
                    .value(reduced.rank())
                    .sizes(kept)
                    .strides(kept, 0)
                    .sizes(reduced)
                    .strides(reduced, 0);
        }
    }

    /** What a loss has besides; in a method of its own, so that what sums pack is small enough to be inlined. */
    private static void more(Launch launch, ElementLoss loss, Axes reduced) {
        if (loss != null) {
            DType dtype = loss.target().dtype();
            launch.offset(loss.target())
                    .value(ElementLosses.number(loss.op()))
                    .value(Types.bits(dtype, loss.p0()))
                    .value(Types.bits(dtype, loss.divisor()))
                    .strides(reduced, 1);
        }
    }

    /** Goes on with a row-major copy, whose axes merge into few. */
    private void dense(Strided in, Consumer<Strided> next) {
        Buffer buffer = allocator.allocate(in.count() * in.dtype().bytes());
        try {
            long[] strides = new long[in.rank()];
            long stride = 1;
            for (int i = in.rank() - 1; i >= 0; i--) {
                strides[i] = stride;
                stride *= in.sizes()[i];
            }
            Strided copy = new Strided(buffer, in.dtype(), 0, in.sizes(), strides);
            elementwise.copy(in, copy);
            next.accept(copy);
        } finally {
            allocator.free(buffer);
        }
    }

    /** Whether neighbouring outputs are nearer in memory than neighbouring elements of one. */
    private boolean columnwise(Axes kept, Axes reduced, long outputs, long length) {
        if (!runtime.traits().cooperative()) {
            return true;
        }
        long keptStride = Math.abs(kept.stride(0, kept.rank() - 1));
        long reducedStride = Math.abs(reduced.stride(0, reduced.rank() - 1));
        return length < 8 || outputs >= 32 && keptStride != 0 && keptStride < reducedStride;
    }

    /**
     * How many parts an output's elements are cut into, so that the device has enough to do, and that none of the {@code sums} that are
     * taken at once goes on for so long that what it adds is lost against it.
     */
    private long splits(long groups, long length, long least, long sums) {
        long busy = runtime.traits().units() * (runtime.traits().cooperative() ? 8L : 2L);
        long enough = Math.min((busy + groups - 1) / groups, length / least);
        long run = Math.max(RUN, (long) Math.sqrt((double) length / sums));
        return Math.max(1, Math.max(enough, length / (run * sums)));
    }

    void cumsum(Strided in, Rows rows, Order order, Strided out) {
        if (out.count() == 0) {
            return;
        }
        Launch launch = Launch.begin()
                .buffer(out)
                .buffer(in)
                .value(rows.count())
                .value(rows.len())
                .value(rows.inner())
                .offset(in)
                .offset(out)
                .value(order == Order.BACKWARD ? 1 : 0);
        int variant = 2 * Types.index(in.dtype());
        if (rows.inner() == 1) {
            launch.run(runtime, scans.get(variant), rows.count());
        } else {
            launch.each(runtime, scans.get(variant + 1), rows.count());
        }
    }

    void topk(Strided in, Rows rows, long k, Extreme extreme, Strided values, Strided indices) {
        if (values.count() == 0) {
            return;
        }
        Launch.begin()
                .buffer(values)
                .buffer(indices)
                .buffer(in)
                .value(rows.count())
                .value(rows.len())
                .value(rows.inner())
                .value(k)
                .offset(in)
                .offset(values)
                .offset(indices)
                .run(runtime, selections.get(2 * Types.index(in.dtype()) + extreme.ordinal()), rows.count());
    }
}
