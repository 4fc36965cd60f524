package org.tenon.examples;

import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.I64;
import org.tenon.KlTarget;
import org.tenon.R0;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Reduction;
import org.tenon.Tensor;
import org.tenon.nn.NLLLoss;

/** The examples that the documentation of the softmax family shows. */
public final class SoftmaxExamples {
    private SoftmaxExamples() {}

    /** One axis of the logits: the samples of a batch. */
    public interface Batch extends Dim {}

    /** The other: the classes. */
    public interface Classes extends Dim {}

    /** Log-probabilities of random logits. */
    public static <Dev extends DeviceType> Tensor<R2<Batch, Classes>, F32, Dev> logProbabilities(
            Device<Dev> device, long batch, long classes) {
        // @start region="logSoftmax"
        Tensor<R2<Batch, Classes>, F32, Dev> logits = device.randn(R2.of(batch, classes));
        Tensor<R2<Batch, Classes>, F32, Dev> logp = F.logSoftmax(logits, -1);
        // @end
        return logp;
    }

    /** The loss of log-probabilities of four samples against their classes. */
    public static <Dev extends DeviceType> Tensor<R0, F32, Dev> loss(Tensor<R2<Batch, Classes>, F32, Dev> logp) {
        Device<Dev> device = logp.device();
        // @start region="nllLoss"
        NLLLoss<R1<Batch>, R0, F32, Dev> criterion = NLLLoss.mean();
        Tensor<R1<Batch>, I64, Dev> targets = device.tensor(0L, 2L, 1L, 0L);
        Tensor<R0, F32, Dev> loss = criterion.forward(logp, targets);
        // @end
        return loss;
    }

    /** How far the log-softmax of logits is from a target distribution, whose logarithm is given. */
    public static <Dev extends DeviceType> Tensor<R0, F32, Dev> divergence(
            Tensor<R2<Batch, Classes>, F32, Dev> logits, Tensor<R2<Batch, Classes>, F32, Dev> logTarget) {
        // @start region="klDiv"
        Tensor<R2<Batch, Classes>, F32, Dev> logp = F.logSoftmax(logits, -1);
        Tensor<R0, F32, Dev> divergence = F.klDiv(logp, logTarget, KlTarget.LOG_PROBABILITIES, Reduction.mean());
        // @end
        return divergence;
    }
}
