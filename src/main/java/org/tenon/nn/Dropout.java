package org.tenon.nn;

import org.tenon.DeviceType;
import org.tenon.EpilogueOptions;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.Shape;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;

/**
 * Dropout while training, nothing in evaluation (Srivastava et al. 2014). PyTorch: {@code torch.nn.Dropout}.
 *
 * @param <S> any shape
 * @param <D> element type
 * @param <Dev> device type
 */
public final class Dropout<S extends Shape, D extends Floating, Dev extends DeviceType> extends Layer<S, S, D, Dev> {
    private final double p;
    private final Generator generator;

    /** Each element is dropped with probability {@code p}; the others are divided by {@code 1 - p}. */
    public Dropout(double p, Generator generator) {
        if (!(p >= 0 && p <= 1)) {
            throw new TensorArgumentException("dropout", "probability " + p + " is outside [0, 1]");
        }
        this.p = p;
        this.generator = generator;
    }

    @Override
    public Tensor<S, D, Dev> forward(Tensor<S, D, Dev> x) {
        return isTraining() && p > 0 ? F.dropout(x, p, generator) : x;
    }

    @Override
    <J extends Shape> Chain<J, S, D, Dev> after(Chain<J, S, D, Dev> before) {
        return before.dropped(this);
    }

    /** As a part of an epilogue. */
    EpilogueOptions<D, Dev> addTo(EpilogueOptions<D, Dev> epilogue) {
        return epilogue.dropout(isTraining() ? p : 0, generator);
    }
}
