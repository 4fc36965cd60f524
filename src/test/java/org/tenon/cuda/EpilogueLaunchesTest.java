package org.tenon.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tenon.Cuda;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.I64;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TestDevices;
import org.tenon.nn.Dropout;
import org.tenon.nn.Linear;
import org.tenon.nn.ReLU;
import org.tenon.nn.Sequential;

/** How many launches a training step of an MLP takes, with what comes after its products joined or not, on the stand-in. */
class EpilogueLaunchesTest {
    private static StandIn standIn;

    @BeforeAll
    static void findStandIn() {
        standIn = OnStandIn.assumeThere();
    }

    @Test
    void aStepOfAnMlpTakesFewer() {
        Device<Cuda> device = TestDevices.of(OnStandIn.open());
        Scope.run(() -> {
            Generator generator = new Generator(1);
            Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Cuda> first = Linear.of(device, DType.F32, 12, 8, generator);
            Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Cuda> second = Linear.of(device, DType.F32, 8, 3, generator);
            var model = Sequential.of(first)
                    .then(new ReLU<>())
                    .then(new Dropout<>(0.2, generator))
                    .then(second);
            Tensor<R2<Dim, Dim>, F32, Cuda> x = device.randn(R2.of(5, 12), DType.F32, generator);
            Tensor<R1<Dim>, I64, Cuda> target = device.randint(R1.of(5), 0, 3, DType.I64, generator);
            long joined = launches(model::forward, x, target);
            long separate = launches(
                    rows -> {
                        Tensor<R2<Dim, Dim>, F32, Cuda> y =
                                F.relu(F.add(F.matmul(rows, F.t(first.weight())), first.bias()));
                        return F.add(F.matmul(F.dropout(y, 0.2, generator), F.t(second.weight())), second.bias());
                    },
                    x,
                    target);
            System.out.println("cuda: an MLP's step is " + joined + " launches, of separate ops " + separate);
            // Forward a sum, an activation and a dropout are one, backward the latter two.
            assertThat(joined).isEqualTo(separate - 3);
        });
    }

    private static long launches(
            UnaryOperator<Tensor<R2<Dim, Dim>, F32, Cuda>> model,
            Tensor<R2<Dim, Dim>, F32, Cuda> x,
            Tensor<R1<Dim>, I64, Cuda> target) {
        // The first step builds kernels.
        F.crossEntropy(model.apply(x), target).backward();
        standIn.reset();
        F.crossEntropy(model.apply(x), target).backward();
        long launches = standIn.count("cuLaunchKernel");
        standIn.reset();
        return launches;
    }
}
