package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.IndexCheck;
import org.tenon.spi.Rows;
import org.tenon.spi.Strided;

/** Launches of reads and additions at positions that an index names. */
final class Indexing {
    private static final int THREADS = 256;
    private static final DType[] DTYPES = {DType.F32, DType.F64, DType.F16, DType.BF16, DType.I32, DType.I64};
    private static final String[] READS = {"gather", "index_select", "check"};
    private static final String[] ADDS = {"scatter_add", "index_add"};
    private static final long[] NO_AXES = {};

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
                        "-DT=u" + (8 << i / READS.length / 2) + index(i / READS.length % 2) + " -DBLOCK=" + THREADS));
        adds = new Variants(
                DTYPES.length * 2 * ADDS.length,
                i -> runtime.kernel(
                        "index",
                        ADDS[i % ADDS.length],
                        "-DT=" + Types.name(DTYPES[i / ADDS.length / 2]) + index(i / ADDS.length % 2) + " -DBLOCK="
                                + (i % ADDS.length == 0
                                        ? THREADS
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
        flag.checked(
                check,
                (note, number) -> Axes.of(out.sizes(), out.strides(), index.strides(), base)
                        .each((axes, at) -> {
                            Launch launch = Launch.begin()
                                    .buffer(out)
                                    .buffer(in)
                                    .buffer(index)
                                    .buffer(note);
                            launch.value(axes.count())
                                    .value(axes.rank())
                                    .value(number)
                                    .value(check.bound());
                            launch.value(in.strides()[dim]).value(0);
                            launch.offset(out, at[0])
                                    .offset(index, at[1])
                                    .offset(in, at[2])
                                    .value(0)
                                    .value(0);
                            launch.value(1).value(1).value(1);
                            launch.axes(axes.sizes(), 0)
                                    .axes(axes.strides(0), 0)
                                    .axes(axes.strides(1), 0);
                            launch.axes(axes.strides(2), 0).each(runtime, read(0, in, index), axes.count());
                        }));
    }

    /** Where a result has no elements, its index is still looked at. */
    private void check(Strided index, IndexCheck check) {
        flag.checked(
                check,
                (note, number) -> Axes.of(index.sizes(), index.strides()).each((axes, at) -> {
                    Launch launch = Launch.begin().buffer(index).buffer(note);
                    launch.value(axes.count())
                            .value(axes.rank())
                            .value(number)
                            .value(check.bound())
                            .value(0)
                            .value(0);
                    launch.value(0)
                            .offset(index, at[0])
                            .value(0)
                            .value(0)
                            .value(0)
                            .value(1)
                            .value(1)
                            .value(1);
                    launch.axes(axes.sizes(), 0)
                            .axes(NO_AXES, 0)
                            .axes(axes.strides(0), 0)
                            .axes(NO_AXES, 0);
                    launch.each(runtime, read(2, index, index), axes.count());
                }));
    }

    void scatterAdd(Strided src, int dim, Strided index, IndexCheck check, Strided out) {
        long[] sizes = index.sizes();
        long length = sizes[dim];
        if (index.count() == 0) {
            return;
        }
        Rows rows = Rows.along(sizes, dim);
        flag.checked(
                check,
                (note, number) -> Axes.of(
                                without(sizes, dim),
                                without(out.strides(), dim),
                                without(index.strides(), dim),
                                without(src.strides(), dim))
                        .each((axes, at) -> {
                            Launch launch = Launch.begin()
                                    .buffer(out)
                                    .buffer(src)
                                    .buffer(index)
                                    .buffer(note);
                            launch.value(axes.count())
                                    .value(axes.rank())
                                    .value(number)
                                    .value(check.bound());
                            launch.value(out.strides()[dim]).value(length);
                            launch.offset(out, at[0]).offset(index, at[1]).offset(src, at[2]);
                            launch.value(index.strides()[dim]).value(src.strides()[dim]);
                            launch.value(rows.outer()).value(rows.inner()).value(length);
                            launch.axes(axes.sizes(), 0)
                                    .axes(axes.strides(0), 0)
                                    .axes(axes.strides(1), 0);
                            launch.axes(axes.strides(2), 0).each(runtime, add(0, out, index), axes.count());
                        }));
    }

    private static long[] without(long[] values, int dim) {
        long[] rest = new long[values.length - 1];
        System.arraycopy(values, 0, rest, 0, dim);
        System.arraycopy(values, dim + 1, rest, dim, rest.length - dim);
        return rest;
    }

    void indexSelect(Strided in, Rows rows, Strided index, IndexCheck check, Strided out) {
        if (out.count() == 0) {
            check(index, check);
            return;
        }
        flag.checked(
                check,
                (note, number) -> slices(
                                Launch.begin()
                                        .buffer(out)
                                        .buffer(in)
                                        .buffer(index)
                                        .buffer(note),
                                out.count(),
                                number,
                                check,
                                out,
                                index,
                                in,
                                rows)
                        .each(runtime, read(1, in, index), out.count()));
    }

    void indexAdd(Strided src, Rows rows, Strided index, IndexCheck check, Strided out) {
        if (out.count() == 0) {
            check(index, check);
            return;
        }
        flag.checked(
                check,
                (note, number) -> slices(
                                Launch.begin()
                                        .buffer(out)
                                        .buffer(src)
                                        .buffer(index)
                                        .buffer(note),
                                rows.outer() * rows.len(),
                                number,
                                check,
                                out,
                                index,
                                src,
                                rows)
                        .run(runtime, add(1, out, index), rows.outer() * rows.len()));
    }

    private static Launch slices(
            Launch launch,
            long count,
            long number,
            IndexCheck check,
            Strided out,
            Strided index,
            Strided x,
            Rows rows) {
        launch.value(count).value(0).value(number).value(check.bound()).value(0).value(rows.len());
        launch.offset(out).offset(index).offset(x).value(0).value(0);
        return launch.value(rows.outer()).value(rows.inner()).value(index.count());
    }
}
