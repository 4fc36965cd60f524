package org.tenon.contract;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.tenon.Any;
import org.tenon.Bool;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.F64;
import org.tenon.I64;
import org.tenon.Tensor;

/**
 * What one method must do: for samples of input, the result that {@link Reference} gives, within a tolerance.
 *
 * <p>The type parameters of tensors here say nothing: every tensor passes as {@code Tensor<Any, F64, Cpu>}, whatever it
 * holds and wherever it is. So one spec serves all dtypes and devices, and run-time checks can be reached at all.
 */
final class OpSpec {
    /** The tensors a case works on. */
    record In(Device<Cpu> device, List<Tensor<Any, F64, Cpu>> all) {
        Tensor<Any, F64, Cpu> a() {
            return all.get(0);
        }

        Tensor<Any, F64, Cpu> b() {
            return all.get(1);
        }

        Tensor<Any, F64, Cpu> c() {
            return all.get(2);
        }

        Tensor<Any, I64, Cpu> ints(int i) {
            return asInts(all.get(i));
        }

        Tensor<Any, Bool, Cpu> bools(int i) {
            return asBools(all.get(i));
        }
    }

    @SuppressWarnings("unchecked")
    static Tensor<Any, F64, Cpu> untyped(Tensor<?, ?, ?> x) {
        return (Tensor<Any, F64, Cpu>) x;
    }

    @SuppressWarnings("unchecked")
    static Tensor<Any, I64, Cpu> asInts(Tensor<?, ?, ?> x) {
        return (Tensor<Any, I64, Cpu>) x;
    }

    @SuppressWarnings("unchecked")
    static Tensor<Any, Bool, Cpu> asBools(Tensor<?, ?, ?> x) {
        return (Tensor<Any, Bool, Cpu>) x;
    }

    @SuppressWarnings("unchecked")
    static Device<Cpu> untyped(Device<?> device) {
        return (Device<Cpu>) device;
    }

    interface Op {
        Tensor<?, ?, ?> apply(In in);
    }

    interface Ref extends Function<List<Arr>, Arr> {}

    /** One sample: what goes in, what is done and what must come out. */
    record Sample(String name, Op op, Ref ref, List<Arr> inputs, double tolerance) {
        DType dtype() {
            return inputs.isEmpty() ? null : inputs.getFirst().dtype();
        }
    }

    /** A sample whose gradients are checked: which of the float64 inputs have them. */
    record Smooth(String name, Op op, List<Arr> inputs, int[] wanted) {}

    /** A call that must be refused. */
    record Bad(String name, Function<Device<Cpu>, Object> call, String fragment) {}

    /** Within the tolerance that the dtype has by default. */
    static final double DEFAULT = -1;

    /** The result is the reference rounded to the dtype, bit for bit but for NaN and the sign of 0. */
    static final double EXACT = 0;

    final String name;
    final List<Sample> samples = new ArrayList<>();
    final List<Smooth> smooth = new ArrayList<>();
    final List<Bad> bad = new ArrayList<>();
    boolean view;
    List<String> kinds = List.of();
    String elsewhere = "";

    OpSpec(String name) {
        this.name = name;
    }

    /** The result may be a view: it need not be row-major. */
    OpSpec view() {
        view = true;
        return this;
    }

    /** Runs on these kinds of device only, for a reason. */
    OpSpec only(List<String> kinds, String elsewhere) {
        this.kinds = kinds;
        this.elsewhere = elsewhere;
        return this;
    }

    boolean runsOn(String kind) {
        return kinds.isEmpty() || kinds.contains(kind);
    }

    OpSpec sample(String sample, Op op, Ref ref, Arr... inputs) {
        return sample(sample, DEFAULT, op, ref, inputs);
    }

    OpSpec exact(String sample, Op op, Ref ref, Arr... inputs) {
        return sample(sample, EXACT, op, ref, inputs);
    }

    OpSpec sample(String sample, double tolerance, Op op, Ref ref, Arr... inputs) {
        samples.add(new Sample(sample, op, ref, List.of(inputs), tolerance));
        return this;
    }

    OpSpec grad(String sample, Op op, int[] wanted, Arr... inputs) {
        smooth.add(new Smooth(sample, op, List.of(inputs), wanted));
        return this;
    }

    OpSpec grad(String sample, Op op, Arr... inputs) {
        int[] all = new int[inputs.length];
        java.util.Arrays.setAll(all, i -> i);
        return grad(sample, op, all, inputs);
    }

    OpSpec refuses(String sample, String fragment, Function<Device<Cpu>, Object> call) {
        bad.add(new Bad(sample, call, fragment));
        return this;
    }

    static double tolerance(DType dtype) {
        if (dtype == DType.F64) {
            return 1e-12;
        }
        return dtype == DType.F32 ? 1e-5 : dtype == DType.F16 ? 1e-3 : dtype == DType.BF16 ? 1e-2 : 0;
    }
}
