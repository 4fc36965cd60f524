package org.tenon.nn;

import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.Floating;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.R4;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * All axes but the batch as one: (N, ...) to (N, features). PyTorch: {@code torch.nn.Flatten}.
 *
 * @param <S> the shape of the input
 * @param <N> the batch
 * @param <A> the features
 * @param <D> element type
 * @param <Dev> device type
 */
public final class Flatten<S extends Shape, N extends Dim, A extends Dim, D extends Floating, Dev extends DeviceType>
        extends Layer<S, R2<N, A>, D, Dev> {
    private Flatten() {}

    /** Of images: (N, C, H, W). */
    public static <
                    N extends Dim,
                    C extends Dim,
                    H extends Dim,
                    W extends Dim,
                    A extends Dim,
                    D extends Floating,
                    Dev extends DeviceType>
            Flatten<R4<N, C, H, W>, N, A, D, Dev> images() {
        return new Flatten<>();
    }

    /** Of sequences: (N, C, L). */
    public static <
                    N extends Dim,
                    C extends Dim,
                    L extends Dim,
                    A extends Dim,
                    D extends Floating,
                    Dev extends DeviceType>
            Flatten<R3<N, C, L>, N, A, D, Dev> sequences() {
        return new Flatten<>();
    }

    @Override
    public Tensor<R2<N, A>, D, Dev> forward(Tensor<S, D, Dev> x) {
        long batch = x.size(0);
        long features = 1;
        for (int i = 1; i < x.rank(); i++) {
            features *= x.size(i);
        }
        return x.reshape(R2.of(batch, features));
    }
}
