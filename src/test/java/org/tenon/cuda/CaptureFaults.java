package org.tenon.cuda;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import jcuda.driver.CUresult;
import org.tenon.Cuda;
import org.tenon.Device;
import org.tenon.Scope;
import org.tenon.TensorStateException;
import org.tenon.TestDevices;
import org.tenon.capture.CapturedTraining;

/**
 * What {@link CaptureTest} runs in a JVM of its own: a captured training, of which the run that captures and one after it
 * fail at each of their driver calls. What failed is run once more, and the training ends as if nothing had been.
 */
final class CaptureFaults {
    private static final int RUNS = 4;
    private static final String RULE = "AdamW";

    private static StandIn standIn;
    private static Device<Cuda> device;
    private static List<Object> wanted;
    private static Map<String, Long> counts = Map.of();
    private static int wrong;

    private CaptureFaults() {}

    public static void main(String[] arguments) {
        device = TestDevices.of(OnStandIn.open());
        standIn = StandIn.find().orElseThrow();
        wanted = train(-1, "", 0, 0);
        expect(train(-1, "", 0, 0).equals(wanted), "the same twice");
        for (int run : new int[] {1, 2}) {
            train(run, "", 0, 0);
            new TreeMap<>(counts).forEach((kind, count) -> {
                if (!kind.equals("kernel")) {
                    faults(run, kind, count);
                }
            });
        }
        System.out.println("damage " + standIn.damage());
        System.out.println("wrong " + wrong);
    }

    private static void faults(int run, String kind, long count) {
        Map<String, Integer> outcomes = new HashMap<>();
        for (int error : new int[] {CUresult.CUDA_ERROR_INVALID_VALUE, CUresult.CUDA_ERROR_OUT_OF_MEMORY}) {
            for (int n = 1; n <= count; n++) {
                failures = 0;
                String where = "run " + run + " " + kind + " " + n + " " + error;
                try {
                    expect(train(run, kind, n, error).equals(wanted), where + ": it ends otherwise");
                } catch (RuntimeException | Error e) {
                    expect(false, where + ": " + e);
                }
                outcomes.merge(failures > 0 ? "exception" : "made good", 1, Integer::sum);
                standIn.reset();
                long live = device.memory().liveBuffers();
                expect(live == 0, where + ": " + live + " live buffers");
                expect(standIn.liveGraphs() == 0, where + ": graphs are left");
            }
        }
        System.out.println("run " + run + " " + kind + " " + new TreeMap<>(outcomes));
    }

    private static int failures;

    /** What training ends with where call {@code n} of a kind fails in this run. */
    private static List<Object> train(int run, String kind, int n, int error) {
        return Scope.call(() -> {
            CapturedTraining<Cuda> training = new CapturedTraining<>(device, RULE, 0);
            List<Object> all = new ArrayList<>();
            try (var step = training.captured()) {
                for (int i = 0; i < RUNS; i++) {
                    training.batch(i);
                    if (i == run) {
                        standIn.reset();
                        if (n > 0) {
                            standIn.fail(kind, n, error);
                        }
                    }
                    try {
                        step.run();
                    } catch (TensorStateException e) {
                        failures++;
                        expect(
                                i == run && e.getMessage().contains(kind),
                                "run " + run + " " + kind + " " + n + ": the message is " + e.getMessage());
                        standIn.reset();
                        step.run();
                    }
                    if (i == run) {
                        counts = standIn.counts();
                        standIn.reset();
                    }
                }
            }
            all.addAll(training.state());
            return all;
        });
    }

    private static void expect(boolean holds, String what) {
        if (!holds) {
            wrong++;
            System.out.println("WRONG " + what);
        }
    }
}
