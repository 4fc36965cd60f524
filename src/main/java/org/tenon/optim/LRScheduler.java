package org.tenon.optim;

import java.util.LinkedHashMap;
import java.util.Map;
import org.tenon.TensorArgumentException;
import org.tenon.op.Capture;

/**
 * Sets the learning rates of an optimizer's groups by a {@link Schedule}: at once, and after every step of training when
 * {@link #step} is called. Each group's rate at construction is its base. PyTorch: {@code LRScheduler}.
 */
public final class LRScheduler {
    private final Optimizer<?, ?> optimizer;
    private final Schedule schedule;
    private final double[] bases;
    private long steps;

    /** Takes the groups' rates as bases and sets those of step 0. */
    public LRScheduler(Optimizer<?, ?> optimizer, Schedule schedule) {
        this.optimizer = optimizer;
        this.schedule = schedule;
        bases = optimizer.groups().stream().mapToDouble(ParameterGroup::lr).toArray();
        apply();
    }

    /** One step more: call it after the optimizer's, within a captured step or between its runs. */
    public void step() {
        Capture.each(new Capture.Repeat() {
            @Override
            public void advance() {
                move(1);
            }

            @Override
            public void undo() {
                move(-1);
            }
        });
    }

    private void move(int more) {
        steps += more;
        apply();
    }

    private void apply() {
        for (int i = 0; i < bases.length; i++) {
            optimizer.groups().get(i).scheduled(schedule.rate(bases[i], steps));
        }
    }

    /** The number of steps so far. */
    public long steps() {
        return steps;
    }

    /** What it remembers: {@code last_epoch}, the number of steps, and {@code base_lrs.0} and so on. */
    public Map<String, Double> state() {
        Map<String, Double> state = new LinkedHashMap<>();
        state.put("last_epoch", (double) steps);
        for (int i = 0; i < bases.length; i++) {
            state.put("base_lrs." + i, bases[i]);
        }
        return state;
    }

    /** Goes on from a {@link #state}: the schedule itself is not part of it. */
    public void load(Map<String, Double> saved) {
        if (!saved.keySet().equals(state().keySet())) {
            throw new TensorArgumentException(
                    "LRScheduler", "the state has " + saved.keySet() + "; " + state().keySet() + " are needed");
        }
        steps = saved.get("last_epoch").longValue();
        for (int i = 0; i < bases.length; i++) {
            bases[i] = saved.get("base_lrs." + i);
        }
        apply();
    }
}
