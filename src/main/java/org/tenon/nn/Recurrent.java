package org.tenon.nn;

import java.util.ArrayList;
import java.util.List;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.Shape;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.op.Copies;
import org.tenon.op.Recurrence;
import org.tenon.op.Value;
import org.tenon.op.Views;

/**
 * What {@link RNN}, {@link GRU} and {@link LSTM} share: layers over sequences, one fed by the other. The parameters of layer k
 * have PyTorch's names, {@code weight_ih_lk, weight_hh_lk, bias_ih_lk, bias_hh_lk}, those of its second direction
 * {@code _reverse} behind them, and start uniform on {@code (-1/sqrt(H), 1/sqrt(H))}.
 *
 * @param <D> element type
 * @param <Dev> device type
 */
public abstract sealed class Recurrent<D extends Floating, Dev extends DeviceType> extends Module<D, Dev>
        permits RNN, GRU, LSTM {
    private final Recurrence.Cell cell;
    private final Options options;
    private final Generator generator;
    private final List<List<Recurrence.Weights>> layers = new ArrayList<>();

    /** Which axis of input and output comes first. */
    public enum Order {
        /** (T, N, features). */
        TIME_FIRST,
        /** (N, T, features). PyTorch: {@code batch_first=True}. */
        BATCH_FIRST
    }

    /** Which way a layer goes through a sequence. */
    public enum Direction {
        /** From the first step to the last. */
        FORWARD,
        /**
         * One half of the layer that way, the other from the last step to the first; the features of their states are joined,
         * twice as many. PyTorch: {@code bidirectional=True}.
         */
        BOTH
    }

    /**
     * Beside the sizes.
     *
     * @param layers how many, 1 or more
     * @param dropout between them, while training
     * @param order of the axes
     * @param direction of each layer
     */
    public record Options(int layers, double dropout, Order order, Direction direction) {
        /** PyTorch's: one layer, no dropout, time first, forward. */
        public static final Options DEFAULTS = new Options(1, 0, Order.TIME_FIRST, Direction.FORWARD);

        /** With several layers. */
        public Options layers(int newLayers) {
            return new Options(newLayers, dropout, order, direction);
        }

        /** With dropout between layers. */
        public Options dropout(double newDropout) {
            return new Options(layers, newDropout, order, direction);
        }

        /** With another order of axes. */
        public Options order(Order newOrder) {
            return new Options(layers, dropout, newOrder, direction);
        }

        /** With another direction. */
        public Options direction(Direction newDirection) {
            return new Options(layers, dropout, order, newDirection);
        }

        int directions() {
            return direction == Direction.BOTH ? 2 : 1;
        }
    }

    Recurrent(
            Recurrence.Cell cell,
            Device<Dev> device,
            D dtype,
            long in,
            long hidden,
            Options options,
            Generator generator) {
        if (in < 1 || hidden < 1 || options.layers() < 1) {
            throw new TensorArgumentException(
                    cell.op(),
                    "sizes " + in + " to " + hidden + " in " + options.layers() + " layers are bad; all are 1 or more");
        }
        if (!(options.dropout() >= 0 && options.dropout() <= 1)) {
            throw new TensorArgumentException(cell.op(), "dropout " + options.dropout() + " is outside [0, 1]");
        }
        this.cell = cell;
        this.options = options;
        this.generator = generator;
        for (int k = 0; k < options.layers(); k++) {
            long features = k == 0 ? in : options.directions() * hidden;
            List<Recurrence.Weights> layer = new ArrayList<>();
            layer.add(weights(device, dtype, features, hidden, "_l" + k));
            if (options.direction() == Direction.BOTH) {
                layer.add(weights(device, dtype, features, hidden, "_l" + k + "_reverse"));
            }
            layers.add(layer);
        }
    }

    private Recurrence.Weights weights(Device<Dev> device, D dtype, long features, long hidden, String suffix) {
        long rows = cell.gates() * hidden;
        return new Recurrence.Weights(
                uniform(device, dtype, "weight_ih" + suffix, R2.of(rows, features), hidden),
                uniform(device, dtype, "weight_hh" + suffix, R2.of(rows, hidden), hidden),
                uniform(device, dtype, "bias_ih" + suffix, R1.of(rows), hidden),
                uniform(device, dtype, "bias_hh" + suffix, R1.of(rows), hidden));
    }

    private Value uniform(Device<Dev> device, D dtype, String name, Shape shape, long hidden) {
        double bound = 1 / Math.sqrt(hidden);
        return register(name, device.uniform(shape, -bound, bound, dtype, generator))
                .value();
    }

    /** The values of {@link Recurrence#run}, the first in this module's order of axes. */
    final Value[] run(
            Tensor<?, D, Dev> x, Tensor<R3<Dim, Dim, Dim>, D, Dev> hidden, Tensor<R3<Dim, Dim, Dim>, D, Dev> memory) {
        boolean turned = options.order() == Order.BATCH_FIRST;
        Value[] results = Recurrence.run(
                cell,
                turned ? Views.transpose(x.value(), 0, 1) : x.value(),
                hidden == null ? null : hidden.value(),
                memory == null ? null : memory.value(),
                layers,
                isTraining() ? options.dropout() : 0,
                generator);
        if (turned) {
            results[0] = Copies.contiguous(Views.transpose(results[0], 0, 1));
        }
        return results;
    }
}
