package org.tenon.nn;

import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;

/**
 * Adds to each position of a sequence a vector of its own: learned, as in GPT, or of sines and cosines (Vaswani et al. 2017),
 * {@code sin(t / 10000^(2 i / E))} at feature 2i and the cosine at 2i + 1.
 *
 * @param <B> the batch
 * @param <T> the positions
 * @param <E> the features
 * @param <D> element type
 * @param <Dev> device type
 */
public final class PositionalEmbedding<
                B extends Dim, T extends Dim, E extends Dim, D extends Floating, Dev extends DeviceType>
        extends Layer<R3<B, T, E>, R3<B, T, E>, D, Dev> {
    private final Tensor<R2<Dim, Dim>, D, Dev> table;

    private PositionalEmbedding(Tensor<R2<Dim, Dim>, D, Dev> table, Kind kind) {
        this.table = kind == Kind.LEARNED ? register("weight", table) : registerBuffer("table", table);
    }

    private enum Kind {
        LEARNED,
        FIXED
    }

    /** For up to {@code positions}; the weight [positions, features] starts normal with deviation 0.02. */
    public static <B extends Dim, T extends Dim, E extends Dim, D extends Floating, Dev extends DeviceType>
            PositionalEmbedding<B, T, E, D, Dev> learned(
                    Device<Dev> device, D dtype, long positions, long features, Generator generator) {
        check(positions, features);
        return new PositionalEmbedding<>(
                device.normal(R2.<Dim, Dim>of(positions, features), 0, 0.02, dtype, generator), Kind.LEARNED);
    }

    /** For up to {@code positions}, without parameters; an even number of features. */
    public static <B extends Dim, T extends Dim, E extends Dim, D extends Floating, Dev extends DeviceType>
            PositionalEmbedding<B, T, E, D, Dev> sinusoidal(
                    Device<Dev> device, D dtype, long positions, long features) {
        check(positions, features);
        if (features % 2 != 0) {
            throw new TensorArgumentException(
                    "positionalEmbedding", features + " features are odd; sines and cosines come in pairs");
        }
        float[] table = new float[Math.toIntExact(positions * features)];
        for (int i = 0; i < table.length; i++) {
            long pair = i % features / 2;
            double angle = i / features / Math.pow(10_000, 2.0 * pair / features);
            table[i] = (float) (i % 2 == 0 ? Math.sin(angle) : Math.cos(angle));
        }
        return new PositionalEmbedding<>(
                device.tensor(table, R2.<Dim, Dim>of(positions, features)).to(dtype), Kind.FIXED);
    }

    private static void check(long positions, long features) {
        if (positions < 1 || features < 1) {
            throw new TensorArgumentException(
                    "positionalEmbedding",
                    positions + " positions of " + features + " features are bad; both are 1 or more");
        }
    }

    /** The vectors, [positions, features]. */
    public Tensor<R2<Dim, Dim>, D, Dev> table() {
        return table;
    }

    @Override
    public Tensor<R3<B, T, E>, D, Dev> forward(Tensor<R3<B, T, E>, D, Dev> x) {
        if (x.size(1) > table.size(0)) {
            throw new TensorArgumentException(
                    "positionalEmbedding",
                    "a sequence of " + x.size(1) + " is longer than the " + table.size(0) + " positions there are");
        }
        return F.add(x, table.narrow(0, 0, x.size(1)));
    }
}
