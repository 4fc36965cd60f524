package org.tenon.optim;

import java.util.LinkedHashMap;
import java.util.Map;
import org.tenon.DType;
import org.tenon.DeviceType;
import org.tenon.Floating;
import org.tenon.Gradients;
import org.tenon.R0;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;

/**
 * Dynamic loss scaling for float16 (Micikevicius et al. 2018): a large factor keeps small gradients from vanishing. Where one
 * overflows the step is left out and the factor falls; after many good steps it grows again.
 *
 * <pre>{@code
 * Tensor<R0, F32, Dev> loss = Autocast.call(DType.F16, () -> F.crossEntropy(model.forward(x), y));
 * Gradients gradients = scaler.unscale(scaler.scale(loss).backward());
 * scaler.step(optimizer, gradients.clipNorm(1));
 * scaler.update();
 * }</pre>
 *
 * <p>PyTorch: {@code torch.amp.GradScaler}.
 */
public final class GradScaler {
    private final Options options;
    private double scale;
    private long good;
    private boolean overflowed;

    /**
     * How the factor moves.
     *
     * @param initialScale the factor at first
     * @param growth by how much it grows, more than 1
     * @param backoff by how much it falls, in (0, 1)
     * @param interval after how many good updates in a row it grows
     */
    public record Options(double initialScale, double growth, double backoff, long interval) {
        /** PyTorch's: 65536, 2, 0.5, 2000. */
        public static final Options DEFAULTS = new Options(65536, 2, 0.5, 2000);
    }

    /** With PyTorch's numbers. */
    public GradScaler() {
        this(Options.DEFAULTS);
    }

    /** With these. */
    public GradScaler(Options options) {
        boolean good = options.initialScale() > 0
                && options.initialScale() < Double.POSITIVE_INFINITY
                && options.growth() > 1
                && options.backoff() > 0
                && options.backoff() < 1
                && options.interval() >= 1;
        if (!good) {
            throw new TensorArgumentException(
                    "GradScaler",
                    options + " is bad; the scale is positive, growth above 1, backoff in (0, 1), interval 1 or more");
        }
        this.options = options;
        scale = options.initialScale();
    }

    /** The factor. */
    public double scale() {
        return scale;
    }

    /** The loss times the factor, for {@code backward}. */
    public <D extends Floating, Dev extends DeviceType> Tensor<R0, D, Dev> scale(Tensor<R0, D, Dev> loss) {
        if (loss.dtype() == DType.F16) {
            throw new TensorArgumentException(
                    "GradScaler", "a float16 loss overflows when it is scaled; convert it with to(F32) first");
        }
        return loss.mul(scale);
    }

    /** The gradients of a scaled loss without the factor. */
    public Gradients unscale(Gradients scaled) {
        return scaled.div(scale);
    }

    /**
     * Takes a step if all gradients, from {@link #unscale}, are finite; waits for the device to know. Returns whether it did.
     */
    public boolean step(Optimizer<?, ?> optimizer, Gradients unscaled) {
        if (!unscaled.isFinite()) {
            overflowed = true;
            return false;
        }
        optimizer.step(unscaled);
        return true;
    }

    /** Moves the factor, after the steps of all optimizers. */
    public void update() {
        if (overflowed) {
            scale *= options.backoff();
            good = 0;
        } else if (++good == options.interval()) {
            double larger = scale * options.growth();
            scale = Double.isInfinite((float) larger) ? scale : larger;
            good = 0;
        }
        overflowed = false;
    }

    /** What it remembers: {@code scale} and {@code _growth_tracker}, PyTorch's names. */
    public Map<String, Double> state() {
        Map<String, Double> state = new LinkedHashMap<>();
        state.put("scale", scale);
        state.put("_growth_tracker", (double) good);
        return state;
    }

    /** Goes on from a {@link #state}. */
    public void load(Map<String, Double> saved) {
        if (!saved.keySet().equals(state().keySet()) || !(saved.get("scale") > 0)) {
            throw new TensorArgumentException(
                    "GradScaler",
                    "the state is " + saved + "; " + state().keySet() + " and a positive scale are needed");
        }
        scale = saved.get("scale");
        good = saved.get("_growth_tracker").longValue();
        overflowed = false;
    }
}
