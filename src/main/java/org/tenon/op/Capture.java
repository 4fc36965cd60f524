package org.tenon.op;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.tenon.DType;
import org.tenon.Generator;
import org.tenon.TensorStateException;
import org.tenon.spi.Backend;
import org.tenon.spi.RandomOp;
import org.tenon.spi.Recording;
import org.tenon.spi.Strided;
import org.tenon.spi.UpdateStep;

/**
 * A step that runs again and again on one device, see {@code Device.capture}: the first time op by op, which builds kernels
 * and fills caches; the second time its launches are recorded; from then on the recording runs. What the step does on the
 * host is done by {@link Repeat}s, in its order, before each run of the recording, and not while it records: a recording that
 * fails has changed nothing. Where a device cannot record, every run is op by op, under the same rules. For one thread at
 * a time.
 *
 * @param <R> what the step returns
 */
public final class Capture<R> {
    private static final ScopedValue<Capture<?>> CURRENT = ScopedValue.newInstance();

    /** Something on the host that each run of a step does. */
    public interface Repeat {
        /** Does it once more. */
        void advance();

        /** Takes the last time back, since the run failed. */
        default void undo() {}
    }

    private final Backend backend;
    private final List<Repeat> repeats = new ArrayList<>();
    private final Set<Storage> held = Collections.newSetFromMap(new IdentityHashMap<>());
    private Recording recording;
    private boolean rehearsed;
    private boolean records;
    private boolean recorded;
    private boolean closed;
    private Frame results;
    private R result;

    /** Nothing was run yet. */
    public Capture(Backend backend) {
        this.backend = backend;
        recording = backend.recording();
    }

    private static Capture<?> current() {
        return CURRENT.isBound() ? CURRENT.get() : null;
    }

    private static Capture<?> recorder() {
        Capture<?> current = current();
        return current != null && current.records ? current : null;
    }

    /** Throws within a captured step: {@code why} says what the step cannot do, and what would be right. */
    public static void refuse(String op, String why) {
        Capture<?> current = current();
        if (current != null) {
            throw new TensorStateException(op, "a step captured on " + current.backend.name() + " " + why);
        }
    }

    /** Does something on the host, in each run if this is within a captured step. */
    public static void each(Repeat repeat) {
        Capture<?> recorder = recorder();
        if (recorder != null) {
            recorder.repeats.add(repeat);
        } else {
            repeat.advance();
        }
    }

    /** The operands of an op: they are where the step runs, and stay while a recording uses them. */
    static void uses(Value[] operands) {
        Capture<?> current = current();
        if (current != null) {
            for (Value each : operands) {
                if (each != null) {
                    checkDevice(each.madeBy(), each.backend());
                    current.hold(each.storage());
                }
            }
        }
    }

    /** Throws if the step around does not work on this device. */
    static void checkDevice(String op, Backend device) {
        Capture<?> current = current();
        if (current != null && device != current.backend) {
            refuse(
                    op,
                    "works on that device alone, and this is on " + device.name() + "; move it before the step runs");
        }
    }

    private void hold(Storage storage) {
        if (records && !storage.buffer().isReserved() && !held.contains(storage) && storage.retain()) {
            held.add(storage);
        }
    }

    /** A storage was changed in place, and is in each run. */
    static void modifies(Storage storage) {
        Capture<?> recorder = recorder();
        if (recorder != null && !storage.buffer().isReserved()) {
            recorder.repeats.add(storage::changed);
        }
    }

    /** Records random numbers, of which each run draws others; false, and nothing done, where nothing is recorded. */
    static boolean draws(RandomOp op, Generator generator, long counters, double p0, double p1, Strided out) {
        Capture<?> current = current();
        if (current == null || current.recording == null) {
            return false;
        }
        if (!current.records) {
            current.recording.prepare(op, out.dtype());
            return false;
        }
        Recording.Draw draw = current.recording.random(op, p0, p1, out);
        current.repeats.add(() -> draw.from(generator.seed(), generator.advance(counters)));
        return true;
    }

    /** Whether launches are recorded now, and where draws start is to be asked of {@link #draws(Generator, long, Strided)}. */
    static boolean isRecording() {
        Capture<?> recorder = recorder();
        return recorder != null && recorder.recording != null;
    }

    /** Within a step that will be recorded, gets ready for draws by kernels that are told seed and counter. */
    static void preparesDraw(DType dtype) {
        Capture<?> current = current();
        if (current != null && current.recording != null && !current.records) {
            current.recording.prepareDraw(dtype);
        }
    }

    /** Records seed and counter of a draw, two of int64, which each run tells anew. */
    static void draws(Generator generator, long counters, Strided out) {
        Capture<?> recorder = recorder();
        Recording.Draw draw = recorder.recording.draw(out);
        recorder.repeats.add(() -> draw.from(generator.seed(), generator.advance(counters)));
    }

    /** The same of an update of parameters by these rules, which agree. */
    static boolean updates(UpdateStep step, Strided[][] rows, List<Updates.Rule> rules) {
        Capture<?> current = current();
        if (current == null || current.recording == null) {
            return false;
        }
        if (!current.records) {
            current.recording.prepare(step, rows[0]);
            return false;
        }
        current.repeats.add(new UpdateRepeat(current.recording.update(step, rows), rules));
        return true;
    }

    /** Whether updates are recorded, or will be. */
    static boolean isOn() {
        return CURRENT.isBound();
    }

    private record UpdateRepeat(Recording.Change change, List<Updates.Rule> rules) implements Repeat {
        @Override
        public void advance() {
            Updates.Rule first = rules.getFirst();
            for (int i = 1; i < rules.size(); i++) {
                if (rules.get(i).steps() != first.steps()) {
                    throw new TensorStateException(
                            "capture",
                            "parameters whose update was captured together have taken " + first.steps() + " and "
                                    + rules.get(i).steps() + " steps by now; capture the step anew");
                }
            }
            change.by(first.next());
            move(1);
        }

        @Override
        public void undo() {
            move(-1);
        }

        private void move(int steps) {
            for (int i = 0; i < rules.size(); i++) {
                rules.get(i).moved(steps);
            }
        }
    }

    /** Runs the step, whose {@code body} is the same each time; what it returns stays until the next run. */
    public R run(Supplier<R> body) {
        refuse("capture", "cannot run another one; run them one after the other");
        if (closed) {
            throw new TensorStateException("capture", "the captured step was closed; capture it anew");
        }
        if (!recorded && recording != null && rehearsed) {
            record(body);
        }
        if (recorded) {
            repeat();
        } else {
            result = call(body);
            rehearsed = true;
        }
        return result;
    }

    private R call(Supplier<R> body) {
        closeResults();
        Frame frame = Frame.open();
        try {
            R returned = ScopedValue.where(CURRENT, this).call(() -> frame.call(body::get));
            results = frame;
            return returned;
        } catch (RuntimeException | Error e) {
            frame.close();
            throw e;
        }
    }

    private void record(Supplier<R> body) {
        closeResults();
        try {
            recording.record(() -> {
                records = true;
                try {
                    result = call(body);
                } finally {
                    records = false;
                }
            });
            recorded = true;
        } catch (RuntimeException | Error e) {
            forget();
            recording = backend.recording();
            rehearsed = false;
            throw e;
        }
    }

    private void repeat() {
        int done = 0;
        try {
            for (; done < repeats.size(); done++) {
                repeats.get(done).advance();
            }
            recording.run();
        } catch (RuntimeException | Error e) {
            while (--done >= 0) {
                repeats.get(done).undo();
            }
            throw e;
        }
    }

    private void closeResults() {
        if (results != null) {
            Frame old = results;
            results = null;
            result = null;
            old.close();
        }
    }

    private void forget() {
        try {
            closeResults();
        } finally {
            if (recording != null) {
                recording.close();
                recording = null;
            }
            repeats.clear();
            List<Storage> all = List.copyOf(held);
            held.clear();
            all.forEach(Storage::release);
        }
    }

    /** Gives back the memory of the recording and what the last run returned. */
    public void close() {
        closed = true;
        forget();
    }
}
