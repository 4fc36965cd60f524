package org.tenon.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Tag;
import org.tenon.Autograd;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F64;
import org.tenon.Gradients;
import org.tenon.KeepGraph;
import org.tenon.R0;
import org.tenon.R1;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.TensorStateException;
import org.tenon.junit.DeviceTest;

/** The graph of gradients: what it records, keeps, frees and refuses. The ops' own gradients are in the contract. */
@Tag("plain")
class AutogradTest {
    private static <Dev extends DeviceType> Tensor<R1<Dim>, F64, Dev> leaf(Device<Dev> device, double... values) {
        return device.<Dim>tensor(values).requireGrad();
    }

    @DeviceTest
    void aGraphIsUsedOnce(Device<?> device) {
        Scope.run(() -> once(device));
    }

    private static <Dev extends DeviceType> void once(Device<Dev> device) {
        Tensor<R1<Dim>, F64, Dev> x = leaf(device, 1, 2, 3);
        Tensor<R0, F64, Dev> y = F.exp(x).sum();
        y.backward();
        assertThatThrownBy(y::backward)
                .isInstanceOf(TensorStateException.class)
                .hasMessage("backward: the graph behind sum was freed by an earlier backward; pass KeepGraph.RETAIN to"
                        + " the first");
        Tensor<R0, F64, Dev> z = x.mul(x).sum();
        double[] first = z.backward(KeepGraph.RETAIN).get(x).toDoubleArray();
        double[] second = z.backward().get(x).toDoubleArray();
        assertThat(first).containsExactly(2, 4, 6);
        assertThat(second).isEqualTo(first);
    }

    @DeviceTest
    void twoRootsShareAGraph(Device<?> device) {
        Scope.run(() -> shared(device));
    }

    private static <Dev extends DeviceType> void shared(Device<Dev> device) {
        Tensor<R1<Dim>, F64, Dev> x = leaf(device, 1, 2);
        Tensor<R1<Dim>, F64, Dev> square = x.mul(x);
        Tensor<R0, F64, Dev> a = square.sum();
        Tensor<R0, F64, Dev> b = square.mul(3).sum();
        Gradients both = a.backward(KeepGraph.RETAIN).add(b.backward());
        assertThat(both.get(x).toDoubleArray()).containsExactly(8, 16);
        assertThat(both.mul(0.5).get(x).toDoubleArray()).containsExactly(4, 8);
    }

    @DeviceTest
    void accumulationTakesOverWhatOnlyOneHas(Device<?> device) {
        Scope.run(() -> accumulation(device));
    }

    private static <Dev extends DeviceType> void accumulation(Device<Dev> device) {
        Tensor<R1<Dim>, F64, Dev> x = leaf(device, 1, 2);
        Tensor<R1<Dim>, F64, Dev> y = leaf(device, 3, 4);
        Gradients sum = x.sum().backward().add(x.mul(y).sum().backward());
        assertThat(sum.size()).isEqualTo(2);
        assertThat(sum.get(x).toDoubleArray()).containsExactly(4, 5);
        assertThat(sum.get(y).toDoubleArray()).containsExactly(1, 2);
        Gradients reversed = y.sum().backward().add(x.sum().backward());
        assertThat(reversed.get(x).toDoubleArray()).containsExactly(1, 1);
    }

    @DeviceTest
    void anInputUsedTwiceGetsTheSum(Device<?> device) {
        Scope.run(() -> cube(device));
    }

    private static <Dev extends DeviceType> void cube(Device<Dev> device) {
        Tensor<R1<Dim>, F64, Dev> x = leaf(device, 2);
        assertThat(x.mul(x).mul(x).sum().backward().get(x).item()).isEqualTo(12);
    }

    @DeviceTest
    void noGradAndDetachRecordNothing(Device<?> device) {
        Scope.run(() -> silent(device));
    }

    private static <Dev extends DeviceType> void silent(Device<Dev> device) {
        Tensor<R1<Dim>, F64, Dev> x = leaf(device, 1, 2);
        Tensor<R1<Dim>, F64, Dev> y = Autograd.noGrad(() -> {
            assertThat(Autograd.isEnabled()).isFalse();
            assertThat(Autograd.enableGrad(() -> F.exp(x).requiresGrad())).isTrue();
            return F.exp(x);
        });
        assertThat(Autograd.isEnabled()).isTrue();
        assertThat(y.requiresGrad()).isFalse();
        assertThat(x.detach().requiresGrad()).isFalse();
        assertThatThrownBy(() -> y.sum().backward())
                .isInstanceOf(TensorStateException.class)
                .hasMessageContaining("call requireGrad() on those that should, outside noGrad");
        Tensor<R1<Dim>, F64, Dev> half = x.mul(x.detach());
        assertThat(half.sum().backward().get(x).toDoubleArray()).containsExactly(1, 2);
    }

    @DeviceTest
    void whatWasSavedAndThenChangedIsRefused(Device<?> device) {
        Scope.run(() -> changed(device));
    }

    private static <Dev extends DeviceType> void changed(Device<Dev> device) {
        Tensor<R1<Dim>, F64, Dev> x = leaf(device, 1, 2);
        Tensor<R1<Dim>, F64, Dev> factor = device.tensor(3.0, 4);
        Tensor<R0, F64, Dev> y = x.mul(factor).sum();
        factor.copyFrom(device.tensor(5.0, 6));
        assertThatThrownBy(y::backward)
                .isInstanceOf(TensorStateException.class)
                .hasMessageContaining("mul")
                .hasMessageContaining("in place");
    }

    @DeviceTest
    void closedInputsDoNotMatter(Device<?> device) {
        Scope.run(() -> inputsClosed(device));
    }

    private static <Dev extends DeviceType> void inputsClosed(Device<Dev> device) {
        Tensor<R1<Dim>, F64, Dev> x = leaf(device, 1, 2);
        Tensor<R1<Dim>, F64, Dev> factor = device.tensor(3.0, 4);
        Tensor<R1<Dim>, F64, Dev> product = x.mul(factor);
        Tensor<R0, F64, Dev> y = product.sum();
        factor.close();
        product.close();
        assertThat(y.backward().get(x).toDoubleArray()).containsExactly(3, 4);
    }

    @DeviceTest
    void badCallsAreNamed(Device<?> device) {
        Scope.run(() -> bad(device));
    }

    private static <Dev extends DeviceType> void bad(Device<Dev> device) {
        Tensor<R1<Dim>, F64, Dev> x = leaf(device, 1, 2);
        Tensor<R1<Dim>, F64, Dev> y = F.exp(x);
        assertThatThrownBy(y::requireGrad)
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining("computed by exp; detach() it first");
        assertThatThrownBy(y::backward)
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining("one element");
        Tensor<R1<Dim>, F64, Dev> three = device.ones(R1.of(3), DType.F64);
        assertThatThrownBy(() -> y.backward(three))
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining("[3]")
                .hasMessageContaining("[2]");
        assertThatThrownBy(() -> device.ones(R1.of(2), DType.I64).requireGrad()).hasMessageContaining("int64");
        Gradients gradients = y.sum().backward();
        assertThat(catchThrowable(() -> gradients.get(y))).hasMessageContaining("not a leaf");
        assertThat(catchThrowable(() -> gradients.get(three))).hasMessageContaining("call requireGrad()");
        Tensor<R1<Dim>, F64, Dev> other = leaf(device, 1);
        assertThat(catchThrowable(() -> gradients.get(other))).hasMessageContaining("did not depend on it");
    }

    /** Neither the sweep nor the release of a long chain recurses. */
    @DeviceTest
    void aGraphOfTwentyThousandSteps(Device<?> device) {
        Scope.run(() -> {
            deep(device, 20_000);
            chainDropped(device, 20_000);
        });
    }

    private static <Dev extends DeviceType> void deep(Device<Dev> device, int length) {
        Tensor<R1<Dim>, F64, Dev> x = leaf(device, 1, 2);
        Tensor<R1<Dim>, F64, Dev> y = x;
        for (int i = 0; i < length; i++) {
            y = y.add(x.mul(1e-4));
        }
        assertThat(y.sum().backward().get(x).toDoubleArray()[0]).isCloseTo(1 + length * 1e-4, within(1e-9));
    }

    private static <Dev extends DeviceType> void chainDropped(Device<Dev> device, int length) {
        long before = device.memory().liveBuffers();
        Scope.run(() -> {
            Tensor<R1<Dim>, F64, Dev> y = leaf(device, 1, 2);
            for (int i = 0; i < length; i++) {
                Tensor<R1<Dim>, F64, Dev> next = F.sin(y);
                y.close();
                y = next;
            }
            assertThat(device.memory().liveBuffers()).isGreaterThan(before + length / 2);
            y.close();
            assertThat(device.memory().liveBuffers()).isEqualTo(before);
        });
    }

    /** Where the root has no slope PyTorch takes 0, so that a constant or a zero does not spoil a training. */
    @DeviceTest
    void normAndDeviationAtZero(Device<?> device) {
        Scope.run(() -> {
            var zero = leaf(device, 0, 0);
            assertThat(F.norm(zero).backward().get(zero).toDoubleArray()).containsExactly(0, 0);
            var constant = leaf(device, 2, 2, 2);
            var deviation = F.std(constant);
            assertThat(deviation.item()).isZero();
            assertThat(deviation.backward().get(constant).toDoubleArray()).containsExactly(0, 0, 0);
            var broken = leaf(device, Double.NaN, 1);
            assertThat(F.norm(broken).backward().get(broken).toDoubleArray()).containsOnly(Double.NaN);
            var triangle = leaf(device, 3, 4);
            var slope = F.norm(triangle).backward(KeepGraph.CREATE).get(triangle);
            assertThat(slope.toDoubleArray()).containsExactly(new double[] {0.6, 0.8}, within(1e-15));
            var curve = slope.slice(0, 0, 1).sum().backward().get(triangle).toDoubleArray();
            assertThat(curve[0]).isCloseTo(16 / 125.0, within(1e-12));
            assertThat(curve[1]).isCloseTo(-12 / 125.0, within(1e-12));
        });
    }

    @DeviceTest
    void thirdDerivatives(Device<?> device) {
        Scope.run(() -> {
            var x = leaf(device, 0.5);
            var first = F.sin(x).sum().backward(KeepGraph.CREATE).get(x);
            var second = first.sum().backward(KeepGraph.CREATE).get(x);
            var third = second.sum().backward().get(x);
            assertThat(third.item()).isCloseTo(-Math.cos(0.5), within(1e-12));
        });
    }
}
