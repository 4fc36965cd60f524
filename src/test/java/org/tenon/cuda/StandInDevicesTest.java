package org.tenon.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tenon.Any;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.Tensor;
import org.tenon.support.ChildJvm;
import org.tenon.support.Training;

/** What the driver's environment decides: how many devices there are, which, and what fails when they are looked for. */
class StandInDevicesTest {
    @BeforeAll
    static void standIn() {
        OnStandIn.assumeThere();
    }

    /** Prints the devices, and trains on each of CUDA; {@code copies} also copies between all pairs. */
    static final class Report {
        private Report() {}

        public static void main(String[] arguments) {
            Devices.report().forEach(System.out::println);
            System.out.println("best is " + Devices.best());
            for (Device<?> device : Devices.all()) {
                if (device.name().startsWith("cuda")) {
                    System.out.println(device + " trains like the CPU: "
                            + near(Training.steps(device), Training.steps(Devices.cpu())));
                }
            }
            if (arguments.length > 0) {
                StandIn.find().orElseThrow().delay(500);
                for (Device<?> from : Devices.all()) {
                    for (Device<?> to : Devices.all()) {
                        System.out.println(from + " to " + to + ": " + copies(from, to));
                    }
                }
                StandIn standIn = StandIn.find().orElseThrow();
                System.out.println(
                        "peer copies " + standIn.count("cuMemcpyPeerAsync") + ", damage " + standIn.damage());
            }
        }

        private static boolean near(List<Double> got, List<Double> wanted) {
            for (int i = 0; i < got.size(); i++) {
                if (!(Math.abs(got.get(i) - wanted.get(i)) < 1e-5)) {
                    return false;
                }
            }
            return got.size() == wanted.size();
        }

        /** There and back, of views too, while kernels write the source before and use it after. */
        private static <A extends DeviceType, B extends DeviceType> boolean copies(Device<A> from, Device<B> to) {
            boolean same = true;
            for (int count : new int[] {1, 1000, 40_000}) {
                float[] numbers = new float[2 * count];
                Random random = new Random(count);
                for (int i = 0; i < numbers.length; i++) {
                    numbers[i] = random.nextFloat();
                }
                float[] wanted = new float[count];
                for (int i = 0; i < count; i++) {
                    wanted[i] = -numbers[2 * i];
                }
                Tensor<Any, F32, A> x = from.tensor(numbers, Any.of(count, 2));
                Tensor<Any, F32, B> there = x.neg().narrow(1, 0, 1).to(to);
                x.neg().close();
                Tensor<Any, F32, A> back = there.neg().neg().to(from);
                same &= Arrays.equals(there.toFloatArray(), wanted) && Arrays.equals(back.toFloatArray(), wanted);
                same &= Arrays.equals(
                        from.randn(Any.of(count), DType.F32, new Generator(3))
                                .to(to)
                                .toFloatArray(),
                        from.randn(Any.of(count), DType.F32, new Generator(3)).toFloatArray());
            }
            return same;
        }
    }

    private static String report(Map<String, String> environment, List<String> flags, String... arguments)
            throws IOException {
        ChildJvm child = OnStandIn.child(Report.class, environment, flags, arguments);
        assertThat(child.exitCode()).as(child.output()).isZero();
        return child.output();
    }

    @Test
    void severalDevicesAndCopiesBetweenAllOfThem() throws IOException {
        String output = report(
                Map.of("SIMCUDA_DEVICES", "2"),
                List.of("-Dtenon.cuda.slot=4096", "-Dtenon.copy.piece=10000"),
                "copies");
        assertThat(output)
                .contains("cuda:0: Tenon stand-in", "cuda:1: Tenon stand-in")
                .contains("cuda:0 trains like the CPU: true", "cuda:1 trains like the CPU: true")
                .contains(
                        "cuda:0 to cuda:1: true",
                        "cuda:1 to cuda:0: true",
                        "cpu to cuda:1: true",
                        "cuda:0 to cpu: true")
                .contains("damage 0")
                .doesNotContain("false")
                .doesNotContain("best is cuda");
        // Two of three for each size and each of the two directions, and the random numbers.
        assertThat(output).contains("peer copies " + 2 * 3 * 3);
    }

    @Test
    void theStandInIsNeverTheBest() throws IOException {
        assertThat(report(Map.of(), List.of())).doesNotContain("best is cuda").contains("cuda:0: Tenon stand-in");
    }

    @Test
    void aDeviceThatCannotRunTheKernelsIsLeftOut() throws IOException {
        assertThat(report(Map.of("SIMCUDA_CAPABILITY", "75"), List.of()))
                .contains(
                        "cuda: cuda:0: Tenon stand-in driver (no GPU) is of compute capability 7.5, and Tenon's kernels"
                                + " need 8.0; see to it");
        assertThat(report(Map.of("SIMCUDA_CAPABILITY", "80"), List.of())).contains("cuda:0 trains like the CPU: true");
    }

    @Test
    void driversThatAreTooOldOrSeeNothing() throws IOException {
        assertThat(report(Map.of("SIMCUDA_DRIVER_VERSION", "11080"), List.of()))
                .contains("cuda: the driver here is for CUDA 11.8, and Tenon needs 12.0; install NVIDIA's driver R525");
        assertThat(report(Map.of("SIMCUDA_DRIVER_VERSION", "12000"), List.of()))
                .contains("cuda:0 trains like the CPU: true");
        assertThat(report(Map.of("SIMCUDA_DEVICES", "0"), List.of()))
                .contains("cuda: the NVIDIA driver here sees no device");
    }

    @Test
    void textsThatTheDriverDoesNotKnow() throws IOException {
        assertThat(report(Map.of("SIMCUDA_FAIL", "cuModuleLoadDataEx:1:222"), List.of()))
                .contains("cuda: cuda:0: the driver cannot compile PTX 7.8, which Tenon's kernels are in:"
                        + " CUDA_ERROR_UNSUPPORTED_PTX_VERSION (222); install a newer NVIDIA driver");
        assertThat(report(Map.of("SIMCUDA_FAIL", "cuInit:1:803"), List.of()))
                .contains("cuda: cuInit failed with CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803)");
    }

    @Test
    void aProfileOfKernels() throws IOException {
        assertThat(report(Map.of(), List.of("-Dtenon.profile=true")))
                .contains("cuda:0 update/adam: 3 launches, ")
                .contains("cuda:0 matmul/matmul: ");
    }
}
