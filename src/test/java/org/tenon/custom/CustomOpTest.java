package org.tenon.custom;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.tenon.Any;
import org.tenon.Cpu;
import org.tenon.CustomOp;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F32;
import org.tenon.F64;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.GradCheck;
import org.tenon.I64;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.TensorStateException;
import org.tenon.examples.Swish;
import org.tenon.junit.DeviceTest;

/** Ops with kernels of a user's own: the example's, one with groups and several inputs, and those that are wrong. */
class CustomOpTest {
    /** Sums of rows, each weighted by the entry of a table that an index picks: groups, two element types, parameters. */
    private static final CustomOp WEIGHTED = CustomOp.named("weighted")
            .input("x")
            .input("index", DType.I64)
            .input("table")
            .parameter("scale")
            .parameter("shift")
            .shape(inputs -> new long[] {inputs.getFirst()[0]})
            .groups((result, inputs) -> result[0])
            .kernel("""
                KERNEL void weighted(ARGUMENTS) {
                    LOCAL REAL sums[BLOCK];
                    long columns = SIZE(x, 1);
                    REAL sum = 0;
                    for (long c = THREAD; c < columns; c += BLOCK) {
                        sum += LOAD(x, GROUP * columns + c);
                    }
                    sums[THREAD] = sum;
                    BARRIER();
                    if (THREAD == 0) {
                        REAL all = 0;
                        for (int t = 0; t < BLOCK; t++) {
                            all += sums[t];
                        }
                        STORE(out, GROUP, all * LOAD(table, LOAD(index, GROUP)) * PARAMETER(scale) + PARAMETER(shift));
                    }
                }
                """)
            .cpu((call, from, to) -> {
                long columns = call.input(0).size(1);
                for (long row = from; row < to; row++) {
                    double sum = 0;
                    for (long c = 0; c < columns; c++) {
                        sum += call.input(0).get(row * columns + c);
                    }
                    double weight = call.input(2).get(call.input(1).getLong(row));
                    call.out().set(row, sum * weight * call.parameter(0) + call.parameter(1));
                }
            })
            .backward(CustomOpTest::weightedBackward)
            .build();

    private static <D extends Floating, Dev extends DeviceType> void weightedBackward(
            CustomOp.BackwardCall<D, Dev> call) {
        Tensor<Any, D, Dev> x = call.input(0);
        Tensor<R1<Dim>, I64, Dev> index = call.input(1, DType.I64).as(R1.kind());
        Tensor<Any, D, Dev> g = call.gradient().mul(call.parameter(0));
        if (call.needs(0)) {
            Tensor<Any, D, Dev> weights = call.input(2).indexSelect(0, index);
            call.give(0, g.mul(weights).reshape(Any.of(-1, 1)).expand(Any.of(x.shape())));
        }
        if (call.needs(2)) {
            Tensor<Any, D, Dev> zeros = call.input(2).mul(0);
            call.give(2, zeros.scatterAdd(0, index.any(), g.mul(x.sum(1))));
        }
    }

    /** The ops here have a kernel in Java and one in C; a CUDA device would need PTX. */
    private static void assumeSource(Device<?> device) {
        Assumptions.assumeFalse(device.name().startsWith("cuda"), "the ops of this test have no PTX");
    }

    @DeviceTest
    void swishIsAsSilu(Device<?> device) {
        assumeSource(device);
        Scope.run(() -> swish(device));
    }

    private static <Dev extends DeviceType> void swish(Device<Dev> device) {
        for (Floating dtype : List.of(DType.F32, DType.F64, DType.F16, DType.BF16)) {
            if (device.supports(dtype)) {
                Tensor<R2<Dim, Dim>, Floating, Dev> x = device.randn(R2.of(37, 50), dtype, new Generator(1));
                float[] wanted = org.tenon.F.silu(x).toFloatArray();
                float[] got = Swish.swish(x, 1).toFloatArray();
                double tolerance = dtype == DType.BF16 ? 2e-2 : dtype == DType.F16 ? 2e-3 : 1e-6;
                for (int i = 0; i < wanted.length; i++) {
                    assertThat((double) got[i])
                            .isCloseTo(wanted[i], within(tolerance * Math.max(1, Math.abs(wanted[i]))));
                }
                assertThat(Swish.swish(x.transpose(0, 1), 1).transpose(0, 1).toFloatArray())
                        .isEqualTo(got);
            }
        }
        assertThat(Swish.swish(device.<R1<Dim>>zeros(R1.of(0)), 2).numel()).isZero();
    }

    @DeviceTest
    void swishHasGradientsAndTheirGradients(Device<?> device) {
        assumeSource(device);
        Assumptions.assumeTrue(device.supports(DType.F64), device + " has no float64");
        gradients(device);
    }

    private static <Dev extends DeviceType> void gradients(Device<Dev> device) {
        Scope.run(() -> {
            Tensor<Any, F64, Dev> x = device.randn(Any.of(2, 3), DType.F64, new Generator(2));
            GradCheck.check(in -> Swish.swish(in.getFirst(), 1.7), List.of(x));
            GradCheck.check(
                    in -> {
                        Tensor<Any, F64, Dev> leaf = in.getFirst().requiresGrad()
                                ? in.getFirst()
                                : in.getFirst().detach().requireGrad();
                        return org.tenon.Autograd.enableGrad(() -> Swish.swish(leaf, 1.7)
                                .sum()
                                .backward(org.tenon.KeepGraph.CREATE)
                                .get(leaf));
                    },
                    List.of(x));
        });
    }

    @DeviceTest
    void groupsInputsAndParameters(Device<?> device) {
        assumeSource(device);
        Scope.run(() -> weighted(device));
    }

    private static <Dev extends DeviceType> void weighted(Device<Dev> device) {
        Tensor<R2<Dim, Dim>, F32, Dev> x = device.arange(12, DType.F32).reshape(R2.of(3, 4));
        Tensor<R1<Dim>, I64, Dev> index = device.tensor(1L, 0L, 1L);
        Tensor<R1<Dim>, F32, Dev> table = device.tensor(2f, -1f);
        assertThat(WEIGHTED.with(0.5, 3).apply(x, index, table).toFloatArray()).containsExactly(0, 25, -16);
        Tensor<R2<Dim, Dim>, F32, Dev> empty = device.zeros(R2.of(0, 4));
        assertThat(WEIGHTED.with(1, 0)
                        .apply(empty, device.zeros(R1.of(0), DType.I64), table)
                        .shape())
                .containsExactly(0);
        if (device.supports(DType.F64)) {
            Tensor<Any, F64, Dev> rows = device.randn(Any.of(3, 5), DType.F64, new Generator(3));
            GradCheck.check(
                    in -> WEIGHTED.with(0.5, 3).apply(in.get(0), index, in.get(1)),
                    List.of(rows, table.to(DType.F64).any()));
        }
    }

    @DeviceTest
    void nothingIsLeft(Device<?> device) {
        assumeSource(device);
        long before = device.memory().liveBuffers();
        Scope.run(() -> train(device));
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
    }

    private static <Dev extends DeviceType> void train(Device<Dev> device) {
        Tensor<R1<Dim>, F32, Dev> x = device.<Dim>tensor(1f, 2f).requireGrad();
        assertThat(Swish.swish(x, 1).sum().backward().get(x).toFloatArray())
                .containsExactly(new float[] {0.9276705f, 1.0907843f}, within(1e-6f));
    }

    @DeviceTest
    void aSourceThatDoesNotBuildShowsTheLog(Device<?> device) {
        Assumptions.assumeTrue(device.name().startsWith("opencl"), "this is about OpenCL");
        CustomOp bad = CustomOp.named("bad")
                .input("x")
                .kernel("KERNEL void bad(ARGUMENTS) {\n    undeclared = 1;\n}\n")
                .build();
        assertThatThrownBy(() -> bad.apply(device.ones(R1.of(2))))
                .isInstanceOf(TensorStateException.class)
                .hasMessageContaining("the kernel of bad does not build")
                .hasMessageContaining("undeclared");
        CustomOp other = CustomOp.named("other")
                .input("x")
                .kernel("KERNEL void another(ARGUMENTS) {}")
                .build();
        assertThatThrownBy(() -> other.apply(device.ones(R1.of(2))))
                .hasMessageContaining("no kernel of the name other");
        assertThat(device.ones(R1.of(3)).sum().item())
                .as("the device works afterwards")
                .isEqualTo(3);
    }

    @DeviceTest
    void aSourceForOpenClComesFirst(Device<?> device) {
        Assumptions.assumeTrue(device.name().startsWith("opencl"), "this is about OpenCL");
        CustomOp op = CustomOp.named("pick")
                .input("x")
                .kernel("KERNEL void pick(ARGUMENTS) { if (INDEX < ITEMS) STORE(out, INDEX, 1); }")
                .openCl("kernel void pick(ARGUMENTS) { if (INDEX < ITEMS) STORE(out, INDEX, 2); }")
                .build();
        assertThat(op.apply(device.ones(R1.of(1))).item()).isEqualTo(2);
    }

    @Test
    void wrongCallsAreRefused() {
        Device<Cpu> cpu = Devices.cpu();
        Tensor<R1<Dim>, F32, Cpu> x = cpu.tensor(1f, 2f);
        Tensor<R2<Dim, Dim>, F32, Cpu> rows = cpu.ones(R2.of(2, 2));
        Tensor<R1<Dim>, I64, Cpu> index = cpu.tensor(0L, 1L);
        assertThatThrownBy(() -> WEIGHTED.with(1, 2).apply(rows, index))
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining("weighted: there are 2 inputs; it takes 3");
        assertThatThrownBy(() -> WEIGHTED.with(1).apply(rows, index, x))
                .hasMessageContaining("there are 1 parameters; it takes 2, [scale, shift]");
        assertThatThrownBy(() -> WEIGHTED.with(1, 2).apply(rows, x, x))
                .hasMessageContaining("input index must be int64");
        assertThatThrownBy(() -> WEIGHTED.with(1, 2).apply(rows, index, x.to(DType.F64)))
                .hasMessageContaining("element types differ");
        assertThatThrownBy(() -> WEIGHTED.with(1, 2).like(rows, index, x)).hasMessageContaining("use apply");
        CustomOp gpuOnly = CustomOp.named("far")
                .input("x")
                .kernel("KERNEL void far(ARGUMENTS) {}")
                .build();
        assertThatThrownBy(() -> gpuOnly.apply(x)).hasMessageContaining("far: it has no kernel for cpu");
        assertThatThrownBy(() -> CustomOp.named("a b")).hasMessageContaining("cannot have the name 'a b'");
        assertThatThrownBy(() -> CustomOp.named("a").input("x").parameter("x")).hasMessageContaining("'x'");
        assertThatThrownBy(() -> CustomOp.named("a").input("out")).hasMessageContaining("'out'");
        assertThatThrownBy(() -> CustomOp.named("a").input("x", DType.I64)).hasMessageContaining("declare it without");
        assertThatThrownBy(() -> CustomOp.named("a").input("x").build()).hasMessageContaining("has no kernel");
        assertThatThrownBy(() -> CustomOp.named("a").build()).hasMessageContaining("has no input");
    }

    @Test
    void whatAKernelThrowsReachesTheCaller() {
        Device<Cpu> cpu = Devices.cpu();
        long before = cpu.memory().liveBuffers();
        CustomOp broken = CustomOp.named("broken")
                .input("x")
                .cpu((call, from, to) -> {
                    throw new IllegalStateException("by the user");
                })
                .build();
        Scope.run(() -> assertThatThrownBy(
                        () -> broken.apply(cpu.ones(R2.of(3, 4)).transpose(0, 1)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("by the user"));
        assertThat(cpu.memory().liveBuffers()).isEqualTo(before);
    }

    @Test
    void whatWasKeptIsWhatABackwardGets() {
        Device<Cpu> cpu = Devices.cpu();
        CustomOp square = CustomOp.named("exponential")
                .input("x")
                .cpu((call, from, to) -> {
                    for (long i = from; i < to; i++) {
                        call.out().set(i, Math.exp(call.input(0).get(i)));
                    }
                })
                .backward(CustomOp.Keep.RESULT, CustomOpTest::exponentialBackward)
                .build();
        Tensor<Any, F64, Cpu> x = cpu.tensor(new double[] {0.5, -1}, Any.of(2));
        GradCheck.check(in -> square.apply(in.getFirst()), List.of(x));
        CustomOp wrong = CustomOp.named("wrong")
                .input("x")
                .cpu((call, from, to) -> call.out().set(from, 1))
                .backward(CustomOpTest::exponentialBackward)
                .build();
        assertThatThrownBy(() -> GradCheck.check(in -> wrong.apply(in.getFirst()), List.of(x)))
                .isInstanceOf(TensorStateException.class)
                .hasMessageContaining("keeps the inputs only");
    }

    private static <D extends Floating, Dev extends DeviceType> void exponentialBackward(
            CustomOp.BackwardCall<D, Dev> call) {
        call.give(0, call.gradient().mul(call.result()));
    }

    @Test
    void aWrongGradientIsFound() {
        Device<Cpu> cpu = Devices.cpu();
        CustomOp wrong = CustomOp.named("tripled")
                .input("x")
                .cpu((call, from, to) -> {
                    for (long i = from; i < to; i++) {
                        call.out().set(i, 3 * call.input(0).get(i));
                    }
                })
                .backward(CustomOpTest::doubledBackward)
                .build();
        Tensor<Any, F64, Cpu> x = cpu.tensor(new double[] {0.5, -1}, Any.of(2));
        assertThatThrownBy(() -> GradCheck.check(in -> wrong.apply(in.getFirst()), List.of(x)))
                .isInstanceOf(TensorStateException.class)
                .hasMessageContaining("gradCheck: input 0, element 0: backward gives")
                .hasMessageContaining("differences");
    }

    private static <D extends Floating, Dev extends DeviceType> void doubledBackward(
            CustomOp.BackwardCall<D, Dev> call) {
        call.give(0, call.gradient().mul(2));
    }
}
