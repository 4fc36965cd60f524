package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.IndexCheck;
import org.tenon.spi.Rows;
import org.tenon.spi.Strided;

/** Launches of reads and additions at positions that an index names. */
final class Indexing {
    private static final String[] READS = {"gather", "index_select", "check"};
    private static final String[] ADDS = {"scatter_add", "index_add"};

    private final GpuRuntime runtime;
    private final IndexFlag flag;
    private final Variants reads;
    private final Variants adds;

    Indexing(GpuRuntime runtime, IndexFlag flag) {
        this.runtime = runtime;
        this.flag = flag;
        reads = new Variants(
                4 * 2 * READS.length,
                i -> runtime.kernel(
                        "index",
                        READS[i % READS.length],
                        "-DT=u" + (8 << i / READS.length / 2) + index(i / READS.length % 2) + " -DBLOCK="
                                + runtime.traits().threads()));
        adds = new Variants(
                Types.NUMBERS.size() * 2 * ADDS.length,
                i -> runtime.kernel(
                        "index",
                        ADDS[i % ADDS.length],
                        "-DT=" + Types.name(Types.NUMBERS.get(i / ADDS.length / 2)) + index(i / ADDS.length % 2)
                                + " -DBLOCK="
                                + (i % ADDS.length == 0
                                        ? runtime.traits().threads()
                                        : Math.min(runtime.traits().block(), 128))));
    }

    /** Builds every kernel there is. */
    void buildAll() {
        reads.buildAll();
        adds.buildAll();
    }

    private static String index(int which) {
        return which == 0 ? " -DI=i64" : " -DI=i32";
    }

    private static int which(Strided index) {
        return index.dtype() == DType.I32 ? 1 : 0;
    }

    private GpuKernel read(int kernel, Strided x, Strided index) {
        return reads.get(kernel + READS.length * (2 * Types.widthIndex(x.dtype()) + which(index)));
    }

    private GpuKernel add(int kernel, Strided x, Strided index) {
        return adds.get(kernel + ADDS.length * (2 * Types.index(x.dtype()) + which(index)));
    }

    void gather(Strided in, int dim, Strided index, IndexCheck check, Strided out) {
        long[] base = in.strides().clone();
        base[dim] = 0;
        synchronized (flag) {
            long number = flag.begin(check);
            Axes axes = Launch.axes().set(out.sizes(), out.strides(), index.strides(), base);
            for (long part = 0; part < axes.parts(); part++) {
                axes.part(part);
                Launch launch =
                        Launch.begin().buffer(out).buffer(in).buffer(index).buffer(flag.buffer());
                begin(launch, axes, number, check).value(in.strides()[dim]).value(0);
                launch.offset(out, axes.offset(0)).offset(index, axes.offset(1)).offset(in, axes.offset(2));
                launch.value(0).value(0).value(1).value(1).value(1);
                end(launch, axes).each(runtime, read(0, in, index), axes.count());
            }
        }
    }

    /** Where a result has no elements, its index is still looked at. */
    private void check(Strided index, IndexCheck check) {
        synchronized (flag) {
            long number = flag.begin(check);
            Axes axes = Launch.axes().set(index.sizes(), index.strides());
            for (long part = 0; part < axes.parts(); part++) {
                axes.part(part);
                Launch launch = Launch.begin().buffer(index).buffer(flag.buffer());
                begin(launch, axes, number, check).value(0).value(0);
                launch.value(0).offset(index, axes.offset(0)).value(0).value(0).value(0);
                launch.value(1).value(1).value(1);
                launch.sizes(axes).zeros(Axes.RANK).strides(axes, 0).zeros(Axes.RANK);
                launch.each(runtime, read(2, index, index), axes.count());
            }
        }
    }

    void scatterAdd(Strided src, int dim, Strided index, IndexCheck check, Strided out) {
        long length = index.sizes()[dim];
        if (index.count() == 0) {
            return;
        }
        Rows rows = Rows.along(index.sizes(), dim);
        synchronized (flag) {
            long number = flag.begin(check);
            Axes axes = Launch.axes().setWithout(dim, index.sizes(), out.strides(), index.strides(), src.strides());
            for (long part = 0; part < axes.parts(); part++) {
                axes.part(part);
                Launch launch =
                        Launch.begin().buffer(out).buffer(src).buffer(index).buffer(flag.buffer());
                begin(launch, axes, number, check).value(out.strides()[dim]).value(length);
                launch.offset(out, axes.offset(0)).offset(index, axes.offset(1)).offset(src, axes.offset(2));
                launch.value(index.strides()[dim]).value(src.strides()[dim]);
                launch.value(rows.outer()).value(rows.inner()).value(length);
                end(launch, axes).each(runtime, add(0, out, index), axes.count());
            }
        }
    }

    private static Launch begin(Launch launch, Axes axes, long number, IndexCheck check) {
        return launch.value(axes.count()).value(axes.rank()).value(number).value(check.bound());
    }

    private static Launch end(Launch launch, Axes axes) {
        return launch.sizes(axes).strides(axes, 0).strides(axes, 1).strides(axes, 2);
    }

    void indexSelect(Strided in, Rows rows, Strided index, IndexCheck check, Strided out) {
        if (out.count() == 0) {
            check(index, check);
            return;
        }
        synchronized (flag) {
            long number = flag.begin(check);
            slices(out.count(), number, check, out, index, in, rows).each(runtime, read(1, in, index), out.count());
        }
    }

    void indexAdd(Strided src, Rows rows, Strided index, IndexCheck check, Strided out) {
        if (out.count() == 0) {
            check(index, check);
            return;
        }
        long slices = rows.outer() * rows.len();
        synchronized (flag) {
            long number = flag.begin(check);
            slices(slices, number, check, out, index, src, rows).run(runtime, add(1, out, index), slices);
        }
    }

    private Launch slices(long count, long number, IndexCheck check, Strided out, Strided index, Strided x, Rows rows) {
        Launch launch = Launch.begin().buffer(out).buffer(x).buffer(index).buffer(flag.buffer());
        launch.value(count).value(0).value(number).value(check.bound()).value(0).value(rows.len());
        launch.offset(out).offset(index).offset(x).value(0).value(0);
        // The structure has axes for the other kernels: a device may refuse an argument of another size.
        return launch.value(rows.outer())
                .value(rows.inner())
                .value(index.count())
                .zeros(4 * Axes.RANK);
    }
}
