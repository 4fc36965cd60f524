package org.tenon.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BinaryOperator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tenon.Any;
import org.tenon.BF16;
import org.tenon.BceOptions;
import org.tenon.Cuda;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.F;
import org.tenon.Generator;
import org.tenon.KlTarget;
import org.tenon.Reduction;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TestDevices;

/** A loss of single elements is one launch each way, of a half type and of any layout too, on the stand-in. */
class LossLaunchesTest {
    private static StandIn standIn;

    @BeforeAll
    static void findStandIn() {
        standIn = OnStandIn.assumeThere();
    }

    @Test
    void oneEachWay() {
        Device<Cuda> device = TestDevices.of(OnStandIn.open());
        Scope.run(() -> {
            for (var each : losses().entrySet()) {
                Any shape = Any.of(30, 20);
                Tensor<Any, BF16, Cuda> x = device.uniform(shape, -3, 3, DType.BF16, new Generator(1));
                Tensor<Any, BF16, Cuda> t = device.uniform(shape, 0.01, 1, DType.BF16, new Generator(2));
                check(each.getKey(), each.getValue(), x, t, 1);
                check(each.getKey(), each.getValue(), x.transpose(0, 1), t.transpose(0, 1), 1);
                check(each.getKey(), each.getValue(), x, t.select(0, 3).expand(shape), 1);
            }
            Any shape = Any.of(300, 500);
            Tensor<Any, BF16, Cuda> x = device.uniform(shape, -3, 3, DType.BF16, new Generator(1));
            Tensor<Any, BF16, Cuda> t = device.uniform(shape, 0.01, 1, DType.BF16, new Generator(2));
            // The parts of a large sum are joined.
            check("large mse", losses().get("mse mean"), x, t, 2);
        });
    }

    private static Map<String, BinaryOperator<Tensor<Any, BF16, Cuda>>> losses() {
        Map<String, BinaryOperator<Tensor<Any, BF16, Cuda>>> all = new LinkedHashMap<>();
        all.put("mse", (x, t) -> F.mseLoss(x, t, Reduction.none()));
        all.put("mse mean", (x, t) -> any(F.mseLoss(x, t, Reduction.mean())));
        all.put("l1", (x, t) -> any(F.l1Loss(x, t, Reduction.sum())));
        all.put("huber", (x, t) -> any(F.huberLoss(x, t, 0.5, Reduction.mean())));
        all.put("smooth l1", (x, t) -> any(F.smoothL1Loss(x, t, 0.5, Reduction.mean())));
        all.put("kl", (x, t) -> any(F.klDiv(x, t, KlTarget.PROBABILITIES, Reduction.batchMean())));
        all.put("kl of logarithms", (x, t) -> any(F.klDiv(x, t, KlTarget.LOG_PROBABILITIES, Reduction.batchMean())));
        all.put(
                "cross entropy of logits",
                (x, t) -> any(F.binaryCrossEntropyWithLogits(x, t, BceOptions.defaults(), Reduction.mean())));
        return all;
    }

    private static Tensor<Any, BF16, Cuda> any(Tensor<?, BF16, Cuda> x) {
        return x.as(Any.kind());
    }

    private static void check(
            String name,
            BinaryOperator<Tensor<Any, BF16, Cuda>> loss,
            Tensor<Any, BF16, Cuda> x,
            Tensor<Any, BF16, Cuda> t,
            long forward) {
        Scope.run(() -> {
            Tensor<Any, BF16, Cuda> left = x.detach().requireGrad();
            Tensor<Any, BF16, Cuda> right = t.detach().requireGrad();
            // The first of them builds kernels.
            loss.apply(left, right);
            standIn.reset();
            Tensor<Any, BF16, Cuda> value = loss.apply(left, right);
            assertThat(standIn.count("cuLaunchKernel")).as(name).isEqualTo(forward);
            Tensor<Any, BF16, Cuda> g = value.detach();
            value.backward(g);
            Tensor<Any, BF16, Cuda> again = loss.apply(left, right);
            standIn.reset();
            again.backward(g);
            assertThat(standIn.count("cuLaunchKernel"))
                    .as("gradients of %s", name)
                    .isEqualTo(1);
            standIn.reset();
        });
    }
}
