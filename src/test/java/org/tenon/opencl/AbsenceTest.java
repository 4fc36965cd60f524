package org.tenon.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jocl.CL;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tenon.Devices;
import org.tenon.spi.Availability;
import org.tenon.support.CCompiler;
import org.tenon.support.ChildJvm;

/** Why there is no OpenCL device, and what to install; the program itself goes on. */
@EnabledOnOs(OS.LINUX)
class AbsenceTest {
    @TempDir
    private Path folder;

    /** What a child JVM runs: the report of devices. */
    static final class PrintReport {
        private PrintReport() {}

        public static void main(String[] arguments) {
            Devices.report().forEach(System.out::println);
        }
    }

    @Test
    void noLoader() {
        assertThat(new OpenClProvider("libNoOpenCL.so.9").probe())
                .isEqualTo(new Availability.Absent("there is no libNoOpenCL.so.9; install the OpenCL loader"
                        + " (Debian and Ubuntu: ocl-icd-libopencl1) and a driver"));
    }

    private static String opencl(Map<String, String> environment) throws IOException {
        ChildJvm child = ChildJvm.runIn(environment, PrintReport.class, List.of("--enable-native-access=ALL-UNNAMED"));
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output()).contains("cpu: ");
        return child.output()
                .lines()
                .filter(line -> line.startsWith("opencl"))
                .findFirst()
                .orElseThrow(() -> new AssertionError(child.output()));
    }

    /** The loader itself is needed for these. */
    private String with(String environment) throws IOException {
        Present.device();
        return opencl(Map.of("OCL_ICD_VENDORS", environment, "OPENCL_VENDOR_PATH", environment));
    }

    @Test
    void noDriver() throws IOException {
        assertThat(with(folder.toString()))
                .isEqualTo("opencl: the OpenCL loader knows no driver; install an OpenCL driver: that of the GPU's"
                        + " maker, or PoCL for the CPU (Debian and Ubuntu: pocl-opencl-icd)");
    }

    @Test
    void aDriverThatIsNotThere() throws IOException {
        Path file = Files.writeString(folder.resolve("gone.icd"), "libNoSuchDriver.so.1\n");
        assertThat(with(folder.toString()))
                .contains(file + " names libNoSuchDriver.so.1, which is missing or broken; install that driver again")
                .contains("pocl-opencl-icd");
    }

    @Test
    void aDriverThatIsNoLibrary() throws IOException {
        Path library = Files.writeString(folder.resolve("libBroken.so"), "this is no library");
        Path file = Files.writeString(folder.resolve("broken.icd"), library + "\n");
        assertThat(with(folder.toString())).contains(file + " names " + library + ", which is missing or broken");
    }

    private static final String NO_DEVICE = "; see that this user may open the GPU's files in /dev (groups render and"
            + " video), or install an OpenCL driver: that of the GPU's maker, or PoCL for the CPU (Debian and Ubuntu:"
            + " pocl-opencl-icd)";

    /** With the only driver one that is compiled here, which answers a request for its devices with this number. */
    private String withDriver(int answer) throws IOException {
        Path library =
                CCompiler.compile(AbsenceTest.class, "icd.c", folder.resolve("libnone.so"), "-DANSWER=" + answer);
        Files.writeString(folder.resolve("none.icd"), library + "\n");
        return with(folder.toString());
    }

    /** Drivers say so in two ways. */
    @ParameterizedTest
    @ValueSource(ints = {CL.CL_DEVICE_NOT_FOUND, CL.CL_SUCCESS})
    void aDriverWithoutADevice(int answer) throws IOException {
        assertThat(withDriver(answer))
                .isEqualTo("opencl: the OpenCL drivers here have no device (Driver of no device)" + NO_DEVICE);
    }

    @Test
    void aDriverThatFailsToLookForDevices() throws IOException {
        assertThat(withDriver(CL.CL_OUT_OF_HOST_MEMORY))
                .startsWith("opencl: ")
                .contains("Driver of no device: clGetDeviceIDs failed with CL_OUT_OF_HOST_MEMORY")
                .contains("install an OpenCL driver");
    }

    @Test
    void poclWithoutADevice() throws IOException {
        Path file = Path.of("/etc/OpenCL/vendors/pocl.icd");
        Assumptions.assumeTrue(Files.exists(file), "PoCL is not installed");
        Present.device();
        String folderOfPocl =
                Files.copy(file, folder.resolve("pocl.icd")).getParent().toString();
        assertThat(opencl(Map.of(
                        "OCL_ICD_VENDORS", folderOfPocl, "OPENCL_VENDOR_PATH", folderOfPocl, "POCL_DEVICES", "absent")))
                .isEqualTo("opencl: the OpenCL drivers here have no device (Portable Computing Language)" + NO_DEVICE);
    }

    @Test
    void filesOfDrivers() throws IOException {
        assertThat(IcdFiles.troubles(folder.resolve("absent"), library -> true)).isEmpty();
        Files.writeString(folder.resolve("a.icd"), "  libA.so \n");
        Files.writeString(folder.resolve("b.icd"), "libB.so");
        Files.writeString(folder.resolve("c.icd"), "\n");
        Files.writeString(folder.resolve("readme.txt"), "libC.so");
        assertThat(IcdFiles.troubles(folder, "libA.so"::equals))
                .containsExactly(
                        folder.resolve("b.icd") + " names libB.so, which is missing or broken",
                        folder.resolve("c.icd") + " names no library");
    }
}
