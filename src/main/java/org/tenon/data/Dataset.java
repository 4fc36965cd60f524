package org.tenon.data;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.tenon.TensorArgumentException;

/**
 * Samples that are had by number. PyTorch: {@code torch.utils.data.Dataset}. A {@link DataLoader} asks for them in its own
 * thread.
 *
 * @param <E> a sample
 */
public interface Dataset<E> {
    /** The number of samples. */
    int size();

    /** Sample {@code index}, from 0. */
    E get(int index) throws IOException;

    /** Makes something else of a sample. */
    @FunctionalInterface
    interface Transform<E, F> {
        /** Of one sample. */
        F apply(E sample) throws IOException;
    }

    /** Makes a batch of samples. PyTorch: {@code collate_fn}. */
    @FunctionalInterface
    interface Collate<E, B> {
        /** Of these samples, in this order. */
        B apply(List<E> samples) throws IOException;
    }

    /** These samples, each transformed when it is asked for. */
    default <F> Dataset<F> map(Transform<? super E, ? extends F> transform) {
        Dataset<E> source = this;
        return new Dataset<>() {
            @Override
            public int size() {
                return source.size();
            }

            @Override
            public F get(int index) throws IOException {
                return transform.apply(source.get(index));
            }
        };
    }

    /** The samples at these positions. PyTorch: {@code Subset}. */
    default Dataset<E> subset(int... positions) {
        for (int position : positions) {
            if (position < 0 || position >= size()) {
                throw new TensorArgumentException("subset", "position " + position + " is outside [0, " + size() + ")");
            }
        }
        int[] own = positions.clone();
        Dataset<E> source = this;
        return new Dataset<>() {
            @Override
            public int size() {
                return own.length;
            }

            @Override
            public E get(int index) throws IOException {
                return source.get(own[index]);
            }
        };
    }

    /** Batches of these samples, each made by {@code collate}. */
    default <B> BatchSource<B> batched(Collate<E, B> collate) {
        Objects.requireNonNull(collate);
        Dataset<E> source = this;
        return new BatchSource<>() {
            @Override
            public int size() {
                return source.size();
            }

            @Override
            public B batch(int[] indices) throws IOException {
                List<E> samples = new ArrayList<>(indices.length);
                for (int index : indices) {
                    samples.add(source.get(index));
                }
                return collate.apply(samples);
            }
        };
    }
}
