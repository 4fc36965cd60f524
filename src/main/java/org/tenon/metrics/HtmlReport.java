package org.tenon.metrics;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tenon.io.AtomicFile;

/**
 * One HTML page with curves of all numbers, those of a group in one chart, the speed in steps per second, a table of last and
 * least values, and the texts. It has everything in it and asks no network, so it can be mailed or kept with a checkpoint.
 * The page is written anew every ten seconds and on {@link #close}. Charts are drawn by uPlot; a program that uses this class
 * adds {@code org.webjars.npm:uplot} to its own dependencies.
 */
public final class HtmlReport implements Metrics {
    private static final long WRITE_NANOS = 10_000_000_000L;
    static final String SPEED = "steps per second";

    private final Path file;
    private final String title;
    private final Map<String, Series> series = new LinkedHashMap<>();
    private final List<Note> notes = new ArrayList<>();
    private final long start = System.nanoTime();
    private long written = start;
    private long lastStep = Long.MIN_VALUE;
    private long lastStepAt;

    /** A text that was told. */
    record Note(long step, String name, String text) {}

    private HtmlReport(Path file, String title) {
        this.file = file;
        this.title = title;
    }

    /** A page of this title, at once with nothing on it, so that a path that cannot be written is found before a training. */
    public static HtmlReport at(Path file, String title) throws IOException {
        HtmlReport report = new HtmlReport(file, title);
        report.write();
        return report;
    }

    @Override
    public synchronized void scalar(long step, String name, double value) {
        long now = System.nanoTime();
        if (step > lastStep) {
            if (lastStep != Long.MIN_VALUE && now > lastStepAt) {
                add(step, SPEED, (step - lastStep) * 1e9 / (now - lastStepAt));
            }
            lastStep = step;
            lastStepAt = now;
        }
        add(step, name, value);
        if (now - written > WRITE_NANOS) {
            try {
                write();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private void add(long step, String name, double value) {
        series.computeIfAbsent(name, _ -> new Series()).add(step, value);
    }

    @Override
    public synchronized void text(long step, String name, String value) {
        notes.add(new Note(step, name, value));
    }

    private void write() throws IOException {
        double seconds = (System.nanoTime() - start) / 1e9;
        String page = new HtmlPage(title, seconds, series, notes).format();
        AtomicFile.write(file, page.getBytes(StandardCharsets.UTF_8));
        written = System.nanoTime();
    }

    @Override
    public synchronized void flush() throws IOException {
        write();
    }

    @Override
    public synchronized void close() throws IOException {
        write();
    }
}
