package org.tenon.op;

import java.util.Arrays;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tenon.DType;
import org.tenon.TensorStateException;
import org.tenon.spi.Backend;
import org.tenon.spi.Collected;
import org.tenon.spi.Strided;

/**
 * A tensor without its types: memory, layout, element type, and its place in the graph of gradients. It either has a new
 * buffer to itself or is a view that shares another's. It ends when its frame closes, when {@link #close} is called, or,
 * outside any frame, when the collector finds it.
 */
public final class Value {
    private final Storage storage;
    private final DType dtype;
    private final Layout layout;
    private final String madeBy;
    private final Lease lease;
    private volatile Frame owner;
    private Collected.Watch watch;

    private Value(Storage storage, DType dtype, Layout layout, String madeBy, Node node, Frame frame) {
        this.storage = storage;
        this.dtype = dtype;
        this.layout = layout;
        this.madeBy = madeBy;
        this.lease = new Lease(storage, node, Leaks.origin(madeBy));
        moveTo(frame);
    }

    /** A new value with a buffer of its own and arbitrary contents. */
    public static Value allocate(String op, Backend backend, DType dtype, long... sizes) {
        Layout layout = Layout.contiguous(op, dtype, sizes);
        Checks.supports(op, backend, dtype);
        Capture.checkDevice(op, backend);
        Storage storage = new Storage(backend, backend.allocator().allocate(layout.count() * dtype.bytes()));
        return new Value(storage, dtype, layout, op, null, Frame.current());
    }

    /** A view of the same memory; not yet part of the graph. */
    Value view(String op, Layout newLayout) {
        return share(op, newLayout, null, Frame.current());
    }

    /** The same memory and place in the graph under another life. */
    public Value alias() {
        return aliasIn(Frame.current());
    }

    Value aliasIn(Frame frame) {
        Node node = retainNode();
        try {
            return share(madeBy, layout, node, frame);
        } catch (RuntimeException e) {
            if (node != null) {
                node.release();
            }
            throw e;
        }
    }

    private Value share(String op, Layout newLayout, Node node, Frame frame) {
        if (lease.closed() || !storage.retain()) {
            throw closedError();
        }
        return new Value(storage, dtype, newLayout, op, node, frame);
    }

    /** The caller has seen to it that the memory is not free yet. */
    static Value restore(Storage storage, DType dtype, Layout layout, Node node) {
        storage.retain();
        if (node != null) {
            node.retain();
        }
        return new Value(storage, dtype, layout, "saved", node, Frame.current());
    }

    Frame owner() {
        return owner;
    }

    void moveTo(Frame frame) {
        owner = frame;
        if (frame != null) {
            frame.add(this);
        } else if (watch == null) {
            Lease unowned = lease;
            watch = Collected.watch(this, () -> {
                Leaks.report(unowned.origin);
                unowned.close("");
            });
        }
    }

    /** The element type. */
    public DType dtype() {
        return dtype;
    }

    /** The device. */
    public Backend backend() {
        return storage.backend();
    }

    /** Where the elements are. */
    public Layout layout() {
        return layout;
    }

    /** The size of each axis, as a copy. */
    public long[] sizes() {
        return layout.sizes().clone();
    }

    /** The size of axis {@code dim}, counted from 0. */
    public long size(int dim) {
        return layout.sizes()[dim];
    }

    /** The number of axes. */
    public int rank() {
        return layout.sizes().length;
    }

    /** The number of elements. */
    public long count() {
        return layout.count();
    }

    /** The op that made it. */
    public String madeBy() {
        return madeBy;
    }

    /** The memory as a kernel sees it. Keep the value in {@link Pins} while a kernel runs. */
    public Strided strided() {
        return layout.over(storage.buffer(), dtype);
    }

    Storage storage() {
        return storage;
    }

    Node node() {
        return lease.node();
    }

    /** The node, held for the caller, or null where nothing is tracked; throws if a tracked value was closed meanwhile. */
    Node retainNode() {
        Node node = lease.retainNode();
        if (node == null && lease.wasTracked()) {
            throw closedError();
        }
        return node;
    }

    /** Gives this value its place in the graph. */
    void attach(Node node) {
        lease.attach(node);
    }

    /** Whether gradients flow to or through it, or did until it was closed. */
    public boolean isTracked() {
        return lease.node() != null || lease.wasTracked();
    }

    /** Whether it was closed. */
    public boolean isClosed() {
        return lease.closed();
    }

    /** Throws if it was closed. */
    public void checkOpen() {
        if (lease.closed()) {
            throw closedError();
        }
    }

    TensorStateException closedError() {
        String where = lease.origin == null
                ? "created by " + madeBy + "; run with -Dtenon.leaks=trace to see where"
                : "created by " + madeBy + " " + Leaks.describe(lease.origin);
        return new TensorStateException("", lease.closedBy() + " (" + where + ")");
    }

    /** Lets go of the memory; views, running kernels and saved operands of it keep theirs. Harmless when repeated. */
    public void close() {
        end("tensor used after it was closed");
    }

    void closeByScope() {
        end("tensor used after its scope closed");
    }

    private void end(String reason) {
        if (watch != null) {
            watch.cancel();
        }
        lease.close(reason);
    }

    /** {@code float32[2, 5] on cpu}, for messages. */
    public String describe() {
        return dtype + Arrays.toString(layout.sizes()) + " on " + backend().name();
    }

    /** The value's hold on its memory and graph node, apart from the value so that the collector's action can have it. */
    private static final class Lease {
        private final Storage storage;
        private final Throwable origin;
        private Node node;
        private boolean tracked;
        private String closedBy;

        Lease(Storage storage, Node node, Throwable origin) {
            this.storage = storage;
            this.node = node;
            this.origin = origin;
        }

        synchronized Node node() {
            return node;
        }

        synchronized Node retainNode() {
            if (node != null) {
                node.retain();
            }
            return node;
        }

        /** Whether it was closed while it had a node. */
        synchronized boolean wasTracked() {
            return tracked;
        }

        synchronized void attach(Node newNode) {
            node = newNode;
        }

        synchronized boolean closed() {
            return closedBy != null;
        }

        synchronized String closedBy() {
            return closedBy == null ? "tensor used after it was closed" : closedBy;
        }

        void close(String reason) {
            Node released;
            synchronized (this) {
                if (closedBy != null) {
                    return;
                }
                closedBy = reason;
                released = node;
                tracked = node != null;
                node = null;
            }
            storage.release();
            if (released != null) {
                released.release();
            }
        }
    }

    /** Where values come from, when {@code -Dtenon.leaks=count|trace} asks, and a word on those the collector had to free. */
    static final class Leaks {
        private static final Logger LOG = LoggerFactory.getLogger("org.tenon.leaks");
        private static final String MODE = System.getProperty("tenon.leaks", "off");
        private static final boolean COUNT = MODE.equals("count") || MODE.equals("trace");
        private static final boolean TRACE = MODE.equals("trace");
        private static final Pattern LIBRARY = Pattern.compile(
                "org\\.tenon\\.([A-Z]|(op|spi|cpu|gpu|opencl|cuda|nn|optim|data|io|metrics)\\.)|java\\.");

        private Leaks() {}

        static Throwable origin(String op) {
            return TRACE ? new Throwable(op) : null;
        }

        static String describe(Throwable origin) {
            for (StackTraceElement frame : origin.getStackTrace()) {
                if (!LIBRARY.matcher(frame.getClassName()).lookingAt()) {
                    return "at " + frame;
                }
            }
            return "at " + origin.getStackTrace()[0];
        }

        static void report(Throwable origin) {
            if (COUNT) {
                if (origin != null) {
                    LOG.warn("a tensor outside any scope was freed by the collector, created {}", describe(origin));
                } else if (Long.bitCount(Collected.freed()) == 1) {
                    LOG.warn("{} tensors outside any scope were freed by the collector so far", Collected.freed());
                }
            }
        }
    }
}
