package org.tenon;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.tenon.op.Custom;
import org.tenon.op.Node;
import org.tenon.op.Value;
import org.tenon.spi.CustomCall;
import org.tenon.spi.CustomKernel;

/**
 * An op with a kernel of your own, which is checked, launched, differentiated and freed as any other. PyTorch:
 * {@code torch.library.custom_op}.
 *
 * {@snippet class="org.tenon.examples.Swish" region="op"}
 *
 * <p>The inputs come to the kernel in row-major order, on one device. The first gives the element type {@code T} of the
 * result, which is floating; the others have it too unless declared with another. The result has the shape of the first
 * input unless {@link Builder#shape} says otherwise.
 *
 * <p>In a shared kernel, C99 in which Tenon's own kernels are written, there are: {@code KERNEL}, {@code ARGUMENTS} for the list
 * of arguments, {@code INDEX} and {@code ITEMS}, {@code LOAD(input, i)}, {@code STORE(out, i, v)}, {@code COUNT(input)},
 * {@code SIZE(input, dim)}, {@code PARAMETER(name)}, the type {@code REAL} to compute in (float for half types), and for
 * groups {@code GROUP}, {@code THREAD}, {@code BLOCK}, {@code LOCAL}, {@code BARRIER()}. A kernel for groups must be right
 * for every {@code BLOCK}, 1 among them, and no thread may end before a barrier that others wait at.
 *
 * <p>OpenCL compiles it by itself. On CUDA NVIDIA's compiler NVRTC does, where the system has it: a library of CUDA's toolkit,
 * {@code libnvrtc.so.13}, {@code .12} or {@code .11.2} on Linux, or {@code -Dtenon.nvrtc=PATH}; without it give PTX.
 */
public final class CustomOp {
    private final CustomKernel kernel;
    private final Custom.ResultShape shape;
    private final Custom.ItemCount items;
    private final Backward backward;
    private final Custom.Saved saved;

    private CustomOp(Builder builder) {
        kernel = new CustomKernel(
                builder.name,
                builder.inputs,
                builder.parameters,
                builder.grid,
                new CustomKernel.Sources(builder.cpu, builder.shared, builder.openCl, builder.ptx));
        shape = builder.shape;
        items = builder.items;
        backward = builder.backward;
        saved = builder.saved;
    }

    /** How gradients go back: a method that gives each input that needs one its gradient. */
    @FunctionalInterface
    public interface Backward {
        /** Reads from {@code call}, computes with ops, gives to {@code call}. */
        <D extends Floating, Dev extends DeviceType> void run(BackwardCall<D, Dev> call);
    }

    /** What the backward of a call keeps until it runs. */
    public enum Keep {
        /** The inputs. */
        INPUTS,
        /** The result. */
        RESULT,
        /** Both. */
        BOTH
    }

    /** The beginnings of an op; the name is that of the kernel's function too. */
    public static Builder named(String name) {
        return new Builder(name);
    }

    /** The op with these parameters, in the order of their declaration. */
    public Call with(double... parameters) {
        return new Call(parameters.clone());
    }

    /** The op of these inputs, without parameters. */
    @SafeVarargs
    @SuppressWarnings("varargs")
    public final <D extends Floating, Dev extends DeviceType> Tensor<Any, D, Dev> apply(
            Tensor<?, D, Dev> first, Tensor<?, ?, Dev>... more) {
        return with().run(first, List.of(more));
    }

    /** The name. */
    @Override
    public String toString() {
        return kernel.name();
    }

    /** An op with its parameters. */
    public final class Call {
        private final double[] parameters;

        private Call(double[] parameters) {
            this.parameters = parameters;
        }

        /** Of these inputs. */
        @SafeVarargs
        @SuppressWarnings("varargs")
        public final <D extends Floating, Dev extends DeviceType> Tensor<Any, D, Dev> apply(
                Tensor<?, D, Dev> first, Tensor<?, ?, Dev>... more) {
            return run(first, List.of(more));
        }

        private <D extends Floating, Dev extends DeviceType> Tensor<Any, D, Dev> run(
                Tensor<?, D, Dev> first, List<Tensor<?, ?, Dev>> more) {
            Value[] inputs = new Value[1 + more.size()];
            inputs[0] = first.value();
            for (int i = 0; i < more.size(); i++) {
                inputs[1 + i] = more.get(i).value();
            }
            Node.Backward gradients = backward == null
                    ? null
                    : in -> {
                        BackwardCall<D, Dev> call = new BackwardCall<>(
                                kernel.name(), in, first.dtype(), first.device(), saved, inputs.length, parameters);
                        backward.run(call);
                        return call.results;
                    };
            return first.with(Custom.apply(kernel, shape, items, gradients, saved, parameters, inputs));
        }

        /** Of these inputs, for an op whose result has the shape of the first. */
        @SafeVarargs
        @SuppressWarnings("varargs")
        public final <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> like(
                Tensor<S, D, Dev> first, Tensor<?, ?, Dev>... more) {
            Tensor<Any, D, Dev> result = run(first, List.of(more));
            if (result.rank() != first.rank()) {
                throw new TensorArgumentException(
                        kernel.name(),
                        "the result has shape " + Arrays.toString(result.shape()) + ", the first input "
                                + Arrays.toString(first.shape()) + "; use apply");
            }
            return first.with(result.value());
        }
    }

    /**
     * A call whose gradients are wanted.
     *
     * @param <D> element type of the result
     * @param <Dev> device type
     */
    public static final class BackwardCall<D extends Floating, Dev extends DeviceType> {
        private final String op;
        private final Node.Incoming in;
        private final D dtype;
        private final Device<Dev> device;
        private final Custom.Saved saved;
        private final double[] parameters;
        private final Value[] results;

        private BackwardCall(
                String op,
                Node.Incoming in,
                D dtype,
                Device<Dev> device,
                Custom.Saved saved,
                int inputs,
                double[] parameters) {
            this.op = op;
            this.in = in;
            this.dtype = dtype;
            this.device = device;
            this.saved = saved;
            this.parameters = parameters;
            results = new Value[inputs];
        }

        /** The gradient of the result. */
        public Tensor<Any, D, Dev> gradient() {
            return new Tensor<>(in.gradient(), dtype, device);
        }

        /** Input {@code i} of the element type of the result; kept unless the op said otherwise. */
        public Tensor<Any, D, Dev> input(int i) {
            return input(i, dtype);
        }

        /** Input {@code i}, declared with this element type. */
        public <E extends DType> Tensor<Any, E, Dev> input(int i, E as) {
            if (saved == Custom.Saved.RESULT) {
                throw new TensorStateException(op, "its backward asks for an input, but the op keeps the result only");
            }
            Value value = in.saved(i);
            if (value.dtype() != as) {
                throw new TensorStateException(op, "input " + i + " is " + value.dtype() + ", not " + as);
            }
            return new Tensor<>(value, as, device);
        }

        /** The result, if the op keeps it. */
        public Tensor<Any, D, Dev> result() {
            if (saved == Custom.Saved.INPUTS) {
                throw new TensorStateException(
                        op, "its backward asks for the result, but the op keeps the inputs only");
            }
            return new Tensor<>(in.saved(saved == Custom.Saved.RESULT ? 0 : results.length), dtype, device);
        }

        /** Parameter {@code i} of the call. */
        public double parameter(int i) {
            return parameters[i];
        }

        /** Whether input {@code i} wants a gradient: another one's need not be computed. */
        public boolean needs(int i) {
            return in.needs(i);
        }

        /** The gradient of input {@code i}, of its shape. */
        public void give(int i, Tensor<?, D, Dev> gradient) {
            results[i] = gradient.value();
        }
    }

    /** An op in the making. */
    public static final class Builder {
        private final String name;
        private final List<CustomKernel.Input> inputs = new ArrayList<>();
        private final List<String> parameters = new ArrayList<>();
        private CustomKernel.Grid grid = CustomKernel.Grid.THREADS;
        private CustomKernel.CpuBody cpu;
        private String shared;
        private String openCl;
        private String ptx;
        private Custom.ResultShape shape = List::getFirst;
        private Custom.ItemCount items = (result, _) -> {
            long count = 1;
            for (long size : result) {
                count *= size;
            }
            return count;
        };
        private Backward backward;
        private Custom.Saved saved = Custom.Saved.INPUTS;

        private Builder(String name) {
            this.name = identifier("the op", name);
        }

        private String identifier(String what, String text) {
            boolean taken = text.equals("out")
                    || inputs.stream().anyMatch(input -> input.name().equals(text))
                    || parameters.contains(text);
            if (!text.matches("[A-Za-z][A-Za-z0-9_]*") || taken) {
                throw new TensorArgumentException(
                        "customOp",
                        what + " cannot have the name '" + text + "'; names are those of C, each once, and not out");
            }
            return text;
        }

        /** One more input, of the element type of the first. At most four. */
        public Builder input(String inputName) {
            return add(inputName, null);
        }

        /** One more input, of this element type; not the first. */
        public Builder input(String inputName, DType dtype) {
            if (inputs.isEmpty()) {
                throw new TensorArgumentException(
                        "customOp", "the first input gives the element type; declare it without");
            }
            return add(inputName, Objects.requireNonNull(dtype));
        }

        private Builder add(String inputName, DType dtype) {
            if (inputs.size() == CustomKernel.INPUTS) {
                throw new TensorArgumentException(
                        "customOp", name + " has more than " + CustomKernel.INPUTS + " inputs");
            }
            inputs.add(new CustomKernel.Input(identifier("an input of " + name, inputName), dtype));
            return this;
        }

        /** One more number that a call gives. At most eight. */
        public Builder parameter(String parameterName) {
            if (parameters.size() == CustomKernel.PARAMETERS) {
                throw new TensorArgumentException(
                        "customOp", name + " has more than " + CustomKernel.PARAMETERS + " parameters");
            }
            parameters.add(identifier("a parameter of " + name, parameterName));
            return this;
        }

        /** The kernel in Java, for the CPU: items {@code from} to {@code to} of a {@link CustomCall}. */
        public Builder cpu(CustomKernel.CpuBody body) {
            cpu = Objects.requireNonNull(body);
            return this;
        }

        /** The kernel in C, for every GPU. */
        public Builder kernel(String source) {
            shared = Objects.requireNonNull(source);
            return this;
        }

        /** The kernel in C for OpenCL alone, in place of the shared one. */
        public Builder openCl(String source) {
            openCl = Objects.requireNonNull(source);
            return this;
        }

        /** The kernel as PTX for CUDA, in place of the shared one; its arguments are as {@link CustomKernel} says. */
        public Builder ptx(String source) {
            ptx = Objects.requireNonNull(source);
            return this;
        }

        /** The sizes of the result, from those of the inputs. What it throws, the caller gets. */
        public Builder shape(Custom.ResultShape resultShape) {
            shape = Objects.requireNonNull(resultShape);
            return this;
        }

        /** A thread for each of so many items, in place of one for each element of the result. */
        public Builder threads(Custom.ItemCount count) {
            items = Objects.requireNonNull(count);
            grid = CustomKernel.Grid.THREADS;
            return this;
        }

        /** A group of {@code BLOCK} threads for each of so many items: rows that are summed, say. */
        public Builder groups(Custom.ItemCount count) {
            items = Objects.requireNonNull(count);
            grid = CustomKernel.Grid.GROUPS;
            return this;
        }

        /** How gradients go back, from the inputs: a reference to a generic method. */
        public Builder backward(Backward gradients) {
            return backward(Keep.INPUTS, gradients);
        }

        /** As above, from what is kept. */
        public Builder backward(Keep keep, Backward gradients) {
            backward = Objects.requireNonNull(gradients);
            saved = switch (keep) {
                case INPUTS -> Custom.Saved.INPUTS;
                case RESULT -> Custom.Saved.RESULT;
                case BOTH -> Custom.Saved.BOTH;
            };
            return this;
        }

        /** The op. */
        public CustomOp build() {
            if (inputs.isEmpty()) {
                throw new TensorArgumentException("customOp", name + " has no input; it has one at least");
            }
            if (cpu == null && shared == null && openCl == null && ptx == null) {
                throw new TensorArgumentException("customOp", name + " has no kernel; give one for a device at least");
            }
            return new CustomOp(this);
        }
    }
}
