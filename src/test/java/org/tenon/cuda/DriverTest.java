package org.tenon.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.tenon.Devices;
import org.tenon.support.CCompiler;
import org.tenon.support.ChildJvm;

/** Drivers that are not there, too old, or do not start: each is a reason with a hint, and the CPU goes on. */
class DriverTest {
    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path folder;

    /** What {@link Devices} says of CUDA, and that another device is still found. */
    static final class Report {
        private Report() {}

        public static void main(String[] arguments) {
            Devices.report().forEach(System.out::println);
            System.out.println(
                    "cpu has " + Devices.cpu().ones(org.tenon.Any.of(3)).sum().item());
        }
    }

    private String report(String driver) throws IOException {
        ChildJvm child = ChildJvm.runPlain(
                Report.class,
                List.of(
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:TieredStopAtLevel=1",
                        "-Dtenon.cache=" + folder.resolve("cache"),
                        "-Dtenon.cuda.driver=" + driver));
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output()).contains("cpu has 3.0");
        return child.output()
                .lines()
                .filter(line -> line.startsWith("cuda"))
                .findFirst()
                .orElseThrow();
    }

    private String reportOf(String... flags) throws IOException {
        Path library = CCompiler.compile(DriverTest.class, "driver.c", folder.resolve("libcuda.so.1"), withName(flags));
        return report(library.toString());
    }

    private static String[] withName(String... flags) {
        String[] all = java.util.Arrays.copyOf(flags, flags.length + 1);
        all[flags.length] = "-Wl,-soname,libcuda.so.1";
        return all;
    }

    @Test
    void aFileThatIsNotThere() throws IOException {
        assertThat(report("/no/such/libcuda.so.1"))
                .contains("there is no file /no/such/libcuda.so.1; give the path of a ");
    }

    @Test
    void aFileThatIsNoLibrary() throws IOException {
        Path file = Files.writeString(folder.resolve("libcuda.so.1"), "no library");
        assertThat(report(file.toString())).contains("libcuda.so.1 cannot be loaded: ", "give the path of a ");
    }

    @Test
    void aLibraryThatIsNoDriver() throws IOException {
        assertThat(reportOf("-DINIT=0"))
                .isEqualTo("cuda: libcuda.so.1 is not a CUDA driver; install NVIDIA's driver R525 or newer");
    }

    @Test
    void anOldDriver() throws IOException {
        assertThat(reportOf("-DVERSION=11080", "-DINIT=0"))
                .isEqualTo("cuda: the driver here is for CUDA 11.8, and Tenon needs 12.0; install NVIDIA's driver R525"
                        + " or newer");
    }

    @Test
    void noDevice() throws IOException {
        assertThat(reportOf("-DVERSION=12040", "-DINIT=100"))
                .startsWith("cuda: the NVIDIA driver here sees no device; ")
                .contains("CUDA_VISIBLE_DEVICES");
        assertThat(reportOf("-DVERSION=12040", "-DINIT=0")).startsWith("cuda: the NVIDIA driver here sees no device; ");
    }

    @Test
    void driversThatDoNotStart() throws IOException {
        assertThat(reportOf("-DVERSION=12040", "-DINIT=999"))
                .startsWith("cuda: cuInit failed with CUDA_ERROR_UNKNOWN (999); does nvidia-smi work?");
        assertThat(reportOf("-DVERSION=12040", "-DINIT=803"))
                .startsWith("cuda: cuInit failed with CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803); the driver's library and"
                        + " its kernel module are of different versions");
        assertThat(reportOf("-DVERSION=12040", "-DINIT=34"))
                .contains("CUDA_ERROR_STUB_LIBRARY (34); the toolkit's stub was found");
        assertThat(reportOf("-DVERSION=12040", "-DINIT=802")).contains("nvidia-fabricmanager");
    }

    @Test
    void theNamesOfLibraries() {
        assertThat(Driver.text(12040)).isEqualTo("12.4");
        assertThat(Driver.text(13000)).isEqualTo("13.0");
        assertThat(Driver.bindings()).contains("JCudaDriver-12.6.0-");
    }
}
