package org.tenon.contract;

import static org.tenon.contract.OpSpec.untyped;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.tenon.Any;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.F64;
import org.tenon.Generator;
import org.tenon.I64;
import org.tenon.OutOfDeviceMemoryException;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.nn.Linear;
import org.tenon.optim.AdamW;
import org.tenon.spi.Allocator;
import org.tenon.spi.Buffer;
import org.tenon.spi.MemoryStats;

/**
 * What {@link PressureTest} runs in a JVM of its own on a device of little memory, {@code DEVICE EVERY}: a sample of each op
 * (of every so-manieth op), its gradient where it has one, and steps of a training, with all memory taken but 0 bytes, but
 * 512, and so on until there is enough.
 */
final class Pressure {
    private static final long STEP = 512;
    /** Up to here each step, beyond by a twelfth more at a time, which is less than a class of sizes. */
    private static final long FINE = 12 << 10;

    private final Device<Cpu> device;
    private final Allocator allocator;
    private final List<Buffer> ballast = new ArrayList<>();
    private int ops;
    private int gradients;
    private int large;
    private long levels;
    private long refused;
    private int wrong;

    private Pressure(Device<Cpu> device) {
        this.device = device;
        allocator = device.backend().allocator();
    }

    public static void main(String[] arguments) {
        Pressure pressure = new Pressure(untyped(Devices.get(arguments[0])));
        int every = Integer.parseInt(arguments[1]);
        List<OpSpec> specs = Specs.all();
        String kind = arguments[0].replaceAll(":.*", "");
        for (int i = 0; i < specs.size(); i += every) {
            if (specs.get(i).runsOn(kind)) {
                pressure.op(specs.get(i));
            }
        }
        System.out.printf(
                "pressure: %s: %d ops and %d gradients at %,d levels, %,d of them refused; %d take too much for this%n",
                arguments[0], pressure.ops, pressure.gradients, pressure.levels, pressure.refused, pressure.large);
        pressure.training();
        System.out.println("wrong " + pressure.wrong);
    }

    private void op(OpSpec spec) {
        spec.samples.stream()
                .filter(sample -> sample.inputs().stream().allMatch(input -> device.supports(input.dtype())))
                .filter(sample -> sample.ref().apply(sample.inputs()).count() > 0)
                .min(Comparator.comparingInt(Pressure::size))
                .ifPresent(sample -> {
                    ops++;
                    Scope.run(() -> {
                        OpSpec.In in = new OpSpec.In(device, uploaded(sample.inputs()));
                        Arr reference = sample.ref().apply(sample.inputs());
                        climb(spec.name + " " + sample.name(), () -> {
                            Arr got = ContractTest.read(sample.op().apply(in));
                            ContractTest.compare(got, reference, sample.tolerance());
                            return null;
                        });
                    });
                });
        if (device.supports(DType.F64) && !spec.smooth.isEmpty()) {
            gradients++;
            gradient(spec.name, spec.smooth.getFirst());
        }
    }

    private static int size(OpSpec.Sample sample) {
        return sample.inputs().stream().mapToInt(Arr::count).sum();
    }

    private List<Tensor<Any, F64, Cpu>> uploaded(List<Arr> inputs) {
        return inputs.stream()
                .map(input -> ContractTest.Layout.upload(device, input))
                .toList();
    }

    /** The gradients with little memory are, bit for bit, those with much. */
    private void gradient(String name, OpSpec.Smooth smooth) {
        Scope.run(() -> {
            List<Tensor<Any, F64, Cpu>> inputs = uploaded(smooth.inputs());
            for (int i : smooth.wanted()) {
                inputs.get(i).requireGrad();
            }
            Supplier<List<Arr>> backward = () -> {
                var y = untyped(smooth.op().apply(new OpSpec.In(device, inputs)));
                var slopes = y.backward(
                        untyped(device.full(Any.of(y.shape()), 0.5, y.value().dtype())));
                return Arrays.stream(smooth.wanted())
                        .mapToObj(i -> ContractTest.read(slopes.get(inputs.get(i))))
                        .toList();
            };
            List<Arr> wanted = Scope.call(backward::get);
            climb(name + " gradient " + smooth.name(), () -> {
                List<Arr> got = backward.get();
                for (int i = 0; i < got.size(); i++) {
                    ContractTest.compare(got.get(i), wanted.get(i), OpSpec.EXACT);
                }
                return null;
            });
        });
    }

    /** Takes all memory but so much. */
    private void leave(long bytes) {
        allocator.trim();
        MemoryStats now = allocator.stats();
        long rest = now.limitBytes() - now.liveBytes() - bytes;
        while (rest >= STEP) {
            Buffer taken = allocator.allocate(Long.highestOneBit(rest));
            ballast.add(taken);
            rest -= taken.capacity();
        }
    }

    private void giveBack() {
        ballast.forEach(allocator::free);
        ballast.clear();
    }

    /** With more and more memory, until it works; and after each refusal at once when there is enough. */
    private void climb(String what, Callable<Void> body) {
        MemoryStats start = allocator.stats();
        long most = start.limitBytes() - start.liveBytes();
        boolean done = false;
        for (long level = 0;
                !done && level < most;
                level += Math.max(STEP, level < FINE ? 0 : level / 12 / STEP * STEP)) {
            leave(level);
            levels++;
            done = attempt(what, level, body);
            giveBack();
            MemoryStats after = allocator.stats();
            expect(
                    after.liveBytes() == start.liveBytes() && after.liveBuffers() == start.liveBuffers(),
                    what + " at " + level + ": live " + after + ", before " + start);
            if (!done) {
                refused++;
            }
        }
        if (done) {
            allocator.trim();
            expect(attempt(what, most, body), what + " does not work with all memory");
        } else {
            large++;
        }
    }

    private boolean attempt(String what, long level, Callable<Void> body) {
        try {
            Scope.call(body::call);
            return true;
        } catch (OutOfDeviceMemoryException e) {
            expect(
                    e.requestedBytes() >= 0
                            && e.device().equals(device.name())
                            && e.getMessage()
                                    .matches(device.name()
                                            + ": out of memory asking .+ \\(live .+ in \\d+ buffers, cached"
                                            + " .+, device .+\\); close tensors, or ask for less"),
                    what + " at " + level + ": " + e.getMessage());
            return false;
        } catch (Exception | Error e) {
            expect(false, what + " at " + level + ": " + e);
            return false;
        }
    }

    private void expect(boolean holds, String text) {
        if (!holds) {
            wrong++;
            System.out.println("WRONG " + text);
        }
    }

    /** What a step must not change when it does not happen. */
    private record State(List<float[]> tensors, Object numbers) {
        boolean same(State other) {
            return Objects.equals(numbers, other.numbers)
                    && Arrays.deepEquals(tensors.toArray(), other.tensors.toArray());
        }
    }

    private static final class Run<Dev extends DeviceType> {
        private final Device<Dev> device;
        private final Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> model;
        private final AdamW<F32, Dev> optimizer;
        private final Tensor<R2<Dim, Dim>, F32, Dev> x;
        private final Tensor<R1<Dim>, I64, Dev> targets;

        Run(Device<Dev> device) {
            this.device = device;
            model = Linear.of(device, DType.F32, 40, 30, new Generator(1));
            optimizer = new AdamW<>(model.parameters(), 0.1);
            x = device.randn(R2.of(20, 40), DType.F32, new Generator(2));
            targets = device.randint(R1.of(20), 0, 30, DType.I64, new Generator(3));
        }

        double step() {
            var loss = F.crossEntropy(F.tanh(model.forward(x)), targets);
            double value = loss.item();
            optimizer.step(loss.backward().clipNorm(1));
            device.synchronize();
            return value;
        }

        State state() {
            List<float[]> tensors = new ArrayList<>();
            model.parameters().forEach(each -> tensors.add(each.toFloatArray()));
            optimizer
                    .state()
                    .tensors()
                    .values()
                    .forEach(each -> tensors.add(each.to(DType.F32).toFloatArray()));
            return new State(tensors, optimizer.state().numbers());
        }
    }

    /** A step that finds no memory changes nothing; one that does is that of a training with much. */
    private void training() {
        long before = levels;
        Scope.run(() -> {
            Run<Cpu> wanted = new Run<>(device);
            Run<Cpu> run = new Run<>(device);
            for (int i = 0; i < 3; i++) {
                double loss = Scope.call(wanted::step);
                State next = Scope.call(wanted::state);
                State last = Scope.call(run::state);
                climbOnce("training step " + i, last, run, loss);
                expect(next.same(Scope.call(run::state)), "training step " + i + ": another state");
            }
        });
        System.out.printf("pressure: %s: 3 steps of training at %,d levels%n", device.name(), levels - before);
    }

    private void climbOnce(String what, State last, Run<Cpu> run, double loss) {
        MemoryStats start = allocator.stats();
        for (long level = 0; ; level += STEP) {
            leave(level);
            levels++;
            boolean done = attempt(what, level, () -> {
                double got = run.step();
                expect(got == loss, what + ": the loss is " + got + ", not " + loss);
                return null;
            });
            giveBack();
            expect(allocator.stats().liveBytes() == start.liveBytes(), what + " at " + level + " leaves memory live");
            if (done) {
                return;
            }
            expect(last.same(Scope.call(run::state)), what + " at " + level + " changed something");
        }
    }
}
