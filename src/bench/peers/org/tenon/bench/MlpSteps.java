package org.tenon.bench;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.LongArrayRef;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.I64;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.bench.Operands.Pair;
import org.tenon.nn.Linear;
import org.tenon.nn.ReLU;
import org.tenon.nn.Sequential;
import org.tenon.optim.SGD;

/** Steps of a training of 784 to 256 to 10 with SGD and momentum in both libraries, from the same parameters on the same batch. */
final class MlpSteps {
    static final long IN = 784;
    static final long CLASSES = 10;
    private static final long HIDDEN = 256;
    private static final double RATE = 1e-3;
    private static final double MOMENTUM = 0.9;

    private final Sequential<R2<Dim, Dim>, R2<Dim, Dim>, F32, Cpu> model;
    private final SGD<F32, Cpu> optimizer;
    private final List<org.bytedeco.pytorch.Tensor> theirs = new ArrayList<>();
    private final org.bytedeco.pytorch.SGD theirOptimizer;
    /** Theirs once the optimizer has them; freed a second time when collected here. */
    private final SGDOptions theirOptions = new SGDOptions(RATE);

    MlpSteps() {
        Generator generator = new Generator(7);
        model = Sequential.of(Linear.<Dim, Dim, Dim, F32, Cpu>of(Devices.cpu(), DType.F32, IN, HIDDEN, generator))
                .then(new ReLU<>())
                .then(Linear.of(Devices.cpu(), DType.F32, HIDDEN, CLASSES, generator));
        optimizer = new SGD<>(model.parameters(), RATE, SGD.Options.DEFAULTS.momentum(MOMENTUM));
        for (Tensor<?, F32, Cpu> each : model.parameters()) {
            try (FloatPointer data = new FloatPointer(each.toFloatArray());
                    LongPointer sizes = new LongPointer(each.shape())) {
                theirs.add(torch.from_blob(data, new LongArrayRef(sizes, each.shape().length))
                        .clone()
                        .requires_grad_(true));
            }
        }
        theirOptions.momentum().put(MOMENTUM);
        theirOptimizer = new org.bytedeco.pytorch.SGD(
                new TensorVector(theirs.toArray(org.bytedeco.pytorch.Tensor[]::new)), theirOptions);
    }

    /** Some steps before those that are measured, so that what both libraries must agree on depends on all parts of one. */
    void begin(Pair x, Tensor<R1<Dim>, I64, Cpu> classes, org.bytedeco.pytorch.Tensor theirClasses) {
        for (int i = 0; i < 5; i++) {
            step(x, classes).close();
            step(x, theirClasses).close();
        }
    }

    Tensor<?, ?, Cpu> step(Pair x, Tensor<R1<Dim>, I64, Cpu> classes) {
        return Scope.call(() -> {
            var loss = F.crossEntropy(model.forward(x.here()), classes);
            optimizer.step(loss.backward());
            return loss;
        });
    }

    org.bytedeco.pytorch.Tensor step(Pair x, org.bytedeco.pytorch.Tensor classes) {
        theirOptimizer.zero_grad();
        try (var sums = torch.linear(x.there(), theirs.get(0), new TensorOptional(theirs.get(1)));
                var hidden = torch.relu(sums);
                var logits = torch.linear(hidden, theirs.get(2), new TensorOptional(theirs.get(3)));
                var loss = torch.cross_entropy_loss(logits, classes)) {
            loss.backward();
            theirOptimizer.step();
            return loss.detach();
        }
    }
}
