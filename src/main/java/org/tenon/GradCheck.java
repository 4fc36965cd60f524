package org.tenon;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.tenon.spi.Philox;

/**
 * Compares the gradients of a function with what central differences give. PyTorch: {@code torch.autograd.gradcheck}. For
 * the tests of ops: inputs are few and of float64.
 */
public final class GradCheck {
    private static final double STEP = 1e-6;
    private static final double TOLERANCE = 1e-6;

    private GradCheck() {}

    /**
     * Throws if a gradient of {@code function} at {@code inputs} is off by more than {@code 1e-6 max(1, |gradient|)}. The
     * function's result, of any shape, is reduced by random weights, the same each time.
     *
     * @throws TensorStateException naming the input, the element, and both numbers
     */
    public static <Dev extends DeviceType> void check(
            Function<List<Tensor<Any, F64, Dev>>, Tensor<?, F64, Dev>> function, List<Tensor<Any, F64, Dev>> inputs) {
        Scope.run(() -> {
            List<double[]> given = analytic(function, inputs);
            for (int i = 0; i < inputs.size(); i++) {
                double[] at = inputs.get(i).toDoubleArray();
                for (int k = 0; k < at.length; k++) {
                    double difference = (shifted(function, inputs, i, k, STEP) - shifted(function, inputs, i, k, -STEP))
                            / (2 * STEP);
                    double found = given.get(i)[k];
                    if (!(Math.abs(found - difference) <= TOLERANCE * Math.max(1, Math.abs(difference)))) {
                        throw new TensorStateException(
                                "gradCheck",
                                String.format(
                                        Locale.ROOT,
                                        "input %d, element %d: backward gives %.9g, differences %.9g",
                                        i,
                                        k,
                                        found,
                                        difference));
                    }
                }
            }
        });
    }

    private static <Dev extends DeviceType> List<double[]> analytic(
            Function<List<Tensor<Any, F64, Dev>>, Tensor<?, F64, Dev>> function, List<Tensor<Any, F64, Dev>> inputs) {
        List<Tensor<Any, F64, Dev>> leaves = inputs.stream()
                .map(input -> input.detach().copy().requireGrad())
                .toList();
        Gradients gradients = reduced(function.apply(leaves)).backward();
        return leaves.stream().map(leaf -> gradients.get(leaf).toDoubleArray()).toList();
    }

    private static <Dev extends DeviceType> double shifted(
            Function<List<Tensor<Any, F64, Dev>>, Tensor<?, F64, Dev>> function,
            List<Tensor<Any, F64, Dev>> inputs,
            int input,
            int element,
            double step) {
        return Scope.call(() -> Autograd.noGrad(() -> {
            Tensor<Any, F64, Dev> original = inputs.get(input);
            double[] values = original.toDoubleArray();
            values[element] += step;
            List<Tensor<Any, F64, Dev>> moved = new ArrayList<>(inputs);
            moved.set(input, original.device().tensor(values, Any.of(original.shape())));
            return reduced(function.apply(moved)).item();
        }));
    }

    /** The sum of the elements, each with a weight of its own between 0.5 and 1.5. */
    private static <Dev extends DeviceType> Tensor<R0, F64, Dev> reduced(Tensor<?, F64, Dev> result) {
        double[] weights = new double[Math.toIntExact(result.numel())];
        int[] words = new int[4];
        for (int i = 0; i < weights.length; i++) {
            Philox.block(i, 17, words);
            weights[i] = 0.5 + (words[0] >>> 8) * 0x1p-24;
        }
        return result.any()
                .mul(result.device().tensor(weights, Any.of(result.shape())))
                .sum();
    }
}
