package org.tenon.op;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tenon.DType;
import org.tenon.spi.Backend;
import org.tenon.spi.Strided;
import org.tenon.spi.UpdateStep;

/** Steps of optimizers: parameters changed in place, outside the graph, as many as possible by one kernel. */
public final class Updates {
    private Updates() {}

    /**
     * The change of one parameter.
     *
     * @param step the rule's next step
     * @param parameter what changes
     * @param gradient its gradient
     * @param states those of the rule, null where it goes without one
     * @param rule told when the change is queued
     */
    public record Update(UpdateStep step, Value parameter, Value gradient, Value[] states, Rule rule) {
        /** The next step of {@code rule}. */
        public Update(Value parameter, Value gradient, Value[] states, Rule rule) {
            this(rule.next(), parameter, gradient, states, rule);
        }
    }

    /** How a parameter changes from step to step. */
    public interface Rule {
        /** The step to come. */
        UpdateStep next();

        /** How many steps there were. */
        long steps();

        /** What all have in common whose next steps are equal if they took equally many: a group of parameters. */
        Object group();

        /** So many steps more were taken: 1, or -1 for one that came to nothing. */
        void moved(int more);
    }

    /** What one kernel may do together: captured, only what will have one rule in each run. */
    private record Kind(UpdateStep step, DType dtype, Backend backend, Object group) {}

    /**
     * Makes all changes. Everything is checked, and gradients that need it are copied to row-major order, before the first
     * parameter changes; where a launch fails after that, the rules were told which changes were made.
     */
    public static void run(List<Update> updates) {
        updates.forEach(Updates::check);
        List<Dense> gradients = new ArrayList<>(updates.size());
        try {
            Map<Kind, List<Row>> kinds = new LinkedHashMap<>();
            for (Update each : updates) {
                Dense gradient = Dense.of(each.gradient());
                gradients.add(gradient);
                kinds.computeIfAbsent(kind(each), _ -> new ArrayList<>()).add(new Row(each, gradient.value()));
            }
            kinds.values().forEach(Updates::runAlike);
        } finally {
            gradients.forEach(Dense::close);
        }
    }

    private static Kind kind(Update update) {
        Value p = update.parameter();
        return new Kind(
                update.step(),
                p.dtype(),
                p.backend(),
                Capture.isOn() ? update.rule().group() : null);
    }

    private static void check(Update update) {
        String op = update.step().getClass().getSimpleName();
        Value parameter = update.parameter();
        Checks.operands(op, parameter);
        Checks.floating(op, parameter);
        checkAlike(op, parameter, update.gradient());
        for (Value state : update.states()) {
            if (state != null) {
                checkAlike(op, parameter, state);
            }
        }
        if (!parameter.layout().isContiguous()) {
            throw Checks.error(op, "a parameter must lie in row-major order; use contiguous() for it", parameter);
        }
    }

    private static void checkAlike(String op, Value parameter, Value other) {
        Checks.operands(op, parameter, other);
        Checks.sameDtype(op, parameter, other);
        if (!Arrays.equals(parameter.layout().sizes(), other.layout().sizes())) {
            throw Checks.error(op, "parameter and gradient or state differ in shape", parameter, other);
        }
    }

    /** An update with its gradient in row-major order. */
    private record Row(Update update, Value gradient) {
        Value[] operands() {
            Value[] states = update.states();
            Value[] operands = new Value[2 + states.length];
            operands[0] = update.parameter();
            operands[1] = gradient;
            System.arraycopy(states, 0, operands, 2, states.length);
            return operands;
        }
    }

    /** Rows of one kind: together, unless one writes memory that another uses, which then come one after the other. */
    private static void runAlike(List<Row> rows) {
        List<Row> batch = new ArrayList<>(rows.size());
        Set<Storage> written = Collections.newSetFromMap(new IdentityHashMap<>());
        Set<Storage> read = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Row row : rows) {
            if (meets(row, written, read)) {
                launch(batch);
                batch.clear();
                written.clear();
                read.clear();
            }
            batch.add(row);
            read.add(row.gradient().storage());
            written.add(row.update().parameter().storage());
            for (Value state : row.update().states()) {
                if (state != null) {
                    written.add(state.storage());
                }
            }
        }
        launch(batch);
    }

    private static boolean meets(Row row, Set<Storage> written, Set<Storage> read) {
        Storage parameter = row.update().parameter().storage();
        boolean meets =
                written.contains(row.gradient().storage()) || written.contains(parameter) || read.contains(parameter);
        for (Value state : row.update().states()) {
            meets |= state != null && (written.contains(state.storage()) || read.contains(state.storage()));
        }
        return meets;
    }

    private static void launch(List<Row> batch) {
        Update first = batch.getFirst().update();
        Value[] operands =
                batch.stream().map(Row::operands).flatMap(Arrays::stream).toArray(Value[]::new);
        int width = operands.length / batch.size();
        try (Pins _ = Pins.of(operands)) {
            Strided[][] rows = new Strided[batch.size()][width];
            for (int i = 0; i < operands.length; i++) {
                rows[i / width][i % width] = operands[i] == null ? null : operands[i].strided();
            }
            List<Rule> rules = batch.stream().map(row -> row.update().rule()).toList();
            if (!Capture.updates(first.step(), rows, rules)) {
                first.parameter().backend().kernels().update(first.step(), rows);
                rules.forEach(rule -> rule.moved(1));
            }
        }
        for (Row row : batch) {
            row.update().parameter().storage().modified();
        }
    }
}
