package org.tenon.data;

import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.HostArray;
import org.tenon.Shape;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;

/**
 * Inputs and targets whose rows belong together, in host memory. PyTorch: {@code TensorDataset}.
 *
 * <pre>{@code
 * var data = TensorDataset.of(pixels, labels);
 * var loader = DataLoader.of(data.on(device), 64).shuffle(seed);
 * }</pre>
 *
 * @param <S> the inputs' shape
 * @param <D> the inputs' element type
 * @param <T> the targets' shape
 * @param <E> the targets' element type
 */
public final class TensorDataset<S extends Shape, D extends DType, T extends Shape, E extends DType> {
    private final HostArray<S, D> inputs;
    private final HostArray<T, E> targets;

    private TensorDataset(HostArray<S, D> inputs, HostArray<T, E> targets) {
        this.inputs = inputs;
        this.targets = targets;
    }

    /** Row {@code i} of the one with row {@code i} of the other. */
    public static <S extends Shape, D extends DType, T extends Shape, E extends DType> TensorDataset<S, D, T, E> of(
            HostArray<S, D> inputs, HostArray<T, E> targets) {
        if (inputs.rank() == 0 || targets.rank() == 0 || inputs.size(0) != targets.size(0)) {
            throw new TensorArgumentException(
                    "tensorDataset", inputs + " and " + targets + " do not have the same number of rows");
        }
        if (inputs.size(0) > Integer.MAX_VALUE) {
            throw new TensorArgumentException(
                    "tensorDataset", inputs.size(0) + " rows are too many; at most 2^31 - 1 are allowed");
        }
        return new TensorDataset<>(inputs, targets);
    }

    /** The number of samples. */
    public int size() {
        return (int) inputs.size(0);
    }

    /** The inputs. */
    public HostArray<S, D> inputs() {
        return inputs;
    }

    /** The targets. */
    public HostArray<T, E> targets() {
        return targets;
    }

    /** The samples {@code from} to {@code to}, exclusive, as a copy. */
    public TensorDataset<S, D, T, E> range(int from, int to) {
        if (from < 0 || from > to || to > size()) {
            throw new TensorArgumentException("range", "[" + from + ", " + to + ") is not within [0, " + size() + ")");
        }
        int[] rows = java.util.stream.IntStream.range(from, to).toArray();
        return new TensorDataset<>(inputs.rows(rows), targets.rows(rows));
    }

    /** Batches on a device: rows are gathered in host memory and then copied there. */
    public <Dev extends DeviceType> BatchSource<Batch<Tensor<S, D, Dev>, Tensor<T, E, Dev>>> on(Device<Dev> device) {
        return new BatchSource<>() {
            @Override
            public int size() {
                return TensorDataset.this.size();
            }

            @Override
            public Batch<Tensor<S, D, Dev>, Tensor<T, E, Dev>> batch(int[] indices) {
                return new Batch<>(
                        inputs.rows(indices).on(device), targets.rows(indices).on(device));
            }
        };
    }
}
