package org.tenon.spi;

import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Frees what belongs to objects that the garbage collector found unreachable: tensors made outside any scope. An allocator
 * that runs short asks it to {@link #collect} first, since the Java heap alone does not know how much device memory a
 * small object holds.
 */
public final class Collected {
    private static final ReferenceQueue<Object> QUEUE = new ReferenceQueue<>();
    private static final Set<Watch> WATCHES = ConcurrentHashMap.newKeySet();
    private static final AtomicLong FREED = new AtomicLong();

    static {
        Thread.ofPlatform().daemon().name("tenon-collected").start(Collected::loop);
    }

    private Collected() {}

    /** A watched object; cancel it when the object is closed by hand. */
    public static final class Watch extends PhantomReference<Object> {
        private final Runnable action;

        private Watch(Object object, Runnable action) {
            super(object, QUEUE);
            this.action = action;
        }

        /** Forgets the object: its action will not run. */
        public void cancel() {
            WATCHES.remove(this);
            clear();
        }

        private void run() {
            if (WATCHES.remove(this)) {
                FREED.incrementAndGet();
                action.run();
            }
        }
    }

    /** Runs {@code action}, which must not refer to {@code object}, once the object is unreachable. */
    public static Watch watch(Object object, Runnable action) {
        Watch watch = new Watch(object, action);
        WATCHES.add(watch);
        Reference.reachabilityFence(object);
        return watch;
    }

    /** How many objects are watched. */
    public static int watched() {
        return WATCHES.size();
    }

    /** How many objects the collector found since the start. */
    public static long freed() {
        return FREED.get();
    }

    /** Runs the actions of what the collector found already. */
    public static void drain() {
        for (Reference<?> found = QUEUE.poll(); found != null; found = QUEUE.poll()) {
            ((Watch) found).run();
        }
    }

    /** Asks for a collection and runs the actions of what it found. */
    public static void collect() {
        if (WATCHES.isEmpty()) {
            return;
        }
        System.gc();
        try {
            for (Reference<?> found = QUEUE.remove(50); found != null; found = QUEUE.remove(5)) {
                ((Watch) found).run();
                drain();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void loop() {
        while (true) {
            try {
                ((Watch) QUEUE.remove()).run();
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                Thread.currentThread().getUncaughtExceptionHandler().uncaughtException(Thread.currentThread(), e);
            }
        }
    }
}
