package org.tenon.gpu;

import java.util.function.Consumer;
import org.tenon.spi.Allocator;
import org.tenon.spi.Buffer;
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

    private static final String[] KERNELS = {"reduce_rows", "reduce_columns", "reduce_merge"};

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
        reductions = new Variants(ReduceOp.values().length * Types.NUMBERS.size() * 3, Reductions::exists, i -> {
            ReduceOp op = ReduceOp.values()[i / 3 / Types.NUMBERS.size()];
            String type = Types.name(Types.NUMBERS.get(i / 3 % Types.NUMBERS.size()));
            boolean position = op == ReduceOp.ARGMAX || op == ReduceOp.ARGMIN;
            return runtime.kernel(
                    "reduce",
                    KERNELS[i % 3],
                    "-DOP=" + op + " -DT=" + type + " -DU=" + (position ? "i64" : type) + " -DLANES="
                            + runtime.traits().lanes() + " -DBLOCK=" + (i % 3 == 0 ? block : threads));
        });
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

    private static boolean exists(int i) {
        ReduceOp op = ReduceOp.values()[i / 3 / Types.NUMBERS.size()];
        boolean floats = op == ReduceOp.MEAN || op == ReduceOp.LOGSUMEXP;
        return !floats || Types.NUMBERS.get(i / 3 % Types.NUMBERS.size()).isFloating();
    }

    /** Builds every kernel there is. */
    void buildAll() {
        reductions.buildAll();
        scans.buildAll();
        selections.buildAll();
    }

    void reduce(ReduceOp op, Strided in, int kept, Strided out) {
        long outputs = out.count();
        if (outputs == 0) {
            return;
        }
        long length = in.count() / outputs;
        Axes keptAxes = Launch.axes().set(in.sizes(), 0, kept, in.strides());
        Axes reducedAxes = Launch.otherAxes().set(in.sizes(), kept, in.rank(), in.strides());
        if (keptAxes.parts() > 1 || reducedAxes.parts() > 1) {
            dense(in, copy -> reduce(op, copy, kept, out));
            return;
        }
        boolean columns = columnwise(keptAxes, reducedAxes, outputs, length);
        long splits = splits(columns, outputs, length);
        long span = (length + splits - 1) / splits;
        int variant = 3 * (op.ordinal() * Types.NUMBERS.size() + Types.index(in.dtype()));
        Buffer parts = splits == 1 ? null : allocator.allocate(outputs * splits * STATE_BYTES);
        try {
            Launch launch = arguments(
                    Launch.begin().buffer(out).buffer(in).buffer(parts == null ? out.buffer() : parts),
                    in,
                    out,
                    keptAxes,
                    reducedAxes,
                    outputs,
                    length,
                    splits,
                    span,
                    parts);
            if (columns) {
                launch.each(runtime, reductions.get(variant + 1), outputs * splits);
            } else {
                launch.run(runtime, reductions.get(variant), outputs * splits);
            }
            if (parts != null) {
                arguments(
                                Launch.begin().buffer(out).buffer(parts),
                                in,
                                out,
                                keptAxes,
                                reducedAxes,
                                outputs,
                                length,
                                splits,
                                span,
                                parts)
                        .each(runtime, reductions.get(variant + 2), outputs);
            }
        } finally {
            if (parts != null) {
                allocator.free(parts);
            }
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

    private static Launch arguments(
            Launch launch,
            Strided in,
            Strided out,
            Axes kept,
            Axes reduced,
            long outputs,
            long length,
            long splits,
            long span,
            Buffer parts) {
        return launch.value(outputs)
                .value(length)
                .value(splits)
                .value(span)
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

    /** Whether neighbouring outputs are nearer in memory than neighbouring elements of one. */
    private boolean columnwise(Axes kept, Axes reduced, long outputs, long length) {
        if (!runtime.traits().cooperative()) {
            return true;
        }
        long keptStride = Math.abs(kept.stride(0, kept.rank() - 1));
        long reducedStride = Math.abs(reduced.stride(0, reduced.rank() - 1));
        return length < 8 || outputs >= 32 && keptStride != 0 && keptStride < reducedStride;
    }

    /** How many parts an output's elements are cut into, so that the device has enough to do. */
    private long splits(boolean columns, long outputs, long length) {
        long busy = runtime.traits().units() * (runtime.traits().cooperative() ? 8L : 2L);
        int threads = runtime.traits().threads();
        long groups = columns && runtime.traits().cooperative() ? (outputs + threads - 1) / threads : outputs;
        long least = columns && runtime.traits().cooperative() ? 64 : PART;
        return Math.max(1, Math.min((busy + groups - 1) / groups, length / least));
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
