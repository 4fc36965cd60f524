package org.tenon.data;

import java.io.IOException;
import java.util.Arrays;

/**
 * Which samples make which batch of an epoch.
 *
 * @param source where they come from
 * @param order the samples of the epoch
 * @param batchSize how many a batch takes
 * @param first the number of the first batch
 * @param count the number after the last
 * @param <B> a batch
 */
record Plan<B>(BatchSource<B> source, int[] order, int batchSize, int first, int count) {
    B make(int number) throws IOException {
        int from = Math.multiplyExact(number, batchSize);
        int to = (int) Math.min(order.length, from + (long) batchSize);
        return source.batch(Arrays.copyOfRange(order, from, to));
    }
}
