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
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.op.Copies;
import org.tenon.op.Recurrence;
import org.tenon.op.Value;
import org.tenon.op.Views;

/**
 * What {@link GRU} and {@link LSTM} share: layers over sequences, one fed by the other. The parameters of layer k have
 * PyTorch's names, {@code weight_ih_lk, weight_hh_lk, bias_ih_lk, bias_hh_lk}, and start uniform on
 * {@code (-1/sqrt(H), 1/sqrt(H))}.
 *
 * @param <D> element type
 * @param <Dev> device type
 */
public abstract sealed class Recurrent<D extends Floating, Dev extends DeviceType> extends Module<D, Dev>
        permits GRU, LSTM {
    private final Recurrence.Cell cell;
    private final Options options;
    private final Generator generator;
    private final List<Recurrence.Weights> layers = new ArrayList<>();

    /** Which axis of input and output comes first. */
    public enum Order {
        /** (T, N, features). */
        TIME_FIRST,
        /** (N, T, features). PyTorch: {@code batch_first=True}. */
        BATCH_FIRST
    }

    /**
     * Beside the sizes.
     *
     * @param layers how many, 1 or more
     * @param dropout between them, while training
     * @param order of the axes
     */
    public record Options(int layers, double dropout, Order order) {
        /** PyTorch's: one layer, no dropout, time first. */
        public static final Options DEFAULTS = new Options(1, 0, Order.TIME_FIRST);

        /** With several layers. */
        public Options layers(int newLayers) {
            return new Options(newLayers, dropout, order);
        }

        /** With dropout between layers. */
        public Options dropout(double newDropout) {
            return new Options(layers, newDropout, order);
        }

        /** With another order of axes. */
        public Options order(Order newOrder) {
            return new Options(layers, dropout, newOrder);
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
                    cell.name().toLowerCase(java.util.Locale.ROOT),
                    "sizes " + in + " to " + hidden + " in " + options.layers() + " layers are bad; all are 1 or more");
        }
        if (!(options.dropout() >= 0 && options.dropout() <= 1)) {
            throw new TensorArgumentException(
                    cell.name().toLowerCase(java.util.Locale.ROOT),
                    "dropout " + options.dropout() + " is outside [0, 1]");
        }
        this.cell = cell;
        this.options = options;
        this.generator = generator;
        double bound = 1 / Math.sqrt(hidden);
        long rows = cell.gates() * hidden;
        for (int k = 0; k < options.layers(); k++) {
            R2<Dim, Dim> inputShape = R2.of(rows, k == 0 ? in : hidden);
            layers.add(new Recurrence.Weights(
                    register("weight_ih_l" + k, device.uniform(inputShape, -bound, bound, dtype, generator))
                            .value(),
                    register("weight_hh_l" + k, device.uniform(R2.of(rows, hidden), -bound, bound, dtype, generator))
                            .value(),
                    register("bias_ih_l" + k, device.uniform(R1.of(rows), -bound, bound, dtype, generator))
                            .value(),
                    register("bias_hh_l" + k, device.uniform(R1.of(rows), -bound, bound, dtype, generator))
                            .value()));
        }
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
