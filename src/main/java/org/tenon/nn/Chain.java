package org.tenon.nn;

import org.tenon.Activation;
import org.tenon.DeviceType;
import org.tenon.EpilogueOptions;
import org.tenon.Floating;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * What the layers of a {@link Sequential} do one after another. A {@link Linear} takes an activation and a {@link Dropout} that follow
 * it, in this order and each at most once, as its epilogue; every other layer is called.
 */
interface Chain<I extends Shape, O extends Shape, D extends Floating, Dev extends DeviceType> {
    Tensor<O, D, Dev> apply(Tensor<I, D, Dev> x);

    /** This and then {@code layer}, which is an activation. */
    default Chain<I, O, D, Dev> activated(Layer<O, O, D, Dev> layer, Activation activation) {
        return x -> layer.forward(apply(x));
    }

    /** This and then {@code layer}. */
    default Chain<I, O, D, Dev> dropped(Dropout<O, D, Dev> layer) {
        return x -> layer.forward(apply(x));
    }

    /**
     * A chain that ends with a map.
     *
     * @param before what comes before it
     * @param linear the map
     * @param activation after it
     * @param dropout after that, or null
     */
    record Mapped<I extends Shape, M extends Shape, O extends Shape, D extends Floating, Dev extends DeviceType>(
            Chain<I, M, D, Dev> before, Linear<M, O, D, Dev> linear, Activation activation, Dropout<O, D, Dev> dropout)
            implements Chain<I, O, D, Dev> {
        Mapped(Chain<I, M, D, Dev> before, Linear<M, O, D, Dev> linear) {
            this(before, linear, Activation.NONE, null);
        }

        @Override
        public Tensor<O, D, Dev> apply(Tensor<I, D, Dev> x) {
            EpilogueOptions<D, Dev> epilogue =
                    EpilogueOptions.<D, Dev>defaults().activation(activation);
            return linear.forward(before.apply(x), dropout == null ? epilogue : dropout.addTo(epilogue));
        }

        @Override
        public Chain<I, O, D, Dev> activated(Layer<O, O, D, Dev> layer, Activation next) {
            return activation == Activation.NONE && dropout == null
                    ? new Mapped<>(before, linear, next, null)
                    : Chain.super.activated(layer, next);
        }

        @Override
        public Chain<I, O, D, Dev> dropped(Dropout<O, D, Dev> layer) {
            return dropout == null ? new Mapped<>(before, linear, activation, layer) : Chain.super.dropped(layer);
        }
    }
}
