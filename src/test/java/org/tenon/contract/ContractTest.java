package org.tenon.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.tenon.Any;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.F32;
import org.tenon.Floating;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.spi.Collected;

/**
 * What every device owes: each op on each element type, sample and layout against a reference in float64, twice with the
 * same bits, with inputs untouched and no memory left behind. {@code -Dtenon.test.case=TEXT} runs the cases whose names hold
 * the text; {@code -Dtenon.test.require=cuda,opencl} makes the absence of a device a failure.
 */
@Tag("plain")
class ContractTest {
    private static final Map<String, int[]> COUNTS = new TreeMap<>();

    /** Where the numbers of an input lie. */
    enum Place {
        DENSE,
        TRANSPOSED,
        EVERY_SECOND,
        OFFSET
    }

    @BeforeAll
    static void table() {
        System.out.println("devices:");
        Devices.report().forEach(line -> System.out.println("  " + line));
        for (int i = 0; i < 50 && Collected.watched() > 0; i++) {
            Collected.collect();
        }
        assertThat(Collected.watched())
                .as("tensors that earlier tests left to the collector")
                .isZero();
    }

    @AfterAll
    static void counts() {
        COUNTS.forEach((device, count) ->
                System.out.printf("contract: %s: %d cases passed, %d failed%n", device, count[0], count[1]));
        absent().forEach(line -> System.out.println("contract: skipped: " + line));
    }

    private static List<String> absent() {
        List<String> present = Devices.all().stream().map(Device::name).toList();
        return Devices.report().stream()
                .filter(line -> present.stream().noneMatch(name -> line.startsWith(name + ": ")))
                .toList();
    }

    @TestFactory
    Stream<DynamicTest> absentDevices() {
        List<String> required =
                List.of(System.getProperty("tenon.test.require", "").split(","));
        return absent().stream()
                .map(line -> DynamicTest.dynamicTest(line, () -> {
                    if (required.contains(line.substring(0, line.indexOf(':')))) {
                        fail("required, but " + line);
                    }
                    abort(line);
                }));
    }

    static List<OpSpec> specs() {
        List<OpSpec> all = new ArrayList<>(ElementwiseSpecs.all());
        all.addAll(ShapeSpecs.all());
        return all;
    }

    @TestFactory
    Stream<DynamicTest> everyCase() {
        String wanted = System.getProperty("tenon.test.case", "");
        return Devices.all().stream()
                .flatMap(device -> specs().stream().flatMap(spec -> cases(device, spec)))
                .filter(test -> test.getDisplayName().contains(wanted));
    }

    private static Stream<DynamicTest> cases(Device<?> device, OpSpec spec) {
        List<DynamicTest> tests = new ArrayList<>();
        for (DType dtype : spec.dtypes()) {
            if (!device.supports(dtype)) {
                continue;
            }
            for (int i = 0; i < spec.samples().size(); i++) {
                List<Array> sample = spec.samples().get(i);
                if (!(dtype instanceof Floating) && sample.stream().anyMatch(ContractTest::hasEdges)) {
                    continue;
                }
                for (Place place : Place.values()) {
                    String name = device + " " + spec.name() + " " + dtype + " "
                            + sample.stream().map(Array::toString).toList() + " #" + i + " " + place;
                    tests.add(DynamicTest.dynamicTest(name, () -> counted(name, device, spec, dtype, sample, place)));
                }
            }
        }
        return tests.stream();
    }

    private static void counted(
            String name, Device<?> device, OpSpec spec, DType dtype, List<Array> sample, Place place) {
        int[] count = COUNTS.computeIfAbsent(device.name(), each -> new int[2]);
        long before = device.memory().liveBuffers();
        try {
            Scope.run(() -> run(device, spec, dtype, sample, place));
            assertThat(device.memory().liveBuffers()).as("live buffers").isEqualTo(before);
            count[0]++;
        } catch (Throwable failure) {
            count[1]++;
            throw new AssertionError(name + ": " + failure.getMessage(), failure);
        }
    }

    /** Phantom types are erased: a tensor of any element type and device may stand in for one of float32 on the CPU. */
    @SuppressWarnings("unchecked")
    private static Tensor<Any, F32, Cpu> erased(Tensor<Any, ?, ?> x) {
        return (Tensor<Any, F32, Cpu>) x;
    }

    private static void run(Device<?> device, OpSpec spec, DType dtype, List<Array> sample, Place place) {
        List<Array> rounded = new ArrayList<>();
        List<Tensor<Any, F32, Cpu>> inputs = new ArrayList<>();
        for (Array each : sample) {
            Tensor<Any, ?, ?> dense = dense(device, dtype, each);
            rounded.add(new Array(dense.toDoubleArray(), each.sizes()));
            inputs.add(erased(placed(dense, place)));
        }
        Tensor<?, ?, ?> result = spec.op().apply(inputs);
        Tensor<?, ?, ?> again = spec.op().apply(inputs);
        Array expected = spec.reference().apply(rounded);
        DType type = spec.result() == null ? dtype : spec.result();
        assertThat(result.value().dtype()).as("element type").isEqualTo(type);
        assertThat(result.shape()).as("shape").isEqualTo(expected.sizes());
        assertThat(spec.view() || result.isContiguous()).as("contiguous").isTrue();
        double[] actual = result.toDoubleArray();
        assertThat(bits(again.toDoubleArray())).as("bits of a second run").isEqualTo(bits(actual));
        compare(actual, rounded(device, type, expected.data()), tolerance(dtype, type));
        for (int i = 0; i < inputs.size(); i++) {
            assertThat(bits(inputs.get(i).toDoubleArray()))
                    .as("input %d", i)
                    .isEqualTo(bits(rounded.get(i).data()));
        }
    }

    /** Whether numbers are there that integers do not have, and whose neighbours wrap. */
    private static boolean hasEdges(Array array) {
        return !Arrays.stream(array.data()).allMatch(Double::isFinite);
    }

    /** A number as an element type stores it. */
    static double stored(double v, DType type) {
        return switch (type) {
            case org.tenon.F64 f -> v;
            case F32 f -> (float) v;
            case org.tenon.F16 f -> Float.float16ToFloat(Float.floatToFloat16((float) v));
            case org.tenon.BF16 f -> bfloat16((float) v);
            case org.tenon.I32 i -> (int) v;
            case org.tenon.I64 i -> (long) v;
            case org.tenon.Bool b -> v != 0 ? 1 : 0;
        };
    }

    private static double bfloat16(float v) {
        float low = Float.intBitsToFloat(Float.floatToRawIntBits(v) & 0xFFFF0000);
        float high = Float.intBitsToFloat((Float.floatToRawIntBits(v) & 0xFFFF0000) + 0x10000);
        boolean even = (Float.floatToRawIntBits(v) & 0x10000) == 0;
        float below = Math.abs(v - low);
        float above = Math.abs(high - v);
        return below < above || below == above && even ? low : high;
    }

    private static long[] bits(double[] values) {
        return Arrays.stream(values).mapToLong(Double::doubleToLongBits).toArray();
    }

    private static Tensor<Any, ?, ?> dense(Device<?> device, DType dtype, Array array) {
        return convert(device, array, dtype);
    }

    private static <Dev extends DeviceType> Tensor<Any, ?, Dev> convert(Device<Dev> device, Array array, DType dtype) {
        return device.tensor(array.data(), Any.of(array.sizes())).to(dtype);
    }

    /** Results that are rounded to integers or bool: what the reference gives, rounded alike. */
    private static double[] rounded(Device<?> device, DType type, double[] expected) {
        if (type == DType.F16) {
            return Arrays.stream(expected)
                    .map(v -> Math.abs(v) >= 65520 ? v * Double.POSITIVE_INFINITY : v)
                    .toArray();
        }
        if (type instanceof Floating) {
            return expected;
        }
        return Arrays.stream(expected)
                .map(v -> type == DType.BOOL ? (v != 0 ? 1 : 0) : type == DType.I32 ? (int) v : (double) (long) v)
                .toArray();
    }

    static double tolerance(DType... types) {
        double tolerance = 0;
        for (DType type : types) {
            tolerance = Math.max(
                    tolerance,
                    type == DType.F32
                            ? 1e-5
                            : type == DType.F64 ? 1e-12 : type == DType.F16 ? 1e-3 : type == DType.BF16 ? 1e-2 : 0);
        }
        return tolerance;
    }

    private static <D extends DType, Dev extends DeviceType> Tensor<Any, D, Dev> placed(
            Tensor<Any, D, Dev> x, Place place) {
        int rank = x.rank();
        return switch (place) {
            case DENSE -> x;
            case TRANSPOSED -> rank < 2 ? x : x.transpose(0, -1).copy().transpose(0, -1);
            case EVERY_SECOND -> org.tenon.F.stack(List.of(x, x), -1).select(-1, 1);
            case OFFSET -> {
                Tensor<Any, D, Dev> flat = x.reshape(-1);
                Tensor<Any, D, Dev> one = flat.numel() == 0 ? flat : flat.slice(0, 0, 1);
                Tensor<Any, D, Dev> longer = org.tenon.F.cat(List.of(one, one, one, flat, one), 0);
                yield longer.slice(0, 3 * one.numel(), 3 * one.numel() + x.numel())
                        .reshape(x.shape());
            }
        };
    }

    static void compare(double[] actual, double[] expected, double tolerance) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            boolean same = Double.isNaN(expected[i])
                    ? Double.isNaN(actual[i])
                    : expected[i] == actual[i]
                            || Math.abs(actual[i] - expected[i]) <= tolerance * Math.max(1, Math.abs(expected[i]));
            if (!same) {
                fail("element " + i + " is " + actual[i] + ", expected " + expected[i] + " within " + tolerance);
            }
        }
    }
}
