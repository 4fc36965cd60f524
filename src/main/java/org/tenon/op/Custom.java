package org.tenon.op;

import java.util.Arrays;
import java.util.List;
import org.tenon.TensorArgumentException;
import org.tenon.spi.Backend;
import org.tenon.spi.CustomKernel;
import org.tenon.spi.Strided;

/** Ops of users: checks, launch and place in the graph are as those of any other op. */
public final class Custom {
    private static final int RANK = 8;

    private Custom() {}

    /** From sizes of the inputs to sizes of the result. */
    @FunctionalInterface
    public interface ResultShape {
        /** The sizes of the result. */
        long[] of(List<long[]> inputs);
    }

    /** From sizes of result and inputs to the number of items. */
    @FunctionalInterface
    public interface ItemCount {
        /** How many there are. */
        long of(long[] result, List<long[]> inputs);
    }

    /** What a call saves for its backward. */
    public enum Saved {
        /** The inputs. */
        INPUTS,
        /** The result. */
        RESULT,
        /** The inputs, and after them the result. */
        BOTH
    }

    /** Runs a kernel on inputs of any layout. {@code backward} may be null for an op without gradients. */
    public static Value apply(
            CustomKernel kernel,
            ResultShape shape,
            ItemCount items,
            Node.Backward backward,
            Saved saved,
            double[] parameters,
            Value... inputs) {
        String op = kernel.name();
        check(kernel, parameters, inputs);
        List<long[]> sizes = Arrays.stream(inputs).map(Value::sizes).toList();
        long[] resultSizes = Checks.newSizes(op, shape.of(sizes));
        if (resultSizes.length > RANK) {
            throw new TensorArgumentException(op, "the result has " + resultSizes.length + " axes; at most " + RANK);
        }
        long count = items.of(resultSizes.clone(), sizes);
        if (count < 0) {
            throw new TensorArgumentException(op, "there are " + count + " items; 0 or more");
        }
        Value[] dense = new Value[inputs.length];
        Value out = null;
        try {
            for (int i = 0; i < inputs.length; i++) {
                Value input = inputs[i];
                dense[i] = GradMode.off(() -> Copies.contiguous(input));
            }
            out = Value.allocate(op, inputs[0].backend(), inputs[0].dtype(), resultSizes);
            launch(kernel, out, dense, parameters, count);
        } catch (RuntimeException | Error e) {
            if (out != null) {
                out.close();
            }
            throw e;
        } finally {
            for (int i = 0; i < inputs.length; i++) {
                if (dense[i] != null && dense[i] != inputs[i]) {
                    dense[i].close();
                }
            }
        }
        return backward == null ? out : record(op, out, backward, saved, inputs);
    }

    private static void launch(CustomKernel kernel, Value out, Value[] inputs, double[] parameters, long items) {
        Value[] all = Arrays.copyOf(inputs, inputs.length + 1);
        all[inputs.length] = out;
        try (Pins _ = Pins.of(all)) {
            Strided[] strided = Arrays.stream(inputs).map(Value::strided).toArray(Strided[]::new);
            out.backend().kernels().custom(kernel, out.strided(), strided, parameters, items);
        }
    }

    private static Value record(String op, Value out, Node.Backward backward, Saved saved, Value[] inputs) {
        Value[] kept = switch (saved) {
            case INPUTS -> inputs;
            case RESULT -> new Value[] {out};
            case BOTH -> {
                Value[] both = Arrays.copyOf(inputs, inputs.length + 1);
                both[inputs.length] = out;
                yield both;
            }
        };
        return Graph.record(op, out, backward, inputs, kept);
    }

    private static void check(CustomKernel kernel, double[] parameters, Value... inputs) {
        String op = kernel.name();
        if (inputs.length != kernel.inputs().size()) {
            throw new TensorArgumentException(
                    op,
                    "there are " + inputs.length + " inputs; it takes "
                            + kernel.inputs().size());
        }
        if (parameters.length != kernel.parameters().size()) {
            throw new TensorArgumentException(
                    op,
                    "there are " + parameters.length + " parameters; it takes "
                            + kernel.parameters().size() + ", " + kernel.parameters());
        }
        Checks.operands(op, inputs);
        Checks.floating(op, inputs[0]);
        for (int i = 0; i < inputs.length; i++) {
            CustomKernel.Input input = kernel.inputs().get(i);
            if (input.dtype() == null) {
                Checks.sameDtype(op, inputs[0], inputs[i]);
            } else if (inputs[i].dtype() != input.dtype()) {
                throw Checks.error(op, "input " + input.name() + " must be " + input.dtype(), inputs[i]);
            }
            if (inputs[i].rank() > RANK) {
                throw Checks.error(op, "input " + input.name() + " has more than " + RANK + " axes", inputs[i]);
            }
        }
        checkSource(kernel, inputs[0].backend());
    }

    private static void checkSource(CustomKernel kernel, Backend backend) {
        CustomKernel.Sources sources = kernel.sources();
        String kind = backend.name().replaceAll(":.*", "");
        boolean there = switch (kind) {
            case "cpu" -> sources.cpu() != null;
            case "cuda" -> sources.ptx() != null || sources.shared() != null;
            default -> sources.openCl() != null || sources.shared() != null;
        };
        if (!there) {
            throw new TensorArgumentException(
                    kernel.name(), "it has no kernel for " + backend.name() + "; give it one where it is built");
        }
    }
}
