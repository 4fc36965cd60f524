package org.tenon.spi;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.tenon.OutOfDeviceMemoryException;
import org.tenon.TensorArgumentException;
import org.tenon.TensorStateException;

/**
 * The caching allocator of one device: sizes are rounded to classes, freed blocks are kept and reused by best fit, up to a
 * quarter of the device. Before it says out of memory it empties the cache, asks the garbage collector for tensors that
 * nobody can reach, and tries once more. On a device with a stream, "freed" means that launches already queued may still
 * use the block and later ones come after them; the order of the queue makes that safe.
 *
 * <p>{@code -Dtenon.memory=checked} fills each new buffer with a NaN pattern and puts a guard band on both sides, which is
 * looked at when the buffer is freed: an op that writes outside its output is found, and one that reads what it never
 * wrote gives NaN. {@code -Dtenon.memory=exact} is for simulators that know of each byte whose it is and whether it was
 * set: a buffer has just the bytes asked for, and memory that was a buffer's is never another's, nor given back.
 */
public final class Allocator {
    private static final long ROUND = 512;
    private static final long GUARD = 512;
    private static final byte POISON = (byte) 0xFF;
    private static final long FIRST_COLLECTION = 256L << 20;
    private static final String MODE = System.getProperty("tenon.memory", "");
    private static final boolean CHECKED = MODE.equals("checked");
    private static final boolean EXACT = MODE.equals("exact");

    private final String device;
    private final RawMemory memory;
    private final FreeBlocks cache = new FreeBlocks();
    private long reservedBytes;
    private long liveBytes;
    private long liveBuffers;
    private long peakBytes;
    private long nextCollection = FIRST_COLLECTION;
    private volatile Reserve reserve;

    /** The allocator of {@code device}, for its messages. */
    public Allocator(String device, RawMemory memory) {
        this.device = device;
        this.memory = memory;
    }

    /** A buffer of at least {@code bytes} arbitrary bytes, aligned to 64 at least. */
    public Buffer allocate(long bytes) {
        if (bytes < 0 || bytes > Long.MAX_VALUE / 2) {
            throw new TensorArgumentException(device, "cannot allocate " + bytes + " bytes; ask for 0 to 2^62");
        }
        long wanted = CHECKED ? bytes + 2 * GUARD : bytes;
        long capacity = EXACT ? Math.max(1, wanted) : roundUp(wanted);
        Reserve recording = reserve;
        if (recording != null && recording.serves()) {
            return reserved(recording, capacity, bytes);
        }
        Buffer buffer = take(capacity);
        if (buffer == null) {
            Collected.drain();
            buffer = take(capacity);
        }
        if (buffer == null && pressed(capacity)) {
            Collected.collect();
            collected();
            buffer = take(capacity);
        }
        if (buffer == null) {
            buffer = create(capacity, bytes);
        }
        return handOut(buffer, bytes);
    }

    /** A block for the backend's own use, for as long as the device is there: it is not live, the device has less. */
    public Buffer reserve(long bytes) {
        Buffer buffer = create(EXACT ? bytes : roundUp(bytes), bytes);
        synchronized (this) {
            reservedBytes += buffer.capacity();
        }
        return buffer;
    }

    private Buffer create(long capacity, long bytes) {
        Buffer buffer = fits(capacity) ? memory.create(capacity) : null;
        if (buffer == null) {
            trim();
            Collected.collect();
            trim();
            buffer = fits(capacity) ? memory.create(capacity) : null;
        }
        if (buffer == null) {
            throw new OutOfDeviceMemoryException(
                    device, bytes, outOfMemory(bytes) + "; close tensors, or ask for less");
        }
        return buffer;
    }

    String device() {
        return device;
    }

    String outOfMemory(long bytes) {
        MemoryStats now = stats();
        String most = now.largestBytes() < now.limitBytes() ? ", a buffer at most " + human(now.largestBytes()) : "";
        return "out of memory asking %s (live %s in %d buffers, cached %s, device %s%s)"
                .formatted(
                        human(bytes),
                        human(now.liveBytes()),
                        now.liveBuffers(),
                        human(now.cachedBytes()),
                        human(now.limitBytes()),
                        most);
    }

    /**
     * Memory for a recording: until {@link Reserve#stop} it serves what the calling thread allocates. There is one at a
     * time that records.
     */
    public Reserve record() {
        reserve = new Reserve(this);
        return reserve;
    }

    void recorded() {
        reserve = null;
    }

    /** A block for a reserve, or null where there is none; it counts as live from now on. */
    Buffer giveAway(long capacity) {
        Buffer buffer = take(capacity);
        if (buffer == null && fits(capacity)) {
            buffer = memory.create(capacity);
        }
        if (buffer != null) {
            count(buffer);
        }
        return buffer;
    }

    private synchronized boolean fits(long capacity) {
        return capacity <= limit() - liveBytes - cache.bytes();
    }

    private long limit() {
        return memory.limit() - reservedBytes;
    }

    private synchronized boolean pressed(long capacity) {
        return liveBytes + capacity > nextCollection && Collected.watched() > 0;
    }

    private synchronized void collected() {
        nextCollection = Math.max(FIRST_COLLECTION, 2 * liveBytes);
    }

    private synchronized Buffer take(long capacity) {
        return cache.take(capacity, most(capacity));
    }

    /** The largest block that is taken for one of this capacity. */
    static long most(long capacity) {
        return capacity + capacity / 4 + ROUND;
    }

    private Buffer handOut(Buffer buffer, long bytes) {
        try {
            prepare(buffer, bytes);
        } catch (RuntimeException e) {
            buffer.release();
            throw e;
        }
        count(buffer);
        return buffer;
    }

    private static Buffer reserved(Reserve from, long capacity, long bytes) {
        Buffer buffer = from.take(capacity, bytes);
        try {
            return prepare(buffer, bytes);
        } catch (RuntimeException e) {
            from.takeBack(buffer);
            throw e;
        }
    }

    private static Buffer prepare(Buffer buffer, long bytes) {
        if (CHECKED) {
            buffer.fillBytes(0, buffer.capacity(), POISON);
        }
        buffer.use(CHECKED ? GUARD : 0, bytes);
        return buffer;
    }

    private synchronized void count(Buffer buffer) {
        liveBytes += buffer.capacity();
        liveBuffers++;
        peakBytes = Math.max(peakBytes, liveBytes);
    }

    /** Takes a buffer back, for reuse. */
    public void free(Buffer buffer) {
        if (buffer.reserve() != null) {
            buffer.reserve().takeBack(buffer);
            return;
        }
        Reserve recording = reserve;
        if (CHECKED && recording != null && recording.serves()) {
            recording.later(buffer);
            return;
        }
        boolean damaged = false;
        try {
            damaged = CHECKED && !guardsHold(buffer);
        } finally {
            takeBack(buffer);
        }
        if (damaged) {
            throw new TensorStateException(
                    device,
                    "a kernel wrote outside a buffer of " + buffer.bytes() + " bytes; this is a bug of the kernel");
        }
    }

    void takeBack(Buffer buffer) {
        boolean keep;
        synchronized (this) {
            liveBytes -= buffer.capacity();
            liveBuffers--;
            if (EXACT) {
                return;
            }
            keep = cache.bytes() + buffer.capacity() <= memory.limit() / 4;
            if (keep) {
                cache.add(buffer);
            }
        }
        if (!keep) {
            buffer.release();
        }
    }

    private static boolean guardsHold(Buffer buffer) {
        long end = buffer.base() + buffer.bytes();
        return buffer.allBytes(0, buffer.base(), POISON) && buffer.allBytes(end, buffer.capacity() - end, POISON);
    }

    /** Gives cached blocks back to the system. */
    public void trim() {
        List<Buffer> all = new ArrayList<>();
        synchronized (this) {
            cache.clear(all::add);
        }
        all.forEach(Buffer::release);
    }

    /** The state of this device's memory. */
    public synchronized MemoryStats stats() {
        return new MemoryStats(
                liveBytes, liveBuffers, cache.bytes(), peakBytes, limit(), Math.min(limit(), memory.largest()));
    }

    /** Up to 64 MiB eight classes a power of two, so that at most an eighth is lost; beyond, whole 2 MiB. */
    private static long roundUp(long bytes) {
        long size = Math.max(bytes, ROUND);
        long step = size >= 64L << 20 ? 2L << 20 : Math.max(ROUND, Long.highestOneBit(size) / 8);
        return (size + step - 1) / step * step;
    }

    private static String human(long bytes) {
        if (bytes < 1024) {
            return bytes + " B";
        }
        int unit = (63 - Long.numberOfLeadingZeros(bytes)) / 10;
        String value = String.format(Locale.ROOT, "%.1f", bytes / (double) (1L << (10 * unit)));
        return (value.endsWith(".0") ? value.substring(0, value.length() - 2) : value) + " " + " KMGTPE".charAt(unit)
                + "iB";
    }
}
