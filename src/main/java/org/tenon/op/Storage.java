package org.tenon.op;

import java.util.concurrent.atomic.AtomicInteger;
import org.tenon.spi.Backend;
import org.tenon.spi.Buffer;

/**
 * A buffer and how many users it has: tensors, views, saved operands, running kernels. It goes back to its allocator when
 * the last lets go, so one thread may close a tensor while another computes with it.
 */
final class Storage {
    private final Backend backend;
    private final Buffer buffer;
    private final AtomicInteger users = new AtomicInteger(1);
    private volatile int version;

    Storage(Backend backend, Buffer buffer) {
        this.backend = backend;
        this.buffer = buffer;
    }

    Backend backend() {
        return backend;
    }

    Buffer buffer() {
        return buffer;
    }

    /** Adds a user, unless the last one has gone. */
    boolean retain() {
        int now = users.get();
        while (now > 0) {
            if (users.compareAndSet(now, now + 1)) {
                return true;
            }
            now = users.get();
        }
        return false;
    }

    void release() {
        if (users.decrementAndGet() == 0) {
            backend.allocator().free(buffer);
        }
    }

    /** Counts changes in place, so that a saved operand can tell that it is no longer what it was. */
    int version() {
        return version;
    }

    void modified() {
        changed();
        Capture.modifies(this);
    }

    synchronized void changed() {
        version++;
    }
}
