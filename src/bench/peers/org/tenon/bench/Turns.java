package org.tenon.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/** Medians of what contenders take, by turns, so that all meet the same load of the machine. */
final class Turns {
    private static final long TURN_NANOS = 5_000_000;
    private static final int LEAST_WARM_TURNS = 5;
    /** A pause is over once all threads together were busy for less than a tenth of a look, or after so many looks. */
    private static final int LOOK_MILLIS = 10;

    private static final int MOST_LOOKS = 40;
    private static final OperatingSystemMXBean PROCESS =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    private Turns() {}

    /** Who does the same work as the others; a call is given its number, which goes up. */
    record Contender(String name, IntConsumer call) {}

    /**
     * Of each contender the median of nanoseconds a call, after so many seconds of calls: the JVM compiles what is short once more
     * after some tens of thousands of them, in a thread that needs its time as well.
     */
    static Map<String, Double> medians(List<Contender> contenders, int warmSeconds, int rounds) {
        int size = contenders.size();
        int[] calls = new int[size];
        int[] batches = new int[size];
        Arrays.fill(batches, 1);
        long end = System.nanoTime() + warmSeconds * 1_000_000_000L;
        for (int turn = 0; turn < LEAST_WARM_TURNS || System.nanoTime() < end; turn++) {
            for (int i = 0; i < size; i++) {
                long nanos = turn(contenders.get(i), calls, i, batches[i]);
                if (nanos < TURN_NANOS) {
                    batches[i] = Math.clamp(batches[i] * (TURN_NANOS / Math.max(1, nanos) + 1), 1, 100_000);
                }
            }
        }
        double[][] times = new double[size][rounds];
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < size; i++) {
                pause();
                turn(contenders.get(i), calls, i, 1);
                times[i][round] = (double) turn(contenders.get(i), calls, i, batches[i]) / batches[i];
            }
        }
        Map<String, Double> medians = new LinkedHashMap<>();
        for (int i = 0; i < size; i++) {
            Arrays.sort(times[i]);
            medians.put(contenders.get(i).name(), times[i][rounds / 2]);
        }
        return medians;
    }

    private static long turn(Contender contender, int[] calls, int i, int batch) {
        long start = System.nanoTime();
        for (int call = 0; call < batch; call++) {
            contender.call().accept(calls[i]++ & Integer.MAX_VALUE);
        }
        return System.nanoTime() - start;
    }

    /** Threads of OpenBLAS spin for 130 milliseconds after a call, and would take the cores from who comes next. */
    private static void pause() {
        long before;
        int looks = 0;
        do {
            before = PROCESS.getProcessCpuTime();
            try {
                Thread.sleep(LOOK_MILLIS);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            looks++;
        } while (PROCESS.getProcessCpuTime() - before > LOOK_MILLIS * 100_000L && looks < MOST_LOOKS);
    }
}
