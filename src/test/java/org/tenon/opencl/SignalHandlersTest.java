package org.tenon.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tenon.support.ChildJvm;

/** Drivers that compile with LLVM put in signal handlers that end a JVM; with PoCL this child dies within a second unless they go. */
class SignalHandlersTest {
    private static final int BUILDS = 15;

    @TempDir
    private Path cache;

    /** What a child JVM runs: builds of programs while other threads come to many safepoints, each of which is a signal to them. */
    static final class Builds {
        private static volatile long sink;

        private Builds() {}

        public static void main(String[] arguments) {
            OpenClRuntime runtime = Present.runtime("tenon.cache", "off");
            for (int i = 0; i < 2; i++) {
                Thread.ofPlatform().daemon().start(Builds::compute);
            }
            Thread.ofPlatform().daemon().start(Builds::stopAll);
            for (int i = 0; i < BUILDS; i++) {
                runtime.kernel("fill", "fill", "-DT=u32 -DRANK=1 -DBLOCK=64 -DNTH=" + i);
            }
            System.out.println(BUILDS + " built, handlers to be used once " + SignalHandlers.usedOnce());
        }

        private static void compute() {
            while (true) {
                long sum = 0;
                for (long i = 0; i < 1L << 28; i++) {
                    sum += i ^ sum;
                }
                sink = sum;
            }
        }

        private static void stopAll() {
            while (true) {
                Thread.getAllStackTraces();
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void buildsWhileOtherThreadsGetSignals() throws IOException {
        Present.device();
        ChildJvm child = ChildJvm.runIn(
                Map.of("POCL_CACHE_DIR", cache.toString()),
                Builds.class,
                List.of("--enable-native-access=ALL-UNNAMED"));
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output())
                .contains(BUILDS + " built, handlers to be used once []")
                .doesNotContain("trying again");
    }
}
