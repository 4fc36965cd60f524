package org.tenon.metrics;

import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.slf4j.Logger;

/** One line a step, {@code step 100  loss/train 2.3142  tokens per second 51234}, when the step is over. */
public final class ConsoleMetrics implements Metrics {
    private final Consumer<String> lines;
    private final Map<String, Double> pending = new LinkedHashMap<>();
    private long step;

    private ConsoleMetrics(Consumer<String> lines) {
        this.lines = Objects.requireNonNull(lines);
    }

    /** Lines to a stream. */
    public static ConsoleMetrics to(PrintStream out) {
        return new ConsoleMetrics(line -> {
            out.println(line);
            out.flush();
        });
    }

    /** Lines to a log, at level info. */
    public static ConsoleMetrics to(Logger log) {
        return new ConsoleMetrics(log::info);
    }

    @Override
    public synchronized void scalar(long newStep, String name, double value) {
        if (newStep != step || pending.containsKey(name)) {
            flush();
            step = newStep;
        }
        pending.put(name, value);
    }

    @Override
    public synchronized void text(long newStep, String name, String value) {
        flush();
        lines.accept("step " + newStep + "  " + name + ": " + value);
    }

    @Override
    public synchronized void flush() {
        if (!pending.isEmpty()) {
            StringBuilder line = new StringBuilder("step ").append(step);
            pending.forEach(
                    (name, value) -> line.append("  ").append(name).append(' ').append(format(value)));
            pending.clear();
            lines.accept(line.toString());
        }
    }

    /** Five digits that count, without an exponent where that is short. */
    static String format(double value) {
        double size = Math.abs(value);
        if (value == 0) {
            return "0";
        }
        if (!(size >= 1e-4 && size < 1e7)) {
            return Double.isFinite(value) ? String.format(Locale.ROOT, "%.4e", value) : Double.toString(value);
        }
        int decimals = Math.max(0, 4 - (int) Math.floor(Math.log10(size)));
        return String.format(Locale.ROOT, "%." + Math.min(decimals, 8) + "f", value);
    }

    @Override
    public void close() {
        flush();
    }
}
