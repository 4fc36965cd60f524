package org.tenon.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Tag;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.examples.SoftmaxExamples.Batch;
import org.tenon.examples.SoftmaxExamples.Classes;
import org.tenon.junit.DeviceTest;

/** The examples of the documentation, and what they must give. */
@Tag("plain")
class SoftmaxExamplesTest {
    @DeviceTest
    void rowsOfProbabilitiesSumTo1(Device<?> device) {
        Scope.run(() -> rows(device));
    }

    private static <Dev extends DeviceType> void rows(Device<Dev> device) {
        Tensor<R2<Batch, Classes>, F32, Dev> logp = SoftmaxExamples.logProbabilities(device, 4, 5);
        assertThat(logp.shape()).containsExactly(4, 5);
        for (double sum : F.exp(logp).sum(R2.dim1()).toDoubleArray()) {
            assertThat(sum).isCloseTo(1, within(1e-6));
        }
    }

    @DeviceTest
    void theLossIsTheMeanOfTheTargetsEntries(Device<?> device) {
        Scope.run(() -> loss(device));
    }

    private static <Dev extends DeviceType> void loss(Device<Dev> device) {
        Tensor<R2<Batch, Classes>, F32, Dev> logp = SoftmaxExamples.logProbabilities(device, 4, 5);
        double[] rows = logp.toDoubleArray();
        double expected = -(rows[0] + rows[5 + 2] + rows[10 + 1] + rows[15]) / 4;
        assertThat(SoftmaxExamples.loss(logp).item()).isCloseTo(expected, within(1e-6));
    }

    @DeviceTest
    void theDivergenceIsTheMeanOfPLogPOverQ(Device<?> device) {
        Scope.run(() -> divergence(device));
    }

    private static <Dev extends DeviceType> void divergence(Device<Dev> device) {
        Tensor<R2<Batch, Classes>, F32, Dev> logits = device.randn(R2.of(4, 5), DType.F32, new Generator(1));
        Tensor<R2<Batch, Classes>, F32, Dev> other = device.randn(R2.of(4, 5), DType.F32, new Generator(2));
        Tensor<R2<Batch, Classes>, F32, Dev> logTarget = F.logSoftmax(other, -1);
        double[] p = logTarget.toDoubleArray();
        double[] q = F.logSoftmax(logits, -1).toDoubleArray();
        double sum = 0;
        for (int i = 0; i < p.length; i++) {
            sum += Math.exp(p[i]) * (p[i] - q[i]);
        }
        assertThat(SoftmaxExamples.divergence(logits, logTarget).item()).isCloseTo(sum / p.length, within(1e-6));
        assertThat(SoftmaxExamples.divergence(logits, F.logSoftmax(logits, -1)).item())
                .isCloseTo(0, within(1e-7));
    }
}
