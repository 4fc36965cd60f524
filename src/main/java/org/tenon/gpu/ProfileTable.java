package org.tenon.gpu;

import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How long each kernel ran on a device, as its events say, with {@code -Dtenon.profile=true}: a table in the log when the
 * JVM ends.
 */
public final class ProfileTable {
    private static final Logger LOG = LoggerFactory.getLogger("org.tenon.profile");

    private final String device;
    private final Map<String, Total> totals = new HashMap<>();

    private static final class Total {
        private long launches;
        private long nanos;
    }

    /** A table that is logged when the JVM ends, after {@code collect} has added what is not yet in it. */
    public ProfileTable(String device, Runnable collect) {
        this.device = device;
        Runtime.getRuntime().addShutdownHook(new Thread(() -> log(collect), "tenon-profile"));
    }

    /** Whether the user asked for one. */
    public static boolean wanted() {
        return Boolean.getBoolean("tenon.profile");
    }

    /** Adds a launch. */
    public synchronized void add(String kernel, long nanos) {
        Total total = totals.computeIfAbsent(kernel, _ -> new Total());
        total.launches++;
        total.nanos += nanos;
    }

    private void log(Runnable collect) {
        collect.run();
        log();
    }

    private synchronized void log() {
        totals.entrySet().stream()
                .sorted(Comparator.comparingLong((Map.Entry<String, Total> each) -> -each.getValue().nanos)
                        .thenComparing(Map.Entry::getKey))
                .forEach(each -> LOG.info(
                        "{} {}: {} launches, {} ms",
                        device,
                        each.getKey(),
                        each.getValue().launches,
                        each.getValue().nanos / 1000 / 1000.0));
    }
}
