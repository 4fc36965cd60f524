package org.tenon.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.tenon.contract.OpSpec.untyped;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.tenon.Any;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.contract.FuzzSteps.Held;
import org.tenon.contract.FuzzSteps.Made;
import org.tenon.junit.DeviceTest;
import org.tenon.support.Simulated;

/**
 * Random programs of ops, views, types and scopes, on every device. Each step is compared with the float64 reference applied
 * to what its inputs hold, so an error shows where it is made.
 *
 * <p>{@code -Dtenon.fuzz.programs=100000} runs more, {@code -Dtenon.fuzz.seed=42} starts elsewhere; a failure names the seed
 * of its program, which {@code -Dtenon.fuzz.programs=1} runs alone.
 */
@Tag("plain")
class FuzzTest {
    private static final int PROGRAMS = Integer.getInteger("tenon.fuzz.programs", 3_000);
    private static final long FIRST = Long.getLong("tenon.fuzz.seed", 1);
    private static final int STEPS = 10;
    private static final List<DType> TYPES =
            List.of(DType.F32, DType.F16, DType.BF16, DType.I32, DType.I64, DType.BOOL, DType.F64);

    @DeviceTest
    void randomPrograms(Device<?> device) {
        long steps = 0;
        // A simulated GPU takes its time, and an OpenCL driver compiles most of the kernels that a program comes to.
        boolean slow = Simulated.is(device) || device.name().startsWith("opencl");
        int programs = slow ? (PROGRAMS + 4) / 5 : PROGRAMS;
        for (long seed = FIRST; seed < FIRST + programs; seed++) {
            Program program = new Program(untyped(device), seed);
            long before = device.memory().liveBuffers();
            try {
                Scope.run(() -> program.run(STEPS));
                assertThat(device.memory().liveBuffers()).as("live buffers").isEqualTo(before);
            } catch (Throwable failure) {
                throw new AssertionError(
                        "program " + seed + " on " + device + " failed; -Dtenon.fuzz.seed=" + seed
                                + " -Dtenon.fuzz.programs=1 runs it alone:\n" + program.text + failure,
                        failure);
            }
            steps += program.steps;
        }
        System.out.printf("fuzz: %s: %,d programs from seed %d, %,d steps%n", device, programs, FIRST, steps);
    }

    private static final class Program {
        private final Device<Cpu> device;
        private final Random random;
        private final List<Held> pool = new ArrayList<>();
        private final StringBuilder text = new StringBuilder();
        private int steps;

        Program(Device<Cpu> device, long seed) {
            this.device = device;
            random = new Random(seed * 0x9E3779B97F4A7C15L);
        }

        void run(int count) {
            for (int i = random.nextInt(3); i >= 0; i--) {
                make();
            }
            for (int i = 0; i < count; i++) {
                switch (random.nextInt(12)) {
                    case 0 -> make();
                    case 1 -> inAScope();
                    case 2 -> close();
                    default -> step();
                }
            }
        }

        private void make() {
            DType dtype = TYPES.get(random.nextInt(device.supports(DType.F64) ? 7 : 6));
            long[] shape = new long[random.nextInt(5)];
            Arrays.setAll(
                    shape, i -> random.nextInt(20) == 0 ? 0 : 1 + random.nextInt(random.nextInt(4) == 0 ? 40 : 6));
            while (Arr.count(shape) > 3000) {
                shape[random.nextInt(shape.length)] = 1;
            }
            Arr values = Arr.any(dtype, random.nextInt(1_000_000), shape);
            text.append("  make ").append(dtype).append(Arrays.toString(shape)).append('\n');
            pool.add(new Held(untyped(device.tensor(values.bytes(), Any.of(shape), dtype)), values));
        }

        private void step() {
            if (pool.isEmpty()) {
                return;
            }
            Held x = pool.get(random.nextInt(pool.size()));
            FuzzSteps.Step step = FuzzSteps.ALL.get(random.nextInt(FuzzSteps.ALL.size()));
            Held result = Scope.callWith(scope -> {
                Held taken = taken(x, step);
                if (taken != null) {
                    scope.keep(taken.tensor());
                }
                return taken;
            });
            if (result != null) {
                pool.add(result);
            }
        }

        /** The step in a scope of its own, which frees what it made on the way. */
        private Held taken(Held x, FuzzSteps.Step step) {
            text.append("  of ")
                    .append(x.values().dtype())
                    .append(Arrays.toString(x.values().shape()));
            Made made = step.take(x, pool, random);
            if (made == null) {
                text.append(": does not fit\n");
                return null;
            }
            steps++;
            text.append(": ").append(made.text()).append('\n');
            Arr got = ContractTest.read(made.result());
            assertThat(got.dtype()).as("dtype").isEqualTo(made.expected().dtype());
            assertThat(got.shape()).as("shape").isEqualTo(made.expected().shape());
            ContractTest.compare(got, made.expected(), made.tolerance());
            return new Held(untyped(made.result()), got);
        }

        private void inAScope() {
            int outside = pool.size();
            Scope.run(() -> {
                text.append("  {\n");
                for (int i = 0; i < 3; i++) {
                    step();
                }
            });
            pool.subList(outside, pool.size()).clear();
            text.append("  }\n");
        }

        private void close() {
            if (pool.size() > 1) {
                text.append("  close\n");
                Tensor<?, ?, ?> gone = pool.remove(random.nextInt(pool.size())).tensor();
                pool.removeIf(other -> other.tensor() == gone);
                gone.close();
            }
        }
    }
}
