package org.tenon.cuda;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import jcuda.driver.CUdevice;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.tenon.Cuda;
import org.tenon.Device;
import org.tenon.TensorStateException;
import org.tenon.TestDevices;
import org.tenon.support.Training;

/**
 * What {@link FaultTest} runs in a JVM of its own, on the stand-in: three steps of training in which one call of the driver
 * fails, for every kind of call and every position. Prints a line for each kind, and for what should not be.
 */
final class Faults {
    private static final int INVALID_VALUE = CUresult.CUDA_ERROR_INVALID_VALUE;

    private static StandIn standIn;
    private static Device<Cuda> device;
    private static List<Double> wanted;
    private static long allocations;
    private static int wrong;

    private Faults() {}

    public static void main(String[] arguments) {
        open();
        standIn = StandIn.find().orElseThrow();
        wanted = Training.steps(device);
        allocations = standIn.liveAllocations();
        standIn.reset();
        expect(Training.steps(device).equals(wanted), "the same losses twice");
        Map<String, Long> warm = standIn.counts();
        renew();
        standIn.reset();
        open();
        expect(Training.steps(device).equals(wanted), "the same losses on a new runtime");
        Map<String, Long> cold = standIn.counts();
        switch (arguments[0]) {
            case "warm" -> warm.forEach(Faults::whenWarm);
            case "cold" ->
                cold.forEach((kind, count) -> {
                    if (!warm.containsKey(kind)) {
                        whenCold(kind, count);
                    }
                });
            case "lost" -> warm.forEach(Faults::whenLost);
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        System.out.println("damage " + standIn.damage());
        System.out.println("wrong " + wrong);
    }

    private static void open() {
        device = TestDevices.of(OnStandIn.open());
    }

    /** A new context, since one that was lost stays so; what the old one had is gone with it. */
    private static void renew() {
        CUdevice id = new CUdevice();
        JCudaDriver.cuDeviceGet(id, 0);
        JCudaDriver.cuDevicePrimaryCtxReset(id);
    }

    private static void whenWarm(String kind, long count) {
        Map<String, Integer> outcomes = new HashMap<>();
        TreeSet<Integer> errors = new TreeSet<>(List.of(INVALID_VALUE, CUresult.CUDA_ERROR_OUT_OF_MEMORY));
        if (!kind.equals("kernel")) {
            for (int error : errors) {
                for (int n = 1; n <= count; n++) {
                    standIn.fail(kind, n, error);
                    outcomes.merge(attempt(kind, n, error), 1, Integer::sum);
                    standIn.reset();
                    usable(kind, n, error);
                }
            }
            System.out.println("warm " + kind + " " + new java.util.TreeMap<>(outcomes));
        }
    }

    private static void whenCold(String kind, long count) {
        Map<String, Integer> outcomes = new HashMap<>();
        for (int n = 1; n <= count; n++) {
            renew();
            standIn.fail(kind, n, INVALID_VALUE);
            try {
                open();
                outcomes.merge(attempt(kind, n, INVALID_VALUE), 1, Integer::sum);
            } catch (IllegalStateException e) {
                outcomes.merge("not opened", 1, Integer::sum);
                told(e, kind, n);
                standIn.reset();
                open();
            }
            standIn.reset();
            usable(kind, n, INVALID_VALUE);
        }
        System.out.println("cold " + kind + " " + new java.util.TreeMap<>(outcomes));
    }

    /** With errors after which the context answers nothing else: from the call itself, and from kernels as they run. */
    private static void whenLost(String kind, long count) {
        Map<String, Integer> outcomes = new HashMap<>();
        long step = Math.max(1, count / 6);
        for (int n = 1; n <= count; n += (int) step) {
            renew();
            open();
            Training.steps(device);
            int error = n % 2 == 0 ? CUresult.CUDA_ERROR_LAUNCH_FAILED : CUresult.CUDA_ERROR_ILLEGAL_ADDRESS;
            standIn.fail(kind, n, error);
            String outcome = attempt(kind, n, error);
            standIn.reset();
            outcomes.merge(outcome, 1, Integer::sum);
            try {
                device.ones(org.tenon.Any.of(3)).sum().item();
                expect(false, kind + " " + n + ": a lost device computes");
            } catch (TensorStateException e) {
                expect(
                        e.getMessage().startsWith("cuda:0: lost earlier: cuda:0: "),
                        kind + " " + n + ": told of a lost device: " + e.getMessage());
            }
        }
        System.out.println("lost " + kind + " " + new java.util.TreeMap<>(outcomes));
    }

    private static String attempt(String kind, int n, int error) {
        String outcome;
        try {
            boolean same = Training.steps(device).equals(wanted);
            expect(same, kind + " " + n + " " + error + ": other losses and no exception");
            outcome = standIn.pendingFaults() > 0 ? "not reached" : "made good";
        } catch (TensorStateException e) {
            told(e, kind, n);
            outcome = "exception";
        } catch (RuntimeException | Error e) {
            expect(false, kind + " " + n + " " + error + ": " + e);
            outcome = "unclear";
        }
        long live = device.memory().liveBuffers();
        expect(live == 0, kind + " " + n + " " + error + ": " + live + " live buffers");
        return outcome;
    }

    private static void told(RuntimeException e, String kind, int n) {
        expect(
                e.getMessage() != null
                        && (e.getMessage().contains(kind) || kind.equals("kernel"))
                        && e.getMessage().contains("cu"),
                kind + " " + n + ": the message is " + e.getMessage());
    }

    private static void usable(String kind, int n, int error) {
        try {
            expect(Training.steps(device).equals(wanted), kind + " " + n + " " + error + ": other losses afterwards");
        } catch (RuntimeException e) {
            expect(false, kind + " " + n + " " + error + ": not usable afterwards: " + e);
        }
        long live = standIn.liveAllocations();
        expect(live == allocations, kind + " " + n + " " + error + ": " + live + " allocations, not " + allocations);
    }

    private static void expect(boolean holds, String what) {
        if (!holds) {
            wrong++;
            System.out.println("WRONG " + what);
        }
    }
}
