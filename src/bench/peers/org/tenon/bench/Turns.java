package org.tenon.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;

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

    /** Who does the same work as the others. */
    record Contender(String name, Calls calls) {
        /** One in this JVM; a call is given its number, which goes up. */
        static Contender here(String name, IntConsumer call) {
            return new Contender(name, (first, calls) -> {
                long start = System.nanoTime();
                for (int i = 0; i < calls; i++) {
                    call.accept(first + i & Integer.MAX_VALUE);
                }
                return System.nanoTime() - start;
            });
        }
    }

    /** Nanoseconds of so many calls from one of this number on. */
    @FunctionalInterface
    interface Calls {
        long nanos(int first, int calls);
    }

    /**
     * Of each contender the median of nanoseconds a call, after so many seconds of calls: the JVM compiles what is short once more
     * after some tens of thousands of them, in a thread that needs its time as well. {@code others} tells what other processes used of the CPU.
     */
    static Map<String, Double> medians(List<Contender> contenders, int warmSeconds, int rounds, LongSupplier others) {
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
                pause(others);
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
        int first = calls[i];
        calls[i] += batch;
        return contender.calls().nanos(first, batch);
    }

    /** Threads of OpenBLAS spin for 130 milliseconds after a call, and would take the cores from who comes next. */
    private static void pause(LongSupplier others) {
        long before;
        int looks = 0;
        do {
            before = PROCESS.getProcessCpuTime() + others.getAsLong();
            try {
                Thread.sleep(LOOK_MILLIS);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            looks++;
        } while (PROCESS.getProcessCpuTime() + others.getAsLong() - before > LOOK_MILLIS * 100_000L
                && looks < MOST_LOOKS);
    }
}
