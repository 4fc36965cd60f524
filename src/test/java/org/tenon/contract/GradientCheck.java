package org.tenon.contract;

import static org.tenon.contract.OpSpec.untyped;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tenon.Any;
import org.tenon.Autograd;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.F64;
import org.tenon.Gradients;
import org.tenon.KeepGraph;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.contract.ContractTest.Layout;

/**
 * The gradients of one sample on one device, and theirs, against central differences in float64. Differences are taken of dense
 * inputs, once for all layouts; input by input, so that one run serves the gradients of all.
 */
final class GradientCheck {
    private static final double STEP = 1e-6;

    private final Device<Cpu> device;
    private final OpSpec.Smooth smooth;
    /** The input that differs -> the slopes of each value. */
    private final Map<Integer, Arr[]> first = new HashMap<>();

    private final Map<Integer, Arr[]> second = new HashMap<>();

    GradientCheck(Device<Cpu> device, OpSpec.Smooth smooth) {
        this.device = device;
        this.smooth = smooth;
    }

    /** The gradients of sum(v * y), in float64 and, roughly, in float32. */
    void check(Layout layout) {
        List<Tensor<Any, F64, Cpu>> x = leaves(smooth.inputs(), layout);
        Tensor<Any, F64, Cpu> y = run(x);
        Arr v = cotangent(y, 5);
        Gradients gradients = y.backward(layout.make(device, v));
        List<Arr> narrow = smooth.inputs().stream()
                .map(input -> input.f() != null ? input.as(DType.F32) : input)
                .toList();
        List<Tensor<Any, F64, Cpu>> x32 = leaves(narrow, layout);
        Tensor<Any, F64, Cpu> y32 = run(x32);
        Gradients gradients32 =
                y32.backward(layout.make(device, v.as(y32.value().dtype())));
        for (int i : smooth.wanted()) {
            Arr got = ContractTest.read(gradients.get(x.get(i)));
            ContractTest.compare(got, differences(first, i, 1, inputs -> new double[] {weighted(inputs, v)})[0], 1e-6);
            if (!smooth.name().contains("float64 only")) {
                ContractTest.compare(
                        ContractTest.read(gradients32.get(x32.get(i))).as(DType.F64), got, 2e-4);
            }
        }
    }

    private double weighted(List<Arr> inputs, Arr v) {
        List<Tensor<Any, F64, Cpu>> x = new ArrayList<>();
        return Autograd.noGrad(() -> Scope.call(() -> {
            inputs.forEach(input -> x.add(Layout.upload(device, input)));
            return dot(ContractTest.read(run(x)), v);
        }));
    }

    /** The gradients of sum(u * gradient), for each gradient. */
    void checkTwice(Layout layout) {
        for (int of : smooth.wanted()) {
            List<Tensor<Any, F64, Cpu>> x = leaves(smooth.inputs(), layout);
            Tensor<Any, F64, Cpu> y = run(x);
            Arr v = cotangent(y, 6);
            Tensor<Any, F64, Cpu> gradient =
                    y.backward(layout.make(device, v), KeepGraph.CREATE).get(x.get(of));
            Gradients gradients = gradient.requiresGrad()
                    ? gradient.mul(layout.make(device, weights(of))).sum().backward()
                    : null;
            for (int i : smooth.wanted()) {
                Arr wanted = differences(second, i, x.size(), inputs -> weightedGradients(inputs, v))[of];
                boolean zero = gradients == null || !gradients.contains(x.get(i));
                Arr got = zero
                        ? Arr.floats(DType.F64, wanted.shape(), new double[wanted.count()])
                        : ContractTest.read(gradients.get(x.get(i)));
                ContractTest.compare(got, wanted, 1e-6);
            }
        }
    }

    /** sum(u * gradient) of each input that has a gradient, and 0 of the others. */
    private double[] weightedGradients(List<Arr> inputs, Arr v) {
        return Scope.call(() -> {
            List<Tensor<Any, F64, Cpu>> x = leaves(inputs, Layout.DENSE);
            Gradients gradients = run(x).backward(Layout.upload(device, v));
            double[] sums = new double[inputs.size()];
            for (int i : smooth.wanted()) {
                sums[i] = dot(ContractTest.read(gradients.get(x.get(i))), weights(i));
            }
            return sums;
        });
    }

    private Arr weights(int i) {
        return Arr.normal(DType.F64, 77, smooth.inputs().get(i).shape());
    }

    private static Arr cotangent(Tensor<?, ?, ?> y, long seed) {
        return Arr.normal(DType.F64, seed, y.shape());
    }

    private static double dot(Arr a, Arr b) {
        double sum = 0;
        for (int k = 0; k < a.count(); k++) {
            sum += a.f()[k] * b.f()[k];
        }
        return sum;
    }

    private Tensor<Any, F64, Cpu> run(List<Tensor<Any, F64, Cpu>> x) {
        return untyped(smooth.op().apply(new OpSpec.In(device, x)));
    }

    private List<Tensor<Any, F64, Cpu>> leaves(List<Arr> inputs, Layout layout) {
        List<Tensor<Any, F64, Cpu>> made = new ArrayList<>();
        for (int i = 0; i < inputs.size(); i++) {
            Tensor<Any, F64, Cpu> x = layout.make(device, inputs.get(i)).detach();
            int at = i;
            made.add(Arrays.stream(smooth.wanted()).anyMatch(w -> w == at) ? x.requireGrad() : x);
        }
        return made;
    }

    private interface Values {
        double[] of(List<Arr> inputs);
    }

    /** The slopes of each value in an input. */
    private Arr[] differences(Map<Integer, Arr[]> known, int i, int values, Values function) {
        return known.computeIfAbsent(i, input -> {
            List<Arr> inputs = smooth.inputs();
            Arr x = inputs.get(i);
            double[][] slopes = new double[values][x.count()];
            for (int k = 0; k < x.count(); k++) {
                double step = STEP * Math.max(1, Math.abs(x.f()[k]));
                List<Arr> above = new ArrayList<>(inputs);
                above.set(i, x.with(k, x.f()[k] + step));
                List<Arr> below = new ArrayList<>(inputs);
                below.set(i, x.with(k, x.f()[k] - step));
                double width = above.get(i).f()[k] - below.get(i).f()[k];
                double[] high = function.of(above);
                double[] low = function.of(below);
                for (int value = 0; value < values; value++) {
                    slopes[value][k] = (high[value] - low[value]) / width;
                }
            }
            return Arrays.stream(slopes)
                    .map(each -> Arr.floats(DType.F64, x.shape(), each))
                    .toArray(Arr[]::new);
        });
    }
}
