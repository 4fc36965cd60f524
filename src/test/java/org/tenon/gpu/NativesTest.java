package org.tenon.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Native libraries in a private folder, put there by several processes at once. */
class NativesTest {
    private static final int ROUNDS = 20;
    private static final int JVMS = 10;
    private static final String JOCL = "libJOCL_2_0_6-linux-x86_64.so";
    private static final String DRIVER = "libJCudaDriver-12.6.0-linux-x86_64.so";

    /** 24 MB, which take long enough to write to be caught half done; in every fifth round. */
    private static final String COMPILER = "libJNvPTXCompiler-12.6.0-linux-x86_64.so";

    @TempDir
    Path folder;

    /** For each folder that it reads: places libraries there, and loads from there what needs no driver. */
    static final class Load {
        private Load() {}

        public static void main(String[] arguments) throws Exception {
            ClassLoader loader = Load.class.getClassLoader();
            Class<?> jocl = Class.forName("org.jocl.LibUtils", false, loader);
            Class<?> jcuda = Class.forName("jcuda.LibUtils", false, loader);
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
            System.out.println("ready");
            for (String cache = in.readLine(); cache != null; cache = in.readLine()) {
                System.setProperty("tenon.cache", cache);
                Natives.load(jocl, List.of(JOCL), () -> load(JOCL));
                if (cache.endsWith("all")) {
                    Natives.load(jcuda, List.of(DRIVER, COMPILER), () -> load(COMPILER));
                } else {
                    Natives.load(jcuda, List.of(DRIVER), () -> DRIVER);
                }
                System.out.println("loaded");
            }
        }

        /** Maps it from the folder that JOCL and JCuda look into; a file that is not whole ends the process. */
        @SuppressWarnings("restricted")
        private static String load(String library) {
            SymbolLookup.libraryLookup(Path.of(System.getProperty("java.io.tmpdir"), library), Arena.global());
            return library;
        }
    }

    /** A process, and the lines that it prints. */
    private record Child(Process process, BufferedReader out) {
        static Child start() throws IOException {
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "--enable-native-access=ALL-UNNAMED",
                            "-XX:TieredStopAtLevel=1",
                            "-XX:+UseSerialGC",
                            "-Xmx256m",
                            "-classpath",
                            System.getProperty("java.class.path"),
                            Load.class.getName())
                    .redirectErrorStream(true)
                    .start();
            return new Child(process, new BufferedReader(new InputStreamReader(process.getInputStream())));
        }

        void say(String line) throws IOException {
            process.getOutputStream().write((line + "\n").getBytes());
            process.getOutputStream().flush();
        }
    }

    /** Ten processes at once on an empty folder, twenty times. */
    @Test
    void tenProcessesAtOnceOnAnEmptyFolder() throws Exception {
        Assumptions.assumeTrue(
                System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("linux")
                        && System.getProperty("os.arch", "").equals("amd64"),
                "the libraries named here are those of Linux on x86-64");
        List<Child> children = new ArrayList<>();
        try {
            for (int i = 0; i < JVMS; i++) {
                children.add(Child.start());
            }
            for (Child each : children) {
                assertThat(each.out().readLine()).isEqualTo("ready");
            }
            for (int round = 0; round < ROUNDS; round++) {
                race(children, folder.resolve("round-" + round + (round % 5 == 0 ? "-all" : "")));
            }
            for (Child each : children) {
                each.process().getOutputStream().close();
                assertThat(each.process().waitFor()).isZero();
            }
        } finally {
            children.forEach(each -> each.process().destroyForcibly());
        }
    }

    private static void race(List<Child> children, Path cache) throws IOException {
        for (Child each : children) {
            each.say(cache.toString());
        }
        for (Child each : children) {
            assertThat(each.out().readLine()).isEqualTo("loaded");
        }
        boolean all = cache.toString().endsWith("all");
        try (var files = Files.list(cache.resolve("natives"))) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrderElementsOf(all ? List.of(JOCL, DRIVER, COMPILER) : List.of(JOCL, DRIVER));
        }
    }

    /** One bit of a library was changed, or its name leads elsewhere: it is put in place anew before it is loaded. */
    @Test
    void whatLiesThereIsComparedWithTheJar() throws Exception {
        Class<?> jcuda = Class.forName("jcuda.LibUtils", false, getClass().getClassLoader());
        String before = System.setProperty("tenon.cache", folder.toString());
        try {
            Assumptions.assumeTrue(Natives.has(jcuda, DRIVER), "there is no such library here");
            Natives.load(jcuda, List.of(DRIVER), () -> DRIVER);
            Path placed = folder.toRealPath().resolve("natives").resolve(DRIVER);
            byte[] good = Files.readAllBytes(placed);
            byte[] flipped = good.clone();
            flipped[good.length / 2] ^= 1;
            Files.write(placed, flipped);
            Natives.load(jcuda, List.of(DRIVER), () -> DRIVER);
            assertThat(placed).hasBinaryContent(good);

            Path planted = Files.write(folder.resolve("planted"), good);
            Files.delete(placed);
            Files.createSymbolicLink(placed, planted);
            Natives.load(jcuda, List.of(DRIVER), () -> DRIVER);
            assertThat(Files.isSymbolicLink(placed)).isFalse();
            assertThat(placed).hasBinaryContent(good);
        } finally {
            if (before == null) {
                System.clearProperty("tenon.cache");
            } else {
                System.setProperty("tenon.cache", before);
            }
        }
    }

    @Test
    void aPlatformWithoutNatives() throws ClassNotFoundException {
        Class<?> jcuda = Class.forName("jcuda.LibUtils", false, getClass().getClassLoader());
        String library = "libJCudaDriver-12.6.0-linux-riscv64.so";
        assertThat(Natives.has(jcuda, library)).isFalse();
        assertThatThrownBy(() -> Natives.load(jcuda, List.of(library), () -> "loaded"))
                .isInstanceOf(IOException.class)
                .hasMessage("there is no library for this platform (" + library + " is not in the jar)");
    }
}
