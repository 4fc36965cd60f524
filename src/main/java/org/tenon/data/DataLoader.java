package org.tenon.data;

import java.util.Objects;
import org.tenon.TensorArgumentException;

/**
 * Batches of an epoch after another, prepared ahead in a thread of their own: reading, decoding, gathering and the copy to
 * the device go on while the caller computes. PyTorch: {@code torch.utils.data.DataLoader}.
 *
 * <pre>{@code
 * var loader = DataLoader.of(data.on(device), 64).shuffle(seed);
 * for (int epoch = 0; epoch < 10; epoch++) {
 *     try (var batches = loader.epoch(epoch)) {
 *         for (var batch : batches) {
 *             Scope.run(() -> optimizer.step(loss(batch.input(), batch.target()).backward()));
 *         }
 *     }
 * }
 * }</pre>
 *
 * <p>Loaders are values: {@code shuffle}, {@code dropLast} and the like give another. Which samples are in which batch
 * depends on sampler and epoch alone, never on timing.
 *
 * @param <B> a batch
 */
public final class DataLoader<B> {
    private static final int AHEAD = 2;

    private final BatchSource<B> source;
    private final int batchSize;
    private final Sampler sampler;
    private final boolean wholeOnly;
    private final int ahead;

    private DataLoader(BatchSource<B> source, int batchSize, Sampler sampler, boolean wholeOnly, int ahead) {
        this.source = Objects.requireNonNull(source);
        this.batchSize = batchSize;
        this.sampler = Objects.requireNonNull(sampler);
        this.wholeOnly = wholeOnly;
        this.ahead = ahead;
    }

    /** Batches of this size, in order, two of them prepared ahead. */
    public static <B> DataLoader<B> of(BatchSource<B> source, int batchSize) {
        if (batchSize < 1) {
            throw new TensorArgumentException("dataLoader", "batch size " + batchSize + " is not 1 or more");
        }
        return new DataLoader<>(source, batchSize, Sampler.sequential(), false, AHEAD);
    }

    /** In an order drawn from this seed, another each epoch. */
    public DataLoader<B> shuffle(long seed) {
        return sampler(Sampler.shuffled(seed));
    }

    /** In the order that a sampler gives. */
    public DataLoader<B> sampler(Sampler newSampler) {
        return new DataLoader<>(source, batchSize, newSampler, wholeOnly, ahead);
    }

    /** Without the last batch if that is smaller than the others. */
    public DataLoader<B> dropLast() {
        return new DataLoader<>(source, batchSize, sampler, true, ahead);
    }

    /** With this many batches prepared ahead; with 0 each is made when it is asked for, in the caller's thread. */
    public DataLoader<B> prefetch(int batches) {
        if (batches < 0) {
            throw new TensorArgumentException("prefetch", batches + " batches are not 0 or more");
        }
        return new DataLoader<>(source, batchSize, sampler, wholeOnly, batches);
    }

    /** The number of batches of an epoch whose sampler takes each sample once. */
    public int batchesPerEpoch() {
        return batches(source.size());
    }

    private int batches(int samples) {
        return wholeOnly ? samples / batchSize : (int) ((samples + batchSize - 1L) / batchSize);
    }

    /** The batches of an epoch. Close them, to end the thread even where not all were taken. */
    public Batches<B> epoch(long epoch) {
        return epoch(epoch, 0);
    }

    /** The batches of an epoch from number {@code first} on, for a training that resumes in the middle of it. */
    public Batches<B> epoch(long epoch, int first) {
        int size = source.size();
        int[] order = sampler.order(size, epoch);
        for (int index : order) {
            if (index < 0 || index >= size) {
                throw new TensorArgumentException(
                        "dataLoader", "the sampler gave sample " + index + ", which is outside [0, " + size + ")");
            }
        }
        int count = batches(order.length);
        if (first < 0 || first > count) {
            throw new TensorArgumentException(
                    "dataLoader",
                    "there is no batch " + first + " in an epoch of " + count + "; start in [0, " + count + "]");
        }
        return new Batches<>(new Plan<>(source, order, batchSize, first, count), ahead);
    }
}
