package org.tenon.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.tenon.DType;
import org.tenon.spi.Allocator;
import org.tenon.spi.Attending;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.ClassLoss;
import org.tenon.spi.CustomKernel;
import org.tenon.spi.Dropout;
import org.tenon.spi.ElementLoss;
import org.tenon.spi.Epilogue;
import org.tenon.spi.Extreme;
import org.tenon.spi.IndexCheck;
import org.tenon.spi.LossOp;
import org.tenon.spi.LossReduction;
import org.tenon.spi.Norm;
import org.tenon.spi.Order;
import org.tenon.spi.RandomOp;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.Rows;
import org.tenon.spi.SoftmaxKind;
import org.tenon.spi.Strided;
import org.tenon.spi.UnaryOp;
import org.tenon.spi.UpdateStep;

/**
 * What each launch packs is what its kernel declares: as many buffers, a structure of that size, and each number in the
 * field that is meant. Drivers differ in what they say of a structure that is too short; some say nothing.
 */
class ArgumentsTest {
    private static final IndexCheck CHECK = new IndexCheck("test", "index", 11, -7L);

    private final Recorder recorder = new Recorder(new GpuRuntime.Traits(true, 256, 1, 4));
    private final Recorder warps =
            new Recorder(new GpuRuntime.Traits(true, 256, 1, 4, new GpuRuntime.Warps(100 << 10, true)));
    private final Recorder cpu = new Recorder(new GpuRuntime.Traits(true, 1, 16, 4));
    private final Allocator allocator = new Allocator("recorder", recorder.memory("work"));
    private final GpuKernels kernels =
            new GpuKernels(recorder, allocator, new IndexFlag(recorder, new Allocator("flag", recorder.memory())));
    /** Where workspace starts, in longs: behind a guard band, if there is one. */
    private final long parts = allocator.allocate(1).base() / Long.BYTES;

    private final Strided x = dense("x", DType.F64, 5, 2, 3);
    private final Strided out = dense("o", DType.F64, 3, 2, 3);

    private static Strided strided(String name, DType dtype, long offset, long[] sizes, long... strides) {
        return new Strided(new Recorder.Named(name, 1), dtype, offset, sizes, strides);
    }

    private static Strided dense(String name, DType dtype, long offset, long... sizes) {
        long[] strides = new long[sizes.length];
        long stride = 1;
        for (int i = sizes.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= sizes[i];
        }
        return strided(name, dtype, offset, sizes, strides);
    }

    private static long[] sizes(long... sizes) {
        return sizes;
    }

    private static long bits(double value) {
        return Double.doubleToRawLongBits(value);
    }

    private void launched(String... expected) {
        assertThat(recorder.launches()).containsExactly(expected);
    }

    @Test
    void constants() {
        kernels.fill(strided("o", DType.F32, 3, sizes(2, 3), 5, 1), 2);
        launched("fill/fill(out=o count=6 rank=2 offset=3 bits=1073741824 sizes=[2,3] strides=[5,1])");
        kernels.arange(dense("o", DType.F32, 3, 7), 2, 0.5);
        launched("arange/arange(out=o count=7 offset=3 start=" + bits(2) + " step=" + bits(0.5) + ")");
    }

    @Test
    void copies() {
        kernels.copy(strided("i", DType.F32, 5, sizes(2, 3), 1, 2), dense("o", DType.F32, 3, 2, 3));
        launched("copy/copy(out=o in=i count=6 rank=2 in_offset=5 out_offset=3 sizes=[2,3] in=[1,2] out=[3,1])");
        kernels.copy(dense("i", DType.F32, 5, 2, 3), dense("o", DType.I64, 3, 2, 3));
        launched("copy/copy_dense(out=o in=i count=6 rank=1 in_offset=5 out_offset=3 sizes=[6] in=[1] out=[1])");
        kernels.copy(strided("i", DType.F32, 5, sizes(2, 16, 32), 600, 1, 17), dense("o", DType.F32, 3, 2, 16, 32));
        launched("copy/copy_transposed(out=o in=i count=1024 rank=3 in_offset=5 out_offset=3"
                + " sizes=[16,32,2] in=[1,17,600] out=[32,1,512])");
    }

    @Test
    void elementwise() {
        String clamp = " p0=" + bits(-1) + " p1=" + bits(2);
        kernels.unary(UnaryOp.CLAMP, strided("x", DType.F64, 5, sizes(2, 3), 1, 2), -1, 2, out);
        launched("unary/unary(out=o in=x count=6 rank=2 in_offset=5 out_offset=3" + clamp
                + " sizes=[2,3] in=[1,2] out=[3,1])");
        kernels.unary(UnaryOp.CLAMP, dense("x", DType.F64, 8, 6), -1, 2, dense("o", DType.F64, 4, 6));
        launched("unary/unary_dense(out=o in=x count=6 rank=1 in_offset=8 out_offset=4" + clamp
                + " sizes=[6] in=[1] out=[1])");
        kernels.binary(
                BinaryOp.ADD,
                strided("x", DType.F64, 5, sizes(2, 3), 1, 2),
                strided("y", DType.F64, 7, sizes(2, 3), 0, 4),
                out);
        launched("binary/binary(out=o x=x y=y count=6 rank=2 x_offset=5 y_offset=7 out_offset=3"
                + " sizes=[2,3] x=[1,2] y=[0,4] out=[3,1])");
        kernels.binary(
                BinaryOp.ADD, dense("x", DType.F64, 8, 6), dense("y", DType.F64, 12, 6), dense("o", DType.F64, 4, 6));
        launched("binary/binary_dense(out=o x=x y=y count=6 rank=1 x_offset=8 y_offset=12 out_offset=4"
                + " sizes=[6] x=[1] y=[1] out=[1])");
        kernels.where(
                strided("c", DType.BOOL, 9, sizes(2, 3), 1, 2),
                strided("x", DType.F64, 5, sizes(2, 3), 4, 1),
                strided("y", DType.F64, 7, sizes(2, 3), 0, 6),
                out);
        launched("where/where(out=o condition=c x=x y=y count=6 rank=2 out_offset=3 c_offset=9 x_offset=5 y_offset=7"
                + " sizes=[2,3] out=[3,1] c=[1,2] x=[4,1] y=[0,6])");
        Strided condition = dense("c", DType.BOOL, 12, 6);
        Strided one = strided("y", DType.F64, 7, sizes(6), 0);
        kernels.where(condition, dense("x", DType.F64, 8, 6), one, dense("o", DType.F64, 4, 6));
        launched("where/where_dense(out=o condition=c x=x y=y count=6 rank=1 out_offset=4 c_offset=12 x_offset=8"
                + " y_offset=7 sizes=[6] out=[1] c=[1] x=[1] y=[])");
        kernels.where(dense("c", DType.BOOL, 9, 6), dense("x", DType.F64, 8, 6), one, dense("o", DType.F64, 4, 6));
        launched("where/where(out=o condition=c x=x y=y count=6 rank=1 out_offset=4 c_offset=9 x_offset=8 y_offset=7"
                + " sizes=[6] out=[1] c=[1] x=[1] y=[])");
    }

    @Test
    void reductions() {
        kernels.reduce(ReduceOp.SUM, strided("i", DType.F64, 5, sizes(4, 100), 103, 1), 1, dense("o", DType.F64, 3, 4));
        launched(
                "reduce/reduce_rows(out=o in=i workspace=o outputs=4 length=100 splits=1 span=100 across=16 in_offset=5"
                        + " out_offset=3 parts_offset=0 kept_rank=1 reduced_rank=1 kept_sizes=[4] kept=[103]"
                        + " reduced_sizes=[100] reduced=[1])");
        kernels.reduce(ReduceOp.SUM, strided("i", DType.F64, 5, sizes(64, 10), 1, 70), 1, dense("o", DType.F64, 3, 64));
        launched("reduce/reduce_columns(out=o in=i workspace=o outputs=64 length=10 splits=1 span=10 across=1"
                + " in_offset=5 out_offset=3 parts_offset=0 kept_rank=1 reduced_rank=1 kept_sizes=[64] kept=[1]"
                + " reduced_sizes=[10] reduced=[70])");
        kernels.reduce(
                ReduceOp.SUM, strided("i", DType.F64, 5, sizes(2, 20000), 20003, 1), 1, dense("o", DType.F64, 3, 2));
        String head = " outputs=2 length=20000 splits=4 span=5000 across=";
        String split = " in_offset=5 out_offset=3 parts_offset=" + parts
                + " kept_rank=1 reduced_rank=1 kept_sizes=[2] kept=[20003] reduced_sizes=[20000] reduced=[1])";
        launched(
                "reduce/reduce_rows(out=o in=i workspace=work" + head + "256" + split,
                "reduce/reduce_merge(out=o workspace=work" + head + "1" + split);
    }

    @Test
    void reductionsForWarps() {
        GpuKernels kernels =
                new GpuKernels(warps, allocator, new IndexFlag(warps, new Allocator("flag", warps.memory())));
        kernels.reduce(ReduceOp.SUM, dense("i", DType.F64, 5, 4, 100), 1, dense("o", DType.F64, 3, 4));
        assertThat(warps.launches())
                .containsExactly("reduce/reduce_wide(out=o in=i workspace=o outputs=4 length=100 splits=1 span=100"
                        + " across=8 in_offset=5 out_offset=3 parts_offset=0 kept_rank=1 reduced_rank=1 kept_sizes=[4]"
                        + " kept=[100] reduced_sizes=[100] reduced=[1])");
        // Two runs of three neighbours: two slots each, so that 64 threads of a group of 256 share a slot; parts for at
        // least 16 elements each.
        kernels.reduce(
                ReduceOp.SUM,
                strided("i", DType.F64, 5, sizes(2, 3, 20000), 80000, 1, 4),
                2,
                dense("o", DType.F64, 3, 2, 3));
        String head = " outputs=6 length=20000 splits=19 span=1053 across=";
        String tail = " in_offset=5 out_offset=3 parts_offset=" + parts + " kept_rank=2 reduced_rank=1"
                + " kept_sizes=[2,3] kept=[80000,1] reduced_sizes=[20000] reduced=[4])";
        assertThat(warps.launches())
                .containsExactly(
                        "reduce/reduce_tall(out=o in=i workspace=work" + head + "64" + tail,
                        "reduce/reduce_merge(out=o workspace=work" + head + "8" + tail);
        kernels.reduce(ReduceOp.SUM, dense("i", DType.I64, 5, 4, 100), 1, dense("o", DType.I64, 3, 4));
        assertThat(warps.launches()).singleElement().asString().startsWith("reduce/reduce_rows(");
    }

    @Test
    void lossesOfElements() {
        Strided target = strided("t", DType.F64, 9, sizes(2, 3), 0, 2);
        ElementLoss huber = new ElementLoss(LossOp.HUBER, 0.5, 6, target);
        String numbers = " loss=5 p0=" + bits(0.5) + " divisor=" + bits(6);
        kernels.elementLoss(huber, x, out);
        launched("loss/loss(out=o x=x target=t count=6 rank=2" + numbers + " x_offset=5 target_offset=9 g_offset=0"
                + " out_offset=3 dtarget_offset=0 has_dx=0 has_dtarget=0 aligned=0 sizes=[2,3] x=[3,1] target=[0,2]"
                + " g=[])");
        Strided g = strided("g", DType.F64, 7, sizes(2, 3), 0, 0);
        kernels.elementLossGrad(huber, g, x, out, dense("d", DType.F64, 11, 2, 3));
        String grad = " x_offset=5 target_offset=9 g_offset=7 out_offset=";
        String axes = " aligned=0 sizes=[2,3] x=[3,1] target=[0,2] g=[])";
        launched("loss/loss_grad(dx=o dtarget=d g=g x=x target=t count=6 rank=2" + numbers + grad
                + "3 dtarget_offset=11 has_dx=1 has_dtarget=1" + axes);
        kernels.elementLossGrad(huber, g, x, null, out);
        launched("loss/loss_grad(dx=o dtarget=o g=g x=x target=t count=6 rank=2" + numbers + grad
                + "3 dtarget_offset=3 has_dx=0 has_dtarget=1" + axes);
        Strided one = dense("x", DType.F64, 8, 6);
        kernels.elementLossGrad(
                new ElementLoss(LossOp.MSE, 0, 6, dense("t", DType.F64, 4, 6)),
                strided("g", DType.F64, 7, sizes(6), 0),
                one,
                dense("o", DType.F64, 12, 6),
                null);
        launched("loss/loss_grad(dx=o dtarget=o g=g x=x target=t count=6 rank=1 loss=3 p0=0 divisor=" + bits(6)
                + " x_offset=8 target_offset=4 g_offset=7 out_offset=12 dtarget_offset=12 has_dx=1 has_dtarget=0"
                + " aligned=1 sizes=[6] x=[1] target=[1] g=[])");
    }

    @Test
    void sumsOfLosses() {
        GpuKernels kernels =
                new GpuKernels(warps, allocator, new IndexFlag(warps, new Allocator("flag", warps.memory())));
        Strided dense = dense("t", DType.F64, 9, 20000);
        Strided scalar = dense("o", DType.F64, 3);
        String parts = " parts_offset=" + this.parts + " kept_rank=1 reduced_rank=1 kept_sizes=[1] kept=[]";
        String loss = " loss=1 p0=0 divisor=" + bits(2);
        String split = " outputs=1 length=20000 splits=4 span=5000 across=";
        String rest = " in_offset=5 out_offset=3" + parts + " reduced_sizes=[20000] reduced=[1] target_offset=9" + loss;
        kernels.elementLoss(new ElementLoss(LossOp.KL, 0, 2, dense), dense("x", DType.F64, 5, 20000), scalar);
        assertThat(warps.launches())
                .containsExactly(
                        "reduce/reduce_wide(out=o in=x workspace=work target=t" + split + "256" + rest + " target=[1])",
                        "reduce/reduce_merge(out=o workspace=work" + split + "1" + rest + " target=[1])");
        kernels.elementLoss(
                new ElementLoss(LossOp.KL, 0, 2, strided("t", DType.F64, 9, sizes(20000), 0)),
                dense("x", DType.F64, 5, 20000),
                scalar);
        assertThat(warps.launches())
                .containsExactly(
                        "reduce/reduce_rows(out=o in=x workspace=work target=t" + split + "256" + rest + " target=[])",
                        "reduce/reduce_merge(out=o workspace=work" + split + "1" + rest + " target=[])");
    }

    @Test
    void sumsAndSelections() {
        kernels.cumsum(x, new Rows(2, 7, 1), Order.BACKWARD, out);
        launched("scan/scan_rows(out=o in=x rows=2 length=7 inner=1 in_offset=5 out_offset=3 backward=1)");
        kernels.cumsum(x, new Rows(2, 7, 3), Order.FORWARD, out);
        launched("scan/scan_columns(out=o in=x rows=6 length=7 inner=3 in_offset=5 out_offset=3 backward=0)");
        kernels.topk(x, new Rows(2, 7, 3), 4, Extreme.LARGEST, out, dense("i", DType.I64, 9, 2, 3));
        launched("topk/topk(values=o indices=i in=x rows=6 length=7 inner=3 k=4 in_offset=5 values_offset=3"
                + " indices_offset=9)");
    }

    @Test
    void softmax() {
        Strided y = dense("y", DType.F64, 9, 2, 3);
        String offsets = " x_offset=5 y_offset=5 out_offset=3 across=";
        String both = " x_offset=5 y_offset=9 out_offset=3 across=";
        kernels.softmax(SoftmaxKind.SOFTMAX, x, new Rows(6, 17, 1), out);
        launched("softmax/softmax_group(out=o in=x rows=6 length=17 inner=1" + offsets
                + "4 down=1 keep=0 is_log=0 known_only=0)");
        kernels.softmax(SoftmaxKind.LOG_SOFTMAX, x, new Rows(2, 17, 3), out);
        launched("softmax/softmax_columns(out=o in=x rows=6 length=17 inner=3" + offsets
                + "3 down=16 keep=1 is_log=1 known_only=0)");
        kernels.softmaxGrad(SoftmaxKind.LOG_SOFTMAX, x, y, new Rows(6, 17, 1), out);
        launched("softmax/softmax_group_grad(dx=o gradient=x output=y rows=6 length=17 inner=1" + both
                + "4 down=1 keep=0 is_log=1 known_only=0)");
        kernels.softmaxGrad(SoftmaxKind.SOFTMAX, x, y, new Rows(2, 1_000_000, 3), out);
        launched("softmax/softmax_columns_grad(dx=o gradient=x output=y rows=6 length=1000000 inner=3" + both
                + "3 down=16 keep=0 is_log=0 known_only=0)");
    }

    @Test
    void softmaxOfThreads() {
        GpuKernels kernels = new GpuKernels(cpu, allocator, new IndexFlag(cpu, new Allocator("flag", cpu.memory())));
        Strided y = dense("y", DType.F64, 9, 2, 3);
        String rest = " across=0 down=0 keep=0 is_log=0 known_only=0)";
        kernels.softmax(SoftmaxKind.SOFTMAX, x, new Rows(6, 7, 1), out);
        kernels.softmax(SoftmaxKind.SOFTMAX, x, new Rows(2, 7, 3), out);
        kernels.softmaxGrad(SoftmaxKind.SOFTMAX, x, y, new Rows(6, 7, 1), out);
        kernels.softmaxGrad(SoftmaxKind.SOFTMAX, x, y, new Rows(2, 7, 3), out);
        String one = " x_offset=5 y_offset=5 out_offset=3" + rest;
        String two = " x_offset=5 y_offset=9 out_offset=3" + rest;
        assertThat(cpu.launches())
                .containsExactly(
                        "softmax/softmax_rows(out=o in=x rows=6 length=7 inner=1" + one,
                        "softmax/softmax_columns(out=o in=x rows=6 length=7 inner=3" + one,
                        "softmax/softmax_rows_grad(dx=o gradient=x output=y rows=6 length=7 inner=1" + two,
                        "softmax/softmax_columns_grad(dx=o gradient=x output=y rows=6 length=7 inner=3" + two);
        Rows rows = new Rows(2, 3, 1);
        Strided scale = dense("s", DType.F64, 4, 2);
        kernels.norm(new Norm(rows, 0.5, null, null, null, scale), x, out);
        kernels.normGrad(new Norm(rows, 0.5, null, null, null, scale), y, x, out, null, null);
        String head = " rows=2 length=3 centred=0 has_weight=0 has_bias=0 eps=" + bits(0.5)
                + " slices=0 each=0 x_offset=5 g_offset=";
        String tail = " weight_offset=0 bias_offset=0 mean_offset=0 scale_offset=4 out_offset=3 bias_out_offset=0"
                + " parts_offset=0 across=0 keep=0)";
        assertThat(cpu.launches())
                .containsExactly(
                        "norm/norm_rows(out=o mean=s scale=s in=x weight=x bias=x" + head + "0" + tail,
                        "norm/norm_rows_grad(dx=o gradient=y in=x weight=x mean=s scale=s" + head + "9" + tail);
    }

    @Test
    void norms() {
        Rows rows = new Rows(2, 3, 1);
        Strided weight = dense("w", DType.F64, 7, 3);
        Strided bias = dense("b", DType.F64, 8, 3);
        Strided mean = dense("m", DType.F64, 9, 2);
        Strided scale = dense("s", DType.F64, 4, 2);
        Strided g = dense("g", DType.F64, 6, 2, 3);
        String head = " rows=2 length=3 centred=";
        String eps = " eps=" + bits(0.5);
        kernels.norm(new Norm(rows, 0.5, weight, bias, mean, scale), x, out);
        launched("norm/norm_group(out=o mean=m scale=s in=x weight=w bias=b" + head + "1 has_weight=1 has_bias=1" + eps
                + " slices=0 each=0 x_offset=5 g_offset=0 weight_offset=7 bias_offset=8 mean_offset=9 scale_offset=4"
                + " out_offset=3 bias_out_offset=0 parts_offset=0 across=1 keep=0)");
        kernels.norm(new Norm(rows, 0.5, null, null, null, scale), x, out);
        launched("norm/norm_group(out=o mean=s scale=s in=x weight=x bias=x" + head + "0 has_weight=0 has_bias=0" + eps
                + " slices=0 each=0 x_offset=5 g_offset=0 weight_offset=0 bias_offset=0 mean_offset=0 scale_offset=4"
                + " out_offset=3 bias_out_offset=0 parts_offset=0 across=1 keep=0)");
        Strided dweight = dense("v", DType.F64, 2, 3);
        Strided dbias = dense("c", DType.F64, 1, 3);
        kernels.normGrad(new Norm(rows, 0.5, weight, null, mean, scale), g, x, out, dweight, dbias);
        String offsets = " slices=1 each=2 x_offset=5 g_offset=6 weight_offset=7 bias_offset=0 mean_offset=9"
                + " scale_offset=4 out_offset=";
        launched(
                "norm/norm_group_grad(dx=o gradient=g in=x weight=w mean=m scale=s" + head + "1 has_weight=1 has_bias=0"
                        + eps + " slices=0 each=0 x_offset=5 g_offset=6 weight_offset=7 bias_offset=0 mean_offset=9"
                        + " scale_offset=4 out_offset=3 bias_out_offset=0 parts_offset=0 across=1 keep=0)",
                "norm/norm_columns(workspace=work gradient=g in=x mean=m scale=s" + head + "1 has_weight=1 has_bias=1"
                        + eps + offsets + "0 bias_out_offset=0 parts_offset=" + parts + " across=0 keep=0)",
                "norm/norm_total(dweight=v dbias=c workspace=work" + head + "1 has_weight=1 has_bias=1" + eps + offsets
                        + "2 bias_out_offset=1 parts_offset=" + parts + " across=0 keep=0)");
        kernels.normGrad(new Norm(rows, 0.5, weight, null, mean, scale), g, x, null, null, dbias);
        launched(
                "norm/norm_columns(workspace=work gradient=g in=x mean=m scale=s" + head + "1 has_weight=0 has_bias=1"
                        + eps + offsets + "0 bias_out_offset=0 parts_offset=" + parts + " across=0 keep=0)",
                "norm/norm_total(dweight=c dbias=c workspace=work" + head + "1 has_weight=0 has_bias=1" + eps + offsets
                        + "0 bias_out_offset=1 parts_offset=" + parts + " across=0 keep=0)");
    }

    @Test
    void normsForWarps() {
        GpuKernels kernels =
                new GpuKernels(warps, allocator, new IndexFlag(warps, new Allocator("flag", warps.memory())));
        Strided mean = dense("m", DType.F32, 9, 2);
        Strided scale = dense("s", DType.F32, 4, 2);
        for (int length : new int[] {100, 4000}) {
            Rows rows = new Rows(2, length, 1);
            Strided x = dense("x", DType.F32, 8, 2, length);
            Strided g = dense("g", DType.F32, 4, 2, length);
            Strided out = dense("o", DType.F32, 3, 2, length);
            Strided weight = dense("w", DType.F32, 7, length);
            Strided bias = dense("b", DType.F32, 8, length);
            String kernel = length == 100 ? "short" : "long";
            String form = length == 100 ? " across=16 keep=0)" : " across=1 keep=1)";
            String head = " rows=2 length=" + length + " centred=1 has_weight=1 has_bias=1 eps=1056964608";
            kernels.norm(new Norm(rows, 0.5, weight, bias, mean, scale), x, out);
            assertThat(warps.launches())
                    .containsExactly("norm/norm_" + kernel + "(out=o mean=m scale=s in=x weight=w bias=b" + head
                            + " slices=0 each=0 x_offset=8 g_offset=0 weight_offset=7 bias_offset=8 mean_offset=9"
                            + " scale_offset=4 out_offset=3 bias_out_offset=0 parts_offset=0" + form);
            kernels.normGrad(new Norm(rows, 0.5, weight, bias, mean, scale), g, x, out, bias, bias);
            assertThat(warps.launches())
                    .containsExactly(
                            "norm/norm_" + kernel + "_grad(dx=o gradient=g in=x weight=w mean=m scale=s" + head
                                    + " slices=0 each=0 x_offset=8 g_offset=4 weight_offset=7 bias_offset=8"
                                    + " mean_offset=9 scale_offset=4 out_offset=3 bias_out_offset=0 parts_offset=0"
                                    + form,
                            "norm/norm_columns(workspace=work gradient=g in=x mean=m scale=s" + head
                                    + " slices=1 each=2 x_offset=8 g_offset=4 weight_offset=7 bias_offset=8"
                                    + " mean_offset=9 scale_offset=4 out_offset=0 bias_out_offset=0 parts_offset="
                                    + parts + " across=0 keep=0)",
                            "norm/norm_total(dweight=b dbias=b workspace=work" + head
                                    + " slices=1 each=2 x_offset=8 g_offset=4 weight_offset=7 bias_offset=8"
                                    + " mean_offset=9 scale_offset=4 out_offset=8 bias_out_offset=8 parts_offset="
                                    + parts + " across=0 keep=0)");
        }
    }

    @Test
    void softmaxForWarps() {
        WarpSoftmax softmax = new WarpSoftmax(warps);
        Strided y = dense("y", DType.F64, 9, 2, 3);
        softmax.softmax(SoftmaxKind.SOFTMAX, x, new Rows(6, 7, 1), out);
        String offsets = " x_offset=5 y_offset=5 out_offset=3 ";
        String both = " x_offset=5 y_offset=9 out_offset=3 ";
        assertThat(warps.launches())
                .containsExactly("softmax/softmax_short(out=o in=x rows=6 length=7 inner=1" + offsets
                        + "across=2 down=1 keep=0 is_log=0 known_only=0)");
        softmax.softmaxGrad(SoftmaxKind.LOG_SOFTMAX, x, y, new Rows(6, 7, 1), out);
        assertThat(warps.launches())
                .containsExactly("softmax/softmax_short_grad(dx=o gradient=x output=y rows=6 length=7 inner=1" + both
                        + "across=2 down=1 keep=0 is_log=1 known_only=0)");
        softmax.softmax(SoftmaxKind.SOFTMAX, x, new Rows(6, 1000, 1), out);
        assertThat(warps.launches())
                .containsExactly("softmax/softmax_rows(out=o in=x rows=6 length=1000 inner=1" + offsets
                        + "across=1 down=1 keep=1 is_log=0 known_only=0)");
        softmax.softmaxGrad(SoftmaxKind.SOFTMAX, x, y, new Rows(6, 1_000_000, 1), out);
        assertThat(warps.launches())
                .containsExactly("softmax/softmax_rows_grad(dx=o gradient=x output=y rows=6 length=1000000 inner=1"
                        + both + "across=1 down=1 keep=0 is_log=0 known_only=0)");
        softmax.softmax(SoftmaxKind.LOG_SOFTMAX, x, new Rows(2, 7, 3), out);
        assertThat(warps.launches())
                .containsExactly("softmax/softmax_columns(out=o in=x rows=6 length=7 inner=3" + offsets
                        + "across=3 down=8 keep=1 is_log=1 known_only=0)");
        softmax.softmaxGrad(SoftmaxKind.SOFTMAX, x, y, new Rows(2, 7, 3), out);
        assertThat(warps.launches())
                .containsExactly("softmax/softmax_columns_grad(dx=o gradient=x output=y rows=6 length=7 inner=3" + both
                        + "across=3 down=8 keep=1 is_log=0 known_only=0)");
    }

    private static ClassLoss loss(Rows rows, LossReduction reduction) {
        return new ClassLoss(
                rows,
                dense("t", DType.I64, 9, rows.count()),
                dense("w", DType.F64, 13, 5),
                reduction,
                CHECK,
                reduction == LossReduction.NONE ? null : dense("total", DType.F64, 15));
    }

    /** What losses and their gradients are told alike. */
    private static String common(int count, int inner, int mean, int launch, String in) {
        return " count=" + count + " length=5 inner=" + inner
                + " bound=11 ignored=-7 has_ignored=1 has_weight=1 mean=" + mean + " launch=" + launch + " " + in
                + " target_offset=9 weight_offset=13 out_offset=3 total_offset=";
    }

    @Test
    void attention() {
        WarpAttention attention = new WarpAttention(warps, allocator);
        Strided q = strided("q", DType.F16, 5, sizes(2, 3, 70, 20), 4200, 20, 60, 1);
        Strided k = strided("k", DType.F16, 6, sizes(2, 3, 9, 20), 540, 21, 61, 1);
        Strided v = strided("v", DType.F16, 7, sizes(2, 3, 9, 30), 810, 31, 91, 1);
        Strided g = strided("g", DType.F16, 8, sizes(2, 3, 70, 30), 6300, 32, 92, 1);
        Strided allowed = strided("a", DType.BOOL, 9, sizes(2, 3, 70, 9), 630, 0, 9, 1);
        Strided bias = strided("b", DType.F16, 10, sizes(2, 3, 70, 9), 0, 9, 0, 2);
        Strided drawn = dense("n", DType.I64, 11, 2);
        Strided top = dense("t", DType.F32, 12, 2, 3, 70);
        Strided share = dense("s", DType.F32, 13, 2, 3, 70);
        Strided y = dense("o", DType.F16, 14, 2, 3, 70, 30);
        Dropout dropout = new Dropout(0.5, 77, 88, null);
        attention.forward(new Attending(q, k, v, 0.5, true, allowed, bias, dropout, top, share), y);
        String head = " pairs=6 heads=3 queries=70 keys=9 features=20 values=30 scale=" + Float.floatToIntBits(0.5f);
        String half = " below=" + (1 << 23) + " rest=" + Float.floatToIntBits(2);
        String offsets = " out_offset=14 q_offset=5 k_offset=6 v_offset=7";
        String strides = " q=[4200,20,60] k=[540,21,61] v=[810,31,91]";
        String masks = " allowed=[630,0,9,1] bias=[0,9,0,2])";
        assertThat(warps.launches())
                .containsExactly("attention/attention(out=o top=t share=s q=q k=k v=v allowed=a bias=b drawn=q" + head
                        + " causal=1 has_allowed=1 has_bias=1 has_dropout=1 has_drawn=0" + half
                        + " seed=77 counter=88" + offsets + " g_offset=0 top_offset=12 share_offset=13 delta_offset=0"
                        + " allowed_offset=9 bias_offset=10 drawn_offset=0 dq_offset=0 dk_offset=0 dv_offset=0"
                        + strides + " g=[]" + masks);
        Strided dq = dense("dq", DType.F16, 15, 2, 3, 70, 20);
        Strided dk = dense("dk", DType.F16, 16, 2, 3, 9, 20);
        Strided dv = dense("dv", DType.F16, 17, 2, 3, 9, 30);
        attention.backward(
                new Attending(q, k, v, 0.5, false, null, null, new Dropout(0.5, 0, 0, drawn), top, share),
                g,
                y,
                dq,
                dk,
                dv);
        String plain =
                head + " causal=0 has_allowed=0 has_bias=0 has_dropout=1 has_drawn=1" + half + " seed=0 counter=0"
                        + offsets + " g_offset=8 top_offset=12 share_offset=13 delta_offset=" + 2 * parts
                        + " allowed_offset=0 bias_offset=0 drawn_offset=";
        String none = " g=[6300,32,92] allowed=[] bias=[])";
        String operands = " gradient=g q=q k=k v=v top=t share=s delta=work allowed=q bias=q drawn=n";
        assertThat(warps.launches())
                .containsExactly(
                        "attention/attention_delta(delta=work gradient=g out=o" + plain
                                + "11 dq_offset=0 dk_offset=0 dv_offset=0" + strides + none,
                        "attention/attention_queries_grad(dq=dq" + operands + plain
                                + "11 dq_offset=15 dk_offset=0 dv_offset=0" + strides + none,
                        "attention/attention_keys_grad(dk=dk dv=dv" + operands + plain
                                + "11 dq_offset=0 dk_offset=16 dv_offset=17" + strides + none);
    }

    @Test
    void losses() {
        Rows rows = new Rows(4, 5, 3);
        kernels.nll(loss(rows, LossReduction.NONE), x, out);
        launched("nll/nll_each(out=o x=x target=t weight=w known=x flag=flag" + common(12, 3, 0, 1, "x_offset=5")
                + "0 blocks=0 each=4096 parts_offset=0 logits=0 known_offset=0)");
        kernels.nll(loss(rows, LossReduction.MEAN), x, out);
        String mean = common(12, 3, 1, 2, "x_offset=5") + "15 blocks=1 each=4096 parts_offset=" + parts
                + " logits=0 known_offset=0)";
        launched(
                "nll/nll_parts(workspace=work x=x target=t weight=w known=x flag=flag" + mean,
                "nll/nll_total(out=o total=total workspace=work" + mean);
        kernels.nllGrad(loss(rows, LossReduction.SUM), x, out);
        launched("nllgrad/nll_grad(dx=o g=x target=t weight=w total=total in=x known=x flag=flag"
                + common(12, 3, 0, 3, "g_offset=5") + "15 g_is_scalar=1 logits=0 in_offset=0 known_offset=0)");
    }

    @Test
    void entropies() {
        Rows rows = new Rows(4, 5, 1);
        Strided logits = dense("x", DType.F64, 6, 4, 5);
        Strided known = dense("k", DType.F64, 17, 4, 2);
        String sums = "softmax/softmax_group(out=k in=x rows=4 length=5 inner=1 x_offset=6 y_offset=6 out_offset=17"
                + " across=1 down=1 keep=0 is_log=0 known_only=1)";
        kernels.crossEntropy(loss(rows, LossReduction.NONE), logits, known, out);
        launched(
                sums,
                "nll/nll_each(out=o x=x target=t weight=w known=k flag=flag" + common(4, 1, 0, 1, "x_offset=6")
                        + "0 blocks=0 each=4096 parts_offset=0 logits=1 known_offset=17)");
        kernels.crossEntropy(loss(rows, LossReduction.MEAN), logits, known, out);
        String mean = common(4, 1, 1, 2, "x_offset=6") + "15 blocks=1 each=4096 parts_offset=" + parts
                + " logits=1 known_offset=17)";
        launched(
                sums,
                "nll/nll_parts(workspace=work x=x target=t weight=w known=k flag=flag" + mean,
                "nll/nll_total(out=o total=total workspace=work" + mean);
        Strided g = dense("g", DType.F64, 8);
        kernels.crossEntropyGrad(loss(rows, LossReduction.SUM), g, logits, known, dense("o", DType.F64, 3, 4, 5));
        launched("nllgrad/nll_grad(dx=o g=g target=t weight=w total=total in=x known=k flag=flag"
                + common(4, 1, 0, 3, "g_offset=8") + "15 g_is_scalar=1 logits=1 in_offset=6 known_offset=17)");
    }

    @Test
    void entropiesForWarps() {
        GpuKernels kernels =
                new GpuKernels(warps, allocator, new IndexFlag(warps, new Allocator("flag", warps.memory())));
        Strided logits = dense("x", DType.F64, 6, 4, 5);
        Strided known = dense("k", DType.F64, 17, 4, 2);
        kernels.crossEntropy(loss(new Rows(4, 5, 1), LossReduction.NONE), logits, known, out);
        assertThat(warps.launches().getFirst())
                .isEqualTo("softmax/softmax_short(out=k in=x rows=4 length=5 inner=1 x_offset=6 y_offset=6"
                        + " out_offset=17 across=2 down=1 keep=0 is_log=0 known_only=1)");
        Strided dx = dense("o", DType.F64, 3, 4, 5);
        Strided g = dense("g", DType.F64, 8);
        kernels.crossEntropyGrad(loss(new Rows(4, 5, 1), LossReduction.SUM), g, logits, known, dx);
        assertThat(warps.launches())
                .containsExactly("nllgrad/nll_grad_wide(dx=o g=g target=t weight=w total=total in=x known=k flag=flag"
                        + common(4, 1, 0, 2, "g_offset=8")
                        + "15 g_is_scalar=1 logits=1 in_offset=6 known_offset=17)");
        kernels.crossEntropyGrad(loss(new Rows(2, 5, 2), LossReduction.SUM), g, logits, known, dx);
        assertThat(warps.launches())
                .containsExactly("nllgrad/nll_grad(dx=o g=g target=t weight=w total=total in=x known=k flag=flag"
                        + common(4, 2, 0, 3, "g_offset=8")
                        + "15 g_is_scalar=1 logits=1 in_offset=6 known_offset=17)");
    }

    @Test
    void elementsThatAnIndexNames() {
        kernels.gather(
                strided("x", DType.F64, 5, sizes(4, 6), 20, 3),
                1,
                strided("i", DType.I64, 9, sizes(4, 2), 5, 1),
                CHECK,
                dense("o", DType.F64, 3, 4, 2));
        launched("index/gather(out=o x=x index=i flag=flag count=8 rank=2 launch=1 bound=11 step=3 length=0"
                + " out_offset=3 index_offset=9 x_offset=5 index_step=0 x_step=0 outer=1 inner=1 picked=1"
                + " sizes=[4,2] out=[2,1] index=[5,1] x=[20])");
        kernels.scatterAdd(
                strided("x", DType.F64, 5, sizes(2, 4), 13, 1),
                0,
                strided("i", DType.I64, 9, sizes(2, 4), 8, 2),
                CHECK,
                strided("o", DType.F64, 3, sizes(6, 4), 20, 3));
        launched("index/scatter_add(out=o x=x index=i flag=flag count=4 rank=1 launch=2 bound=11 step=20 length=2"
                + " out_offset=3 index_offset=9 x_offset=5 index_step=8 x_step=13 outer=1 inner=4 picked=2"
                + " sizes=[4] out=[3] index=[2] x=[1])");
    }

    @Test
    void slicesThatAnIndexNames() {
        Rows rows = new Rows(2, 6, 3);
        Strided index = strided("i", DType.I64, 9, sizes(5), 1);
        String rest = " out_offset=3 index_offset=9 x_offset=5 index_step=0 x_step=0 outer=2 inner=3 picked=5"
                + " sizes=[] out=[] index=[] x=[])";
        kernels.indexSelect(dense("x", DType.F64, 5, 2, 6, 3), rows, index, CHECK, dense("o", DType.F64, 3, 2, 5, 3));
        launched("index/index_select(out=o x=x index=i flag=flag count=30 rank=0 launch=1 bound=11 step=0 length=6"
                + rest);
        kernels.indexAdd(dense("x", DType.F64, 5, 2, 5, 3), rows, index, CHECK, dense("o", DType.F64, 3, 2, 6, 3));
        launched(
                "index/index_add(out=o x=x index=i flag=flag count=12 rank=0 launch=2 bound=11 step=0 length=6" + rest);
        kernels.indexSelect(
                dense("x", DType.F64, 5, 2, 6, 0),
                new Rows(2, 6, 0),
                strided("i", DType.I64, 9, sizes(5), 2),
                CHECK,
                dense("o", DType.F64, 3, 2, 5, 0));
        launched("index/check(index=i flag=flag count=5 rank=1 launch=3 bound=11 step=0 length=0 out_offset=0"
                + " index_offset=9 x_offset=0 index_step=0 x_step=0 outer=1 inner=1 picked=1"
                + " sizes=[5] out=[] index=[2] x=[])");
    }

    @Test
    void products() {
        kernels.matmul(
                strided("x", DType.F64, 5, sizes(2, 3, 4), 50, 6, 2),
                strided("y", DType.F64, 9, sizes(2, 4, 7), 60, 11, 8),
                dense("o", DType.F64, 3, 2, 3, 7));
        launched("matmul/matmul(out=o left=x right=y batch=2 m=3 n=7 depth=4 x_offset=5 y_offset=9 out_offset=3"
                + " x_batch=50 x_row=6 x_column=2 y_batch=60 y_row=11 y_column=8)");
    }

    @Test
    void randomNumbers() {
        kernels.random(RandomOp.UNIFORM, 77, 88, 1, 4, out);
        launched("random/random(out=o count=6 out_offset=3 seed=77 counter=88 p0=" + bits(1) + " p1=" + bits(3)
                + " limit=" + bits(Math.nextDown(4.0)) + ")");
    }

    /** Numbers that are known only when a recording runs are in memory, at a place that the launch tells. */
    @Test
    void movingNumbers() {
        MovingNumbers moving = new MovingNumbers("recorder", allocator);
        moving.open();
        moving.take(5);
        kernels.numbers().random(RandomOp.UNIFORM, moving.take(2).strided(2), 1, 4, out);
        launched("random/random(out=o moving=work count=6 out_offset=3 seed=" + (parts + 5) + " counter=0 p0=" + bits(1)
                + " p1=" + bits(3) + " limit=" + bits(Math.nextDown(4.0)) + ")");
        Strided p = dense("p", DType.F64, 3, 600);
        Strided g = dense("g", DType.F64, 5, 600);
        Strided u = dense("u", DType.F64, 7, 600);
        Strided q = dense("q", DType.F64, 13, 4);
        UpdateStep step = new UpdateStep.Lion(0.1, 0.9, 0.8, 0.2);
        MovingNumbers.Place place = moving.take(RuleNumbers.COUNT);
        kernels.updates().update(step, place, new Strided[][] {{p, g, u}, {q, q, q}});
        launched("update/lion(" + slots("p", "p", "q") + slots("g", "g", "q") + slots("u", "u", "q")
                + "moving=work " + starts(1)
                + " counts=[600,4] p_offsets=[3,13] g_offsets=[5,13] u_offsets=[7,13] v_offsets=[] w_offsets=[] rule="
                + (parts + 7) + ")");
        moving.close();
    }

    @Test
    void noMoreMovingNumbersThanThereIsRoomFor() {
        MovingNumbers moving = new MovingNumbers("recorder", allocator);
        moving.expect(10);
        moving.open();
        moving.take(1034);
        assertThatThrownBy(() -> moving.take(1))
                .hasMessage("recorder: a captured step does much more than when it ran first: its random draws and"
                        + " parameter updates take more than 1034 numbers; let it do the same each time");
        moving.close();
    }

    /** The buffers of eight slots: unused ones repeat the first. */
    private static String slots(String parameter, String first, String second) {
        StringBuilder all = new StringBuilder();
        for (int slot = 0; slot < 8; slot++) {
            all.append(parameter)
                    .append(slot)
                    .append('=')
                    .append(slot == 1 ? second : first)
                    .append(' ');
        }
        return all.toString();
    }

    private static String starts(long second) {
        return "starts=[0," + second + ("," + Long.MAX_VALUE).repeat(6) + "]";
    }

    @Test
    void droppedElements() {
        Strided in = dense("x", DType.F32, 4, 7);
        kernels.dropout(new Dropout(0.25, 8, 9, null), in, dense("o", DType.F32, 8, 7));
        String head = " count=7 in_offset=4 out_offset=";
        String rest = " below=12582912 rest=" + (long) Float.floatToIntBits(4 / 3f);
        launched("dropout/dropout(out=o in=x drawn=x" + head + "8" + rest
                + " seed=8 counter=9 has_drawn=0 drawn_offset=0 aligned=1)");
        kernels.dropout(new Dropout(0.25, 0, 0, dense("d", DType.I64, 3, 2)), in, dense("o", DType.F32, 5, 7));
        launched("dropout/dropout(out=o in=x drawn=d" + head + "5" + rest
                + " seed=0 counter=0 has_drawn=1 drawn_offset=3 aligned=0)");
    }

    @Test
    void epilogues() {
        Strided in = dense("x", DType.F32, 4, 2, 4);
        Strided bias = dense("b", DType.F32, 12, 4);
        Strided g = dense("g", DType.F32, 16, 2, 4);
        Dropout dropout = new Dropout(0.25, 8, 9, null);
        kernels.epilogue(new Epilogue(UnaryOp.SILU, bias, dropout, g), in, dense("o", DType.F32, 8, 2, 4));
        String rest = " below=12582912 rest=" + (long) Float.floatToIntBits(4 / 3f);
        launched("epilogue/epilogue(out=o x=x bias=b residual=g drawn=x count=8 length=4 x_offset=4 bias_offset=12"
                + " other_offset=16 out_offset=8 activation=4 has_bias=1 has_residual=1 has_dropout=1" + rest
                + " seed=8 counter=9 has_drawn=0 drawn_offset=0 aligned=1 bias_aligned=1)");
        kernels.epilogue(new Epilogue(null, null, null, null), in, dense("o", DType.F32, 5, 2, 4));
        launched("epilogue/epilogue(out=o x=x bias=x residual=x drawn=x count=8 length=1 x_offset=4 bias_offset=0"
                + " other_offset=0 out_offset=5 activation=0 has_bias=0 has_residual=0 has_dropout=0 below=0 rest=0"
                + " seed=0 counter=0 has_drawn=0 drawn_offset=0 aligned=0 bias_aligned=0)");
        Dropout drawn = new Dropout(0.25, 0, 0, dense("d", DType.I64, 3, 2));
        Strided shifted = dense("b", DType.F32, 13, 4);
        kernels.epilogueGrad(new Epilogue(UnaryOp.TANH, shifted, drawn, null), g, in, dense("o", DType.F32, 8, 2, 4));
        launched("epilogue/epilogue_grad(out=o x=x bias=b g=g drawn=d count=8 length=4 x_offset=4 bias_offset=13"
                + " other_offset=16 out_offset=8 activation=5 has_bias=1 has_residual=0 has_dropout=1" + rest
                + " seed=0 counter=0 has_drawn=1 drawn_offset=3 aligned=1 bias_aligned=0)");
    }

    @Test
    void steps() {
        Strided p = dense("p", DType.F64, 3, 600);
        Strided g = dense("g", DType.F64, 5, 600);
        Strided u = dense("u", DType.F64, 7, 600);
        Strided v = dense("v", DType.F64, 9, 600);
        Strided w = dense("w", DType.F64, 11, 600);
        Strided q = dense("q", DType.F64, 13, 4);
        Strided h = dense("h", DType.F64, 15, 4);
        Strided r = dense("r", DType.F64, 17, 4);
        Strided s = dense("s", DType.F64, 19, 4);
        Strided t = dense("t", DType.F64, 21, 4);
        String two = starts(1) + " counts=[600,4] p_offsets=[3,13] g_offsets=[5,15] ";
        String pg = slots("p", "p", "q") + slots("g", "g", "h");
        kernels.update(
                new UpdateStep.Sgd(0.1, 0, 0, 0.3, false, true),
                new Strided[][] {{p, g, null, null, null}, {q, h, null, null, null}});
        String sgd = "u_offsets=[] v_offsets=[] w_offsets=[] lr=" + bits(0.1)
                + " momentum=0 fresh=" + bits(1) + " decay=" + bits(0.3) + " nesterov=0 first=1 beta1=0 beta2=0"
                + " rest1=0 rest2=0 step=0 root=0 eps=0 shrink=0 centred=0 buffered=0)";
        launched("update/sgd(" + pg + two + sgd);
        // A thread of a CPU takes one element.
        new GpuKernels(cpu, allocator, new IndexFlag(cpu, new Allocator("flag", cpu.memory())))
                .update(
                        new UpdateStep.Sgd(0.1, 0, 0, 0.3, false, true),
                        new Strided[][] {{p, g, null, null, null}, {q, h, null, null, null}});
        assertThat(cpu.launches()).containsExactly("update/sgd(" + pg + two.replace(starts(1), starts(3)) + sgd);
        kernels.update(
                new UpdateStep.Sgd(0.1, 0.9, 0.25, 0.3, true, false),
                new Strided[][] {{p, g, u, null, null}, {q, h, r, null, null}});
        launched("update/sgd_momentum(" + pg + slots("u", "u", "r") + two
                + "u_offsets=[7,17] v_offsets=[] w_offsets=[] lr="
                + bits(0.1) + " momentum=" + bits(0.9) + " fresh=" + bits(0.75) + " decay=" + bits(0.3)
                + " nesterov=1 first=0 beta1=0 beta2=0 rest1=0 rest2=0 step=0 root=0 eps=0 shrink=0 centred=0"
                + " buffered=0)");
        String uv = slots("u", "u", "r") + slots("v", "v", "s");
        String uvOffsets = "u_offsets=[7,17] v_offsets=[9,19] ";
        kernels.update(
                new UpdateStep.Adam(0.1, 0.25, 0.875, 0.001, 0.3, false, 1),
                new Strided[][] {{p, g, u, v, null}, {q, h, r, s, null}});
        launched("update/adam(" + pg + uv + two + uvOffsets + "w_offsets=[] lr=0 momentum=0 fresh=0 decay=" + bits(0.3)
                + " nesterov=0 first=0 beta1=" + bits(0.25) + " beta2=" + bits(0.875) + " rest1=" + bits(0.75)
                + " rest2=" + bits(0.125) + " step=" + bits(0.1 / 0.75) + " root=" + bits(1 / Math.sqrt(0.125))
                + " eps="
                + bits(0.001) + " shrink=" + bits(1) + " centred=0 buffered=0)");
        kernels.update(
                new UpdateStep.Adam(0.1, 0.25, 0.875, 0.001, 0.3, true, 1), new Strided[][] {{p, g, u, v, null}});
        assertThat(recorder.launches().getFirst()).contains(" decay=0 ").contains("shrink=" + bits(1 - 0.1 * 0.3));
        kernels.update(
                new UpdateStep.Rmsprop(0.1, 0.25, 0.001, 0.3, 0.9), new Strided[][] {{p, g, u, v, w}, {q, h, r, s, t}});
        launched("update/rmsprop(" + pg + uv + slots("w", "w", "t") + two + uvOffsets + "w_offsets=[11,21] lr="
                + bits(0.1)
                + " momentum=" + bits(0.9) + " fresh=0 decay=" + bits(0.3) + " nesterov=0 first=0 beta1=" + bits(0.25)
                + " beta2=0 rest1=" + bits(0.75) + " rest2=0 step=0 root=0 eps=" + bits(0.001)
                + " shrink=0 centred=1 buffered=1)");
        String one = slots("u", "u", "r") + two + "u_offsets=[7,17] v_offsets=[] w_offsets=[] lr=" + bits(0.1);
        kernels.update(
                new UpdateStep.Adagrad(0.1, 0.001, 0.3),
                new Strided[][] {{p, g, u, null, null}, {q, h, r, null, null}});
        launched("update/adagrad(" + pg + one + " momentum=0 fresh=0 decay=" + bits(0.3) + " nesterov=0 first=0 beta1=0"
                + " beta2=0 rest1=0 rest2=0 step=0 root=0 eps=" + bits(0.001) + " shrink=0 centred=0 buffered=0)");
        kernels.update(
                new UpdateStep.Lion(0.1, 0.25, 0.875, 0.3),
                new Strided[][] {{p, g, u, null, null}, {q, h, r, null, null}});
        launched("update/lion(" + pg + one + " momentum=0 fresh=0 decay=0 nesterov=0 first=0 beta1=" + bits(0.25)
                + " beta2="
                + bits(0.875) + " rest1=" + bits(0.75) + " rest2=" + bits(0.125) + " step=0 root=0 eps=0 shrink="
                + bits(1 - 0.1 * 0.3) + " centred=0 buffered=0)");
    }

    @Test
    void kernelsOfUsers() {
        CustomKernel kernel = new CustomKernel(
                "mine",
                List.of(new CustomKernel.Input("x", null), new CustomKernel.Input("at", DType.I64)),
                List.of("alpha", "beta"),
                CustomKernel.Grid.THREADS,
                new CustomKernel.Sources(null, "", null, null));
        Strided at = dense("i", DType.I64, 9, 4);
        kernels.custom(kernel, out, new Strided[] {x, at}, new double[] {2.5, 3.5}, 8);
        launched("custom/mine(out=o x=x at=i items=8 out_at=3 out_count=6 out_sizes=[2,3,1,1,1,1,1,1]"
                + " x_at=5 x_count=6 x_sizes=[2,3,1,1,1,1,1,1] at_at=9 at_count=4 at_sizes=[4,1,1,1,1,1,1,1]"
                + " parameter_alpha=" + bits(2.5) + " parameter_beta=" + bits(3.5) + ")");
    }

    /** A kernel that is new comes here as well. */
    @Test
    void everyKernelIsLaunchedHere() {
        List<Consumer<ArgumentsTest>> tests = List.of(
                ArgumentsTest::constants,
                ArgumentsTest::copies,
                ArgumentsTest::elementwise,
                ArgumentsTest::reductions,
                ArgumentsTest::reductionsForWarps,
                ArgumentsTest::lossesOfElements,
                ArgumentsTest::sumsOfLosses,
                ArgumentsTest::sumsAndSelections,
                ArgumentsTest::softmax,
                ArgumentsTest::softmaxOfThreads,
                ArgumentsTest::norms,
                ArgumentsTest::normsForWarps,
                ArgumentsTest::softmaxForWarps,
                ArgumentsTest::attention,
                ArgumentsTest::losses,
                ArgumentsTest::entropies,
                ArgumentsTest::entropiesForWarps,
                ArgumentsTest::elementsThatAnIndexNames,
                ArgumentsTest::slicesThatAnIndexNames,
                ArgumentsTest::products,
                ArgumentsTest::randomNumbers,
                ArgumentsTest::droppedElements,
                ArgumentsTest::epilogues,
                ArgumentsTest::steps);
        Set<String> launched = new TreeSet<>();
        for (Consumer<ArgumentsTest> each : tests) {
            ArgumentsTest test = new ArgumentsTest();
            each.accept(test);
            launched.addAll(test.recorder.launched());
            launched.addAll(test.warps.launched());
            launched.addAll(test.cpu.launched());
        }
        Set<String> wanted = Catalog.file()
                .lines()
                .map(line -> line.split("\t"))
                .map(words -> words[1] + "/" + words[2])
                .collect(Collectors.toCollection(TreeSet::new));
        // The catalog is CUDA's, which has others in their place.
        wanted.addAll(Set.of(
                "softmax/softmax_group",
                "softmax/softmax_group_grad",
                "norm/norm_group",
                "norm/norm_group_grad",
                "norm/norm_rows",
                "norm/norm_rows_grad"));
        assertThat(launched).containsExactlyElementsOf(wanted);
    }

    @Test
    void aStructureOfAnotherSizeIsSeen() {
        GpuKernel scan = recorder.kernel("scan", "scan_rows", "-DBLOCK=1");
        Launch launch = Launch.begin().buffer(out).buffer(x).zeros(5);
        assertThatThrownBy(() -> launch.run(recorder, scan, 1))
                .hasMessage("scan/scan_rows takes 2 buffers and a structure of 48 bytes, the launch has 2 and 40");
    }
}
