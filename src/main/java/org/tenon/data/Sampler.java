package org.tenon.data;

import java.util.Arrays;
import org.tenon.Generator;
import org.tenon.TensorArgumentException;

/**
 * In which order an epoch takes the samples. The same size and epoch always give the same order, so a training that resumes
 * can go on in the middle of one. PyTorch: {@code torch.utils.data.Sampler}.
 */
@FunctionalInterface
public interface Sampler {
    /** The numbers of the samples of an epoch, each of {@code [0, size)}. */
    int[] order(int size, long epoch);

    /** From first to last. */
    static Sampler sequential() {
        return (size, epoch) -> {
            int[] order = new int[size];
            Arrays.setAll(order, i -> i);
            return order;
        };
    }

    /** Each once, in an order drawn from the seed and the epoch. PyTorch: {@code RandomSampler}. */
    static Sampler shuffled(long seed) {
        return (size, epoch) -> {
            int[] order = sequential().order(size, epoch);
            Generator.HostStream chance = generator(seed, epoch).stream(size);
            for (int i = size - 1; i > 0; i--) {
                int other = (int) chance.below(i + 1L);
                int kept = order[i];
                order[i] = order[other];
                order[other] = kept;
            }
            return order;
        };
    }

    /** {@code count} draws, each of all samples. PyTorch: {@code RandomSampler(replacement=True)}. */
    static Sampler withReplacement(int count, long seed) {
        return (size, epoch) -> {
            int[] order = new int[count];
            Generator.HostStream chance = generator(seed, epoch).stream(count);
            Arrays.setAll(order, i -> (int) chance.below(size));
            return order;
        };
    }

    /** {@code count} draws, sample {@code i} in proportion to {@code weights[i]}. PyTorch: {@code WeightedRandomSampler}. */
    static Sampler weighted(double[] weights, int count, long seed) {
        double[] sums = weights.clone();
        for (int i = 0; i < sums.length; i++) {
            if (!(weights[i] >= 0 && weights[i] < Double.POSITIVE_INFINITY)) {
                throw new TensorArgumentException(
                        "weighted", "weight " + i + " is " + weights[i] + "; weights are 0 or more and finite");
            }
            sums[i] = i == 0 ? weights[0] : sums[i - 1] + weights[i];
        }
        double total = sums.length == 0 ? 0 : sums[sums.length - 1];
        if (!(total > 0)) {
            throw new TensorArgumentException("weighted", "all weights are 0; one at least must be more");
        }
        return (size, epoch) -> {
            if (size != sums.length) {
                throw new TensorArgumentException(
                        "weighted", "there are " + sums.length + " weights for " + size + " samples");
            }
            int[] order = new int[count];
            Generator.HostStream chance = generator(seed, epoch).stream(count);
            Arrays.setAll(order, i -> above(sums, chance.below(1L << 53) * 0x1p-53 * total));
            return order;
        };
    }

    /** Samples of a part only, in the order that another sampler gives to a set of that size. PyTorch: {@code SubsetRandomSampler}. */
    static Sampler subset(int[] part, Sampler within) {
        int[] own = part.clone();
        return (size, epoch) -> {
            int[] order = within.order(own.length, epoch);
            return Arrays.stream(order).map(i -> own[i]).toArray();
        };
    }

    /** The first position whose running sum exceeds {@code value}. */
    private static int above(double[] sums, double value) {
        int low = 0;
        int high = sums.length - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (sums[middle] > value) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    /** Seeds of neighbouring epochs must not be neighbours: the finalizer of SplitMix64 (Steele et al. 2014) parts them. */
    private static Generator generator(long seed, long epoch) {
        long z = seed + (epoch + 1) * 0x9E3779B97F4A7C15L;
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return new Generator(z ^ z >>> 31);
    }
}
