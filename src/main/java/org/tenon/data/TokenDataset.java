package org.tenon.data;

import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.HostArray;
import org.tenon.I64;
import org.tenon.R2;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;

/**
 * Windows of a sequence of tokens, and the same one token later: what a language model is trained on. Sample {@code i} is
 * the window that starts at token {@code i}, of every {@code stride} tokens if that is more than 1.
 */
public final class TokenDataset {
    private final int[] tokens;
    private final int window;
    private final int stride;

    private TokenDataset(int[] tokens, int window, int stride) {
        this.tokens = tokens;
        this.window = window;
        this.stride = stride;
    }

    /** Windows that start at every token. */
    public static TokenDataset of(int[] tokens, int window) {
        return of(tokens, window, 1);
    }

    /** Windows that start at every {@code stride}th token; with the window's length as stride they do not overlap. */
    public static TokenDataset of(int[] tokens, int window, int stride) {
        if (window < 1 || stride < 1) {
            throw new TensorArgumentException(
                    "tokenDataset", "window " + window + " and stride " + stride + " must be 1 or more");
        }
        if (tokens.length <= window) {
            throw new TensorArgumentException(
                    "tokenDataset", tokens.length + " tokens hold no window of " + window + " and one after it");
        }
        return new TokenDataset(tokens.clone(), window, stride);
    }

    /** The number of windows. */
    public int size() {
        return (tokens.length - window - 1) / stride + 1;
    }

    /** Batches on a device: inputs [batch, window] and targets of the same shape. */
    public <B extends Dim, T extends Dim, Dev extends DeviceType>
            BatchSource<Batch<Tensor<R2<B, T>, I64, Dev>, Tensor<R2<B, T>, I64, Dev>>> on(Device<Dev> device) {
        return new BatchSource<>() {
            @Override
            public int size() {
                return TokenDataset.this.size();
            }

            @Override
            public Batch<Tensor<R2<B, T>, I64, Dev>, Tensor<R2<B, T>, I64, Dev>> batch(int[] indices) {
                return new Batch<>(
                        TokenDataset.this.<B, T>windows(indices, 0).on(device),
                        TokenDataset.this.<B, T>windows(indices, 1).on(device));
            }
        };
    }

    private <B extends Dim, T extends Dim> HostArray<R2<B, T>, I64> windows(int[] indices, int later) {
        long[] rows = new long[Math.multiplyExact(indices.length, window)];
        for (int i = 0; i < indices.length; i++) {
            int start = indices[i] * stride + later;
            for (int t = 0; t < window; t++) {
                rows[i * window + t] = tokens[start + t];
            }
        }
        return HostArray.of(rows, R2.of(indices.length, window));
    }
}
