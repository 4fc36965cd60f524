package org.tenon.opencl;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import org.jocl.CL;
import org.tenon.Any;
import org.tenon.Device;
import org.tenon.OpenCl;
import org.tenon.TensorStateException;
import org.tenon.TestDevices;
import org.tenon.gpu.GpuBackend;
import org.tenon.support.Training;

/**
 * What {@link DriverFaultTest} runs in a JVM of its own, {@code LIBRARY MODE MOST}: a training in which one call of the driver
 * fails, for every kind of call and every position, or {@code MOST} of them evenly where there are more: {@code warm}, on a
 * device whose kernels are built; {@code cold}, on one that is opened anew; {@code source}, the same of what builds programs
 * where no binaries are kept; {@code lost}, with an answer after which nothing works. Prints a line for
 * each kind, and for what should not be.
 */
final class DriverFaults {
    private static final List<String> OBJECTS = List.of("buffer", "event", "program", "kernel", "queue", "context");

    private static FaultyDriver driver;
    private static Found found;
    private static Device<OpenCl> device;
    private static List<Double> wanted;
    private static Map<String, Long> live;
    private static int positions;
    private static int wrong;

    private DriverFaults() {}

    public static void main(String[] arguments) {
        found = Present.found();
        driver = FaultyDriver.install(Path.of(arguments[0]));
        long most = Long.parseLong(arguments[2]);
        open();
        wanted = Training.steps(device);
        driver.reset();
        expect(Training.steps(device).equals(wanted), "the same twice");
        Map<String, Long> warm = driver.counts();
        driver.reset();
        open();
        expect(Training.steps(device).equals(wanted), "the same on a new runtime");
        Map<String, Long> cold = driver.counts();
        live = still();
        String mode = arguments[1];
        Map<String, Long> calls = mode.equals("warm") || mode.equals("lost") ? warm : cold;
        if (mode.equals("source")) {
            calls.keySet().removeIf(kind -> !kind.contains("Program"));
        }
        // JOCL's own, which does not look at the answer: once that fails it uses an event that is no more.
        calls.remove("clRetainEvent");
        calls.forEach((kind, count) -> {
            Map<String, Integer> outcomes = new TreeMap<>();
            long step = Math.max(1, count / most);
            for (long n = 1; n <= count; n += step) {
                positions++;
                switch (mode) {
                    case "warm" -> warm(kind, (int) n, outcomes);
                    case "cold", "source" -> cold(kind, (int) n, outcomes);
                    case "lost" -> lost(kind, (int) n, outcomes);
                    default -> throw new IllegalArgumentException(mode);
                }
            }
            System.out.println(mode + " " + kind + " " + outcomes);
        });
        System.out.println("positions " + positions);

        System.out.println("wrong " + wrong);
    }

    private static void open() {
        device = TestDevices.of(new GpuBackend(new OpenClRuntime("opencl:0", found)));
    }

    private static Map<String, Long> live() {
        Map<String, Long> counts = new TreeMap<>();
        OBJECTS.forEach(object -> counts.put(object, driver.live(object)));
        return counts;
    }

    /** What there is once it has stayed the same for a while: JOCL may still be letting go of events. */
    private static Map<String, Long> still() {
        Map<String, Long> before = live();
        for (int same = 0; same < 5; ) {
            LockSupport.parkNanos(10_000_000);
            Map<String, Long> now = live();
            same = now.equals(before) ? same + 1 : 0;
            before = now;
        }
        return before;
    }

    /** JOCL lets go of the events of copies in a thread of its own, a little later. */
    private static Map<String, Long> settled(Map<String, Long> hoped) {
        long end = System.nanoTime() + 1_000_000_000L;
        Map<String, Long> now = live();
        while (!now.equals(hoped) && System.nanoTime() < end) {
            Thread.onSpinWait();
            now = live();
        }
        return now;
    }

    private static void warm(String kind, int n, Map<String, Integer> outcomes) {
        for (int error : new int[] {CL.CL_INVALID_VALUE, CL.CL_OUT_OF_RESOURCES, CL.CL_MEM_OBJECT_ALLOCATION_FAILURE}) {
            driver.fail(kind, n, error);
            outcomes.merge(attempt(kind, n, error), 1, Integer::sum);
            driver.reset();
            usable(kind, n, error);
            Map<String, Long> now = settled(live);
            Map<String, Long> lost = new TreeMap<>(live);
            if (kind.equals("clReleaseEvent") && now.get("event") == live.get("event") + 1) {
                // JOCL's own, which does not try again.
                lost.merge("event", 1L, Long::sum);
            }
            expect(now.equals(lost), kind + " " + n + " " + error + ": there are " + now + ", not " + live);
            live = now;
        }
    }

    /** The runtime is new: its kernels are yet to be built. */
    private static void cold(String kind, int n, Map<String, Integer> outcomes) {
        int error = n % 2 == 0 ? CL.CL_OUT_OF_HOST_MEMORY : CL.CL_INVALID_VALUE;
        Map<String, Long> before = still();
        driver.fail(kind, n, error);
        try {
            open();
        } catch (IllegalStateException e) {
            outcomes.merge("not opened", 1, Integer::sum);
            told(e, kind, n);
            driver.reset();
            Map<String, Long> now = settled(before);
            expect(now.equals(before), kind + " " + n + " " + error + ": there are " + now + ", not " + before);
            open();
        }
        outcomes.merge(attempt(kind, n, error), 1, Integer::sum);
        driver.reset();
        usable(kind, n, error);
    }

    /** With an answer after which no call works. */
    private static void lost(String kind, int n, Map<String, Integer> outcomes) {
        open();
        Training.steps(device);
        int error = n % 2 == 0 ? CL.CL_DEVICE_NOT_AVAILABLE : CL.CL_INVALID_COMMAND_QUEUE;
        driver.fail(kind, n, error);
        String outcome = attempt(kind, n, error);
        driver.reset();
        outcomes.merge(outcome, 1, Integer::sum);
        if (!outcome.equals("exception")) {
            usable(kind, n, error);
            return;
        }
        try {
            device.ones(Any.of(3)).sum().item();
            expect(false, kind + " " + n + ": a lost device computes");
        } catch (TensorStateException e) {
            expect(
                    e.getMessage().startsWith("opencl:0: the device is gone, start the JVM anew; lost when "),
                    kind + " " + n + ": told of a lost device: " + e.getMessage());
        }
    }

    private static String attempt(String kind, int n, int error) {
        String outcome;
        try {
            boolean same = Training.steps(device).equals(wanted);
            expect(same, kind + " " + n + " " + error + ": other losses and no exception");
            outcome = driver.pending() > 0 ? "not reached" : "made good";
        } catch (TensorStateException e) {
            told(e, kind, n);
            outcome = "exception";
        } catch (RuntimeException | Error e) {
            expect(false, kind + " " + n + " " + error + ": " + e);
            outcome = "unclear";
        }
        long buffers = device.memory().liveBuffers();
        expect(buffers == 0, kind + " " + n + " " + error + ": " + buffers + " live buffers");
        return outcome;
    }

    /** By the name of the call, or by what was being done. */
    private static void told(RuntimeException e, String kind, int n) {
        String message = String.valueOf(e.getMessage());
        expect(
                (message.startsWith("opencl:0: ") || message.startsWith("clGetDeviceInfo failed with "))
                        && (message.contains(kind)
                                || message.contains("launching ")
                                || message.contains("does not build")
                                || message.contains("out of memory asking")),
                kind + " " + n + ": the message is " + message);
    }

    private static void usable(String kind, int n, int error) {
        try {
            expect(Training.steps(device).equals(wanted), kind + " " + n + " " + error + ": other losses afterwards");
        } catch (RuntimeException e) {
            expect(false, kind + " " + n + " " + error + ": not usable afterwards: " + e);
        }
    }

    private static void expect(boolean holds, String what) {
        if (!holds) {
            wrong++;
            System.out.println("WRONG " + what);
        }
    }
}
