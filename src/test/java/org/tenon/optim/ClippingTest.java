package org.tenon.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Tag;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F16;
import org.tenon.F32;
import org.tenon.Gradients;
import org.tenon.R0;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.junit.DeviceTest;

/** Norms of all gradients together, and clipping by norm and by value. */
@Tag("plain")
class ClippingTest {
    @DeviceTest
    void clips(Device<?> device) {
        Scope.run(() -> clip(device));
    }

    /** Gradients 3, -4 of float32 and 12 of float16: the norm is 13. */
    private static <Dev extends DeviceType> void clip(Device<Dev> device) {
        Tensor<R2<Dim, Dim>, F32, Dev> a =
                device.tensor(new float[][] {{1, 1}}).as(R2.<Dim, Dim>kind()).requireGrad();
        Tensor<R1<Dim>, F16, Dev> b = device.ones(R1.<Dim>of(1), DType.F16).requireGrad();
        Tensor<R1<Dim>, F32, Dev> none = device.ones(R1.<Dim>of(0)).requireGrad();
        Tensor<R2<Dim, Dim>, F32, Dev> slope = device.tensor(new float[][] {{3, -4}});
        Tensor<R0, F32, Dev> loss =
                a.mul(slope).sum().add(b.mul(12).to(DType.F32).sum()).add(none.sum());
        Gradients gradients = loss.backward();
        assertThat(gradients.norm()).isCloseTo(13, within(1e-5));
        assertThat(gradients.norm(1)).isCloseTo(19, within(1e-5));
        assertThat(gradients.norm(3)).isCloseTo(Math.cbrt(27 + 64 + 1728), within(1e-4));
        assertThat(gradients.norm(Double.POSITIVE_INFINITY)).isEqualTo(12);
        assertThat(gradients.isFinite()).isTrue();
        Gradients clipped = gradients.clipNorm(6.5);
        assertThat(clipped.norm()).isCloseTo(6.5, within(1e-3));
        assertThat(clipped.get(a).toFloatArray()).containsExactly(new float[] {1.5f, -2}, within(1e-5f));
        assertThat(clipped.get(b).item()).isCloseTo(6, within(1e-3));
        assertThat(gradients.clipNorm(14).get(a).toFloatArray())
                .as("short enough")
                .containsExactly(3, -4);
        assertThat(gradients.clipNorm(6, Double.POSITIVE_INFINITY).get(b).item())
                .isCloseTo(6, within(1e-3));
        assertThat(gradients.clipNorm(0).norm()).isZero();
        Gradients valued = gradients.clipValue(3.5);
        assertThat(valued.get(a).toFloatArray()).containsExactly(3, -3.5f);
        assertThat(valued.get(b).item()).isEqualTo(3.5);
        assertThat(gradients.div(2).get(a).toFloatArray()).containsExactly(1.5f, -2);
        assertThat(gradients.get(a).toFloatArray()).as("the original stays").containsExactly(3, -4);
        assertThatThrownBy(() -> gradients.clipNorm(-1))
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining("clipNorm: the norm -1.0 is not 0 or more");
        assertThatThrownBy(() -> gradients.clipValue(Double.NaN)).hasMessageContaining("clipValue: the limit NaN");
        assertThatThrownBy(() -> gradients.norm(0)).hasMessageContaining("norm: p 0.0 is not positive");
    }

    @DeviceTest
    void whatIsNotFiniteIsSeen(Device<?> device) {
        Scope.run(() -> notFinite(device));
    }

    private static <Dev extends DeviceType> void notFinite(Device<Dev> device) {
        Tensor<R1<Dim>, F32, Dev> a = device.ones(R1.<Dim>of(1000)).requireGrad();
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 3e38f}) {
            float[] factors = new float[1000];
            factors[777] = bad;
            Gradients gradients =
                    a.mul(device.tensor(factors, R1.<Dim>of(1000))).sum().backward();
            assertThat(gradients.isFinite()).as("%s", bad).isEqualTo(Float.isFinite(bad));
        }
    }
}
