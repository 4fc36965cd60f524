package org.tenon.metrics;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An event file that TensorBoard reads: {@code tensorboard --logdir FOLDER}, with a folder in it for each run. Numbers are
 * stored as float32, as TensorBoard's own writer stores them. Events reach the file when one comes two seconds or more after
 * the last that did, and by {@link #flush}. One that cannot be written, on a full disk say, is kept and written later, so that
 * the file has whole events only, in order.
 */
public final class TensorBoard implements Metrics {
    private static final AtomicInteger FILES = new AtomicInteger();
    private static final long FLUSH_MILLIS = 2000;

    private final Path file;
    private final FileChannel channel;
    private final ByteArrayOutputStream pending = new ByteArrayOutputStream();
    private long position;
    private long flushed = System.currentTimeMillis();

    private TensorBoard(Path file) throws IOException {
        this.file = file;
        channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        pending.writeBytes(EventEncoding.framed(EventEncoding.version(seconds())));
        try {
            write();
        } catch (IOException e) {
            channel.close();
            Files.deleteIfExists(file);
            throw e;
        }
    }

    /** A new event file in a folder, which is made if need be. */
    public static TensorBoard in(Path folder) throws IOException {
        Files.createDirectories(folder);
        String name = "events.out.tfevents.%010d.%s.%d.%d"
                .formatted(
                        System.currentTimeMillis() / 1000,
                        host(),
                        ProcessHandle.current().pid(),
                        FILES.getAndIncrement());
        return new TensorBoard(folder.resolve(name));
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName().replaceAll("[^A-Za-z0-9-]", "-");
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }

    private static double seconds() {
        return System.currentTimeMillis() / 1000.0;
    }

    /** The file. */
    public Path file() {
        return file;
    }

    @Override
    public void scalar(long step, String name, double value) {
        write(EventEncoding.scalar(seconds(), step, name, value));
    }

    @Override
    public void text(long step, String name, String value) {
        write(EventEncoding.text(seconds(), step, name, value));
    }

    private synchronized void write(byte[] event) {
        pending.writeBytes(EventEncoding.framed(event));
        long now = System.currentTimeMillis();
        if (now - flushed >= FLUSH_MILLIS) {
            flushed = now;
            try {
                write();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** What is pending, where the last whole event ends: after a failure all of it once more, over what then got there. */
    private void write() throws IOException {
        try {
            ByteBuffer bytes = ByteBuffer.wrap(pending.toByteArray());
            for (long at = position; bytes.hasRemaining(); ) {
                at += channel.write(bytes, at);
            }
            position += bytes.limit();
            pending.reset();
        } catch (IOException e) {
            throw new IOException(file + ": cannot be written: " + e.getMessage(), e);
        }
    }

    @Override
    public synchronized void flush() throws IOException {
        write();
    }

    @Override
    public synchronized void close() throws IOException {
        try {
            if (channel.isOpen()) {
                write();
            }
        } finally {
            channel.close();
        }
    }
}
