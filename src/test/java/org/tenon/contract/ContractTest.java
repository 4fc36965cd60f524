package org.tenon.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assertions.fail;
import static org.tenon.contract.OpSpec.untyped;

import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;
import org.opentest4j.TestAbortedException;
import org.tenon.Any;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.Devices;
import org.tenon.F;
import org.tenon.F64;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.TensorStateException;
import org.tenon.examples.Swish;
import org.tenon.junit.TestDevices;
import org.tenon.nn.Module;
import org.tenon.spi.Allocator;
import org.tenon.spi.Buffer;
import org.tenon.spi.Collected;
import org.tenon.spi.RawMemory;

/**
 * What every device must do: each op, on each dtype, sample and memory layout, against a float64 reference; gradients
 * against finite differences; refusals and their texts; and no buffer left over.
 *
 * <p>{@code -Dtenon.test.case=text} runs the cases whose name holds that text, {@code a|b} those that hold one of two;
 * see {@link TestDevices} for the properties that choose devices.
 */
@Tag("plain")
class ContractTest {
    private static final String[] FILTERS =
            System.getProperty("tenon.test.case", "").split("[|]", -1);
    /** What is wrong and, after a semicolon or as a range, what would be right. */
    private static final String SAYS_WHAT_IS_RIGHT = ".+(; |is outside [\\[(]).+";

    private static final int LARGE = 20_000;

    private static final Map<String, int[]> COUNTS = new LinkedHashMap<>();
    private static final Map<String, String> REASONS = new LinkedHashMap<>();

    private final List<OpSpec> specs = Specs.all();

    @BeforeAll
    static void printDevices() {
        Collected.collect();
        Devices.report().forEach(line -> System.out.println("contract: device " + line));
    }

    @AfterAll
    static void printCounts() {
        COUNTS.forEach((device, counts) -> {
            String reason = REASONS.containsKey(device) ? " (" + REASONS.get(device) + ")" : "";
            System.out.printf(
                    "contract: %s: %d cases passed, %d failed, %d skipped%s%n",
                    device, counts[0], counts[1], counts[2], reason);
        });
    }

    @TestFactory
    Stream<DynamicTest> everyDevice() {
        List<DynamicTest> tests = new ArrayList<>();
        for (Device<?> device : TestDevices.all()) {
            addCases(tests, untyped(device));
        }
        TestDevices.absent()
                .forEach((name, reason) -> tests.add(counted(name, name + " is absent", () -> absent(name, reason))));
        Set<String> names = new TreeSet<>();
        List<String> repeated = tests.stream()
                .map(DynamicTest::getDisplayName)
                .filter(name -> !names.add(name))
                .toList();
        assertThat(repeated).as("case names that are not unique").isEmpty();
        return tests.stream().filter(test -> Arrays.stream(FILTERS).anyMatch(test.getDisplayName()::contains));
    }

    private static String kind(String device) {
        return device.contains(":") ? device.substring(0, device.indexOf(':')) : device;
    }

    private static void absent(String name, String reason) {
        REASONS.put(name, reason);
        if (TestDevices.isRequired(name)) {
            fail(name + " is required by tenon.test.require, but " + reason);
        }
        Assumptions.abort(reason);
    }

    private void addCases(List<DynamicTest> tests, Device<Cpu> device) {
        for (OpSpec spec : specs) {
            if (!spec.runsOn(kind(device.name()))) {
                String name = device.name() + " " + spec.name;
                tests.add(counted(device.name(), name, () -> {
                    REASONS.put(device.name(), spec.elsewhere);
                    Assumptions.abort(spec.elsewhere);
                }));
                continue;
            }
            for (OpSpec.Sample sample : spec.samples) {
                if (!sample.inputs().stream().allMatch(input -> device.supports(input.dtype()))) {
                    continue;
                }
                for (Layout layout : layouts(kind(device.name()), sample.inputs())) {
                    String name = String.join(" ", device.name(), spec.name, sample.name(), layout.label());
                    tests.add(counted(
                            device.name(), name, () -> balanced(device, () -> check(device, spec, sample, layout))));
                }
            }
            for (OpSpec.Smooth smooth : device.supports(DType.F64) ? spec.smooth : List.<OpSpec.Smooth>of()) {
                String name = String.join(" ", device.name(), spec.name, smooth.name());
                GradientCheck gradients = new GradientCheck(device, smooth);
                for (Layout layout : List.of(Layout.DENSE, Layout.TRANSPOSED, Layout.STRIDED)) {
                    tests.add(counted(
                            device.name(),
                            name + " gradient " + layout.label(),
                            () -> balanced(device, () -> gradients.check(layout))));
                }
                for (Layout layout : List.of(Layout.DENSE, Layout.STRIDED)) {
                    tests.add(counted(
                            device.name(),
                            name + " gradient of gradient " + layout.label(),
                            () -> balanced(device, () -> gradients.checkTwice(layout))));
                }
            }
            for (OpSpec.Bad bad : spec.bad) {
                String name = String.join(" ", device.name(), spec.name, "refuses", bad.name());
                tests.add(counted(device.name(), name, () -> balanced(device, () -> refused(device, bad))));
            }
        }
    }

    /**
     * An OpenCL driver compiles each kernel for each type anew, up to a second each. How elements are found does not depend on the type, and
     * float16 is a half type too: of bfloat16 there only what is dense is looked at.
     */
    private static List<Layout> layouts(String device, List<Arr> inputs) {
        if (inputs.isEmpty()) {
            return List.of(Layout.DENSE);
        }
        int most = inputs.stream().mapToInt(Arr::count).max().orElse(0);
        boolean known = device.equals("opencl") && inputs.stream().anyMatch(input -> input.dtype() == DType.BF16);
        return most > LARGE || known ? List.of(Layout.DENSE, Layout.OFFSET) : List.of(Layout.values());
    }

    private static DynamicTest counted(String device, String name, Executable body) {
        return DynamicTest.dynamicTest(name, () -> {
            int[] counts = COUNTS.computeIfAbsent(device, key -> new int[3]);
            try {
                body.execute();
                counts[0]++;
            } catch (TestAbortedException aborted) {
                counts[2]++;
                throw aborted;
            } catch (Throwable failure) {
                counts[1]++;
                System.out.println("contract: FAILED " + name + ": "
                        + String.valueOf(failure).strip());
                throw failure;
            }
        });
    }

    /** Afterwards there is no live buffer. */
    private static void balanced(Device<Cpu> device, Runnable body) {
        Scope.run(body);
        assertThat(device.memory().liveBuffers()).as("live buffers").isZero();
    }

    private static void check(Device<Cpu> device, OpSpec spec, OpSpec.Sample sample, Layout layout) {
        List<Tensor<Any, F64, Cpu>> inputs = sample.inputs().stream()
                .map(input -> layout.make(device, input))
                .toList();
        Tensor<?, ?, ?> first = sample.op().apply(new OpSpec.In(device, inputs));
        Tensor<?, ?, ?> second = sample.op().apply(new OpSpec.In(device, inputs));
        Arr wanted = sample.ref().apply(sample.inputs());
        Arr got = read(first);
        assertThat(got.dtype()).as("dtype").isEqualTo(wanted.dtype());
        assertThat(first.shape()).as("shape").isEqualTo(wanted.shape());
        if (!spec.view) {
            assertThat(first.isContiguous()).as("the result is row-major").isTrue();
        }
        assertThat(raw(first).mismatch(raw(second)))
                .as("the first byte in which two runs differ")
                .isEqualTo(-1);
        compare(got, wanted, sample.tolerance());
        for (int i = 0; i < inputs.size(); i++) {
            compare(read(inputs.get(i)), sample.inputs().get(i), OpSpec.EXACT);
        }
    }

    private static MemorySegment raw(Tensor<?, ?, ?> x) {
        DType dtype = ((Tensor<?, ? extends DType, ?>) x).value().dtype();
        MemorySegment bytes = MemorySegment.ofArray(new byte[Math.toIntExact(x.numel() * dtype.bytes())]);
        x.copyTo(bytes);
        return bytes;
    }

    static Arr read(Tensor<?, ?, ?> x) {
        return Arr.fromBytes(x.value().dtype(), x.shape(), raw(x));
    }

    static void compare(Arr got, Arr wanted, double asked) {
        double tolerance = asked == OpSpec.DEFAULT ? OpSpec.tolerance(wanted.dtype()) : asked;
        assertThat(got.count()).as("elements").isEqualTo(wanted.count());
        int bad = 0;
        String first = "";
        double worst = 0;
        for (int i = 0; i < got.count(); i++) {
            boolean same = got.f() == null ? got.n()[i] == wanted.n()[i] : close(got.f()[i], wanted.f()[i], tolerance);
            if (!same) {
                worst = Math.max(worst, Math.abs(got.at(i) - wanted.at(i)) / Math.max(1, Math.abs(wanted.at(i))));
                if (bad++ == 0) {
                    first = "at " + Arrays.toString(Reference.position(wanted.shape(), i)) + " of "
                            + Arrays.toString(wanted.shape()) + " got "
                            + (got.f() == null ? "" + got.n()[i] : "" + got.f()[i]) + ", expected "
                            + (got.f() == null ? "" + wanted.n()[i] : "" + wanted.f()[i]);
                }
            }
        }
        if (bad > 0) {
            fail("%s; %d of %d differ, worst error %.3g, allowed %.3g (%s)"
                    .formatted(first, bad, got.count(), worst, tolerance, wanted.dtype()));
        }
    }

    private static boolean close(double got, double wanted, double tolerance) {
        if (Double.isNaN(wanted) || Double.isInfinite(wanted) || Double.isNaN(got) || Double.isInfinite(got)) {
            return Double.isNaN(wanted) ? Double.isNaN(got) : got == wanted;
        }
        return Math.abs(got - wanted) <= tolerance * Math.max(1, Math.abs(wanted));
    }

    private static void refused(Device<Cpu> device, OpSpec.Bad bad) {
        Throwable thrown = catchThrowable(() -> {
            Object result = bad.call().apply(device);
            if (result instanceof Tensor<?, ?, ?> tensor) {
                read(tensor);
            }
        });
        assertThat(thrown)
                .isInstanceOfAny(TensorArgumentException.class, TensorStateException.class)
                .hasMessageContaining(bad.fragment())
                .hasMessageMatching(SAYS_WHAT_IS_RIGHT);
        assertThat(device.ones(Any.of(3)).sum().item())
                .as("the device works afterwards")
                .isEqualTo(3);
    }

    // ---- layouts

    /** How the elements of an input lie in memory. */
    enum Layout {
        DENSE,
        TRANSPOSED,
        STRIDED,
        OFFSET;

        String label() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }

        Tensor<Any, F64, Cpu> make(Device<Cpu> device, Arr x) {
            return switch (this) {
                case DENSE -> upload(device, x);
                case TRANSPOSED -> transposed(device, x);
                case STRIDED -> strided(device, x);
                case OFFSET -> offset(device, x);
            };
        }

        static Tensor<Any, F64, Cpu> upload(Device<Cpu> device, Arr x) {
            return untyped(device.tensor(x.bytes(), Any.of(x.shape()), x.dtype()));
        }

        private static Tensor<Any, F64, Cpu> transposed(Device<Cpu> device, Arr x) {
            int rank = x.shape().length;
            int[] reversed = new int[rank];
            Arrays.setAll(reversed, i -> rank - 1 - i);
            return upload(device, Reference.permute(x, reversed)).permute(reversed);
        }

        /** Every second element of a larger array, whose others would spoil any result. */
        private static Tensor<Any, F64, Cpu> strided(Device<Cpu> device, Arr x) {
            int rank = x.shape().length;
            long[] larger = Arrays.stream(x.shape()).map(size -> 2 * size + 3).toArray();
            int count = Arr.count(larger);
            double[] f = x.f() == null ? null : new double[count];
            long[] n = x.n() == null ? null : new long[count];
            if (f != null) {
                Arrays.fill(f, Double.NaN);
            } else {
                Arrays.fill(n, x.dtype() == DType.BOOL ? 1 : 1_000_003);
            }
            for (int i = 0; i < x.count(); i++) {
                int[] at = Reference.position(x.shape(), i);
                for (int k = 0; k < rank; k++) {
                    at[k] = 2 * at[k] + 1;
                }
                int to = Reference.flat(larger, at);
                if (f != null) {
                    f[to] = x.f()[i];
                } else {
                    n[to] = x.n()[i];
                }
            }
            Tensor<Any, F64, Cpu> view = upload(device, new Arr(x.dtype(), larger, f, n));
            for (int k = 0; k < rank; k++) {
                view = view.slice(k, 1, 1 + 2 * x.shape()[k], 2);
            }
            return view;
        }

        /** Three elements into a longer run, so that nothing is aligned. */
        private static Tensor<Any, F64, Cpu> offset(Device<Cpu> device, Arr x) {
            int count = x.count();
            Arr run = Arr.any(x.dtype(), 99, count + 5);
            if (x.f() != null) {
                System.arraycopy(x.f(), 0, run.f(), 3, count);
            } else {
                System.arraycopy(x.n(), 0, run.n(), 3, count);
            }
            return upload(device, run).narrow(0, 3, count).view(Any.of(x.shape()));
        }
    }

    // ---- completeness

    /** What is no op: it says what a tensor or device is, ends it, or is the graph's, and is tested elsewhere. */
    private static final Set<String> NO_OPS = Set.of(
            "Device.capture(Supplier)",
            "Device.backend()",
            "Device.description()",
            "Device.equals(Object)",
            "Device.hashCode()",
            "Device.memory()",
            "Device.name()",
            "Device.supports(DType)",
            "Device.synchronize()",
            "Device.toString()",
            "Device.trimMemory()",
            "Tensor.backward()",
            "Tensor.backward(KeepGraph)",
            "Tensor.backward(Tensor)",
            "Tensor.backward(Tensor,KeepGraph)",
            "Tensor.close()",
            "Tensor.copyTo(MemorySegment)",
            "Tensor.device()",
            "Tensor.dtype()",
            "Tensor.isContiguous()",
            "Tensor.numel()",
            "Tensor.rank()",
            "Tensor.requireGrad()",
            "Tensor.requiresGrad()",
            "Tensor.shape()",
            "Tensor.stride()",
            "Tensor.toString()",
            "Tensor.value()",
            "Tensor.with(Value)",
            "Tensor.with(Value,DType)");

    @Test
    void everyMethodHasASpec() {
        Set<String> specified = specs.stream().map(spec -> spec.name).collect(Collectors.toSet());
        Set<String> missing = new TreeSet<>();
        Set<String> methods = new TreeSet<>();
        for (Class<?> type : List.of(F.class, Tensor.class, Device.class, Swish.class)) {
            for (Method method : type.getDeclaredMethods()) {
                if (Modifier.isPublic(method.getModifiers()) && !method.isSynthetic()) {
                    methods.add(signature(method));
                }
            }
        }
        methods.stream()
                .filter(method -> !specified.contains(method) && !NO_OPS.contains(method))
                .forEach(missing::add);
        assertThat(missing).as("methods without a spec").isEmpty();
        assertThat(methods).as("what is listed as no op exists").containsAll(NO_OPS);
        assertThat(methods.size()).as("methods seen").isGreaterThan(200);
        assertThat(specified.stream()
                        .map(name -> name.split(" ")[0])
                        .filter(name -> !methods.contains(name) && !isLayer(name)))
                .as("specs of methods that do not exist")
                .isEmpty();
    }

    /** Layers have specs too, of the names of their classes: {@code nn.GRU}. */
    private static boolean isLayer(String name) {
        try {
            return name.startsWith("nn.") && Module.class.isAssignableFrom(Class.forName("org.tenon." + name));
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    private static String signature(Method method) {
        return method.getDeclaringClass().getSimpleName() + "." + method.getName() + "("
                + Arrays.stream(method.getParameterTypes())
                        .map(Class::getSimpleName)
                        .collect(Collectors.joining(","))
                + ")";
    }

    /** A write past the end of a buffer, which only a kernel could do by mistake, is found when the buffer is freed. */
    @Test
    void checkedMemoryFindsAnOverrun() {
        Assumptions.assumeTrue("checked".equals(System.getProperty("tenon.memory")), "run with -Dtenon.memory=checked");
        Allocator allocator = new Allocator("test", new RawMemory() {
            @Override
            public Buffer create(long capacity) {
                return new Bytes(capacity);
            }

            @Override
            public long limit() {
                return 1 << 20;
            }
        });
        Bytes whole = (Bytes) allocator.allocate(12);
        assertThat(whole.bytes[(int) whole.base()]).as("new memory is NaN").isEqualTo((byte) 0xFF);
        allocator.free(whole);
        for (long at : new long[] {-1, 12}) {
            Bytes buffer = (Bytes) allocator.allocate(12);
            buffer.fillBytes(buffer.base() + at, 1, (byte) 1);
            assertThat(catchThrowable(() -> allocator.free(buffer)))
                    .isInstanceOf(TensorStateException.class)
                    .hasMessageContaining("wrote outside a buffer of 12 bytes");
        }
        assertThat(allocator.stats().liveBuffers()).isZero();
    }

    /** Memory that a test may overrun. */
    private static final class Bytes extends Buffer {
        private final byte[] bytes;

        Bytes(long capacity) {
            super(capacity);
            bytes = new byte[Math.toIntExact(capacity)];
        }

        @Override
        protected void release() {}

        @Override
        protected void fillBytes(long from, long length, byte value) {
            Arrays.fill(bytes, (int) from, (int) (from + length), value);
        }

        @Override
        protected boolean allBytes(long from, long length, byte value) {
            for (long i = from; i < from + length; i++) {
                if (bytes[(int) i] != value) {
                    return false;
                }
            }
            return true;
        }
    }

    @Test
    void referenceRoundsHalvesOnce() {
        Random random = new Random(3);
        for (int i = 0; i < 10_000; i++) {
            double v = random.nextGaussian() * Math.pow(2, random.nextInt(-20, 14));
            double rounded = Arr.round(DType.F16, v);
            short bits = Float.floatToFloat16((float) rounded);
            double up = Float.float16ToFloat((short) (bits + 1));
            double down = Float.float16ToFloat((short) (bits - 1));
            assertThat(Math.abs(rounded - v)).isLessThanOrEqualTo(Math.abs(up - v));
            if (rounded != 0) {
                assertThat(Math.abs(rounded - v)).isLessThanOrEqualTo(Math.abs(down - v));
            }
        }
    }
}
