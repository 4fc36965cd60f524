package org.tenon.nn;

import java.util.Arrays;
import org.tenon.Any;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.Shape;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;

/**
 * Fills parameters, in place and outside the graph. PyTorch: {@code torch.nn.init}. Fans are those of weights
 * [out, in, kernel...]: fan in is in times the kernel's elements, fan out is out times them.
 */
public final class Init {
    private Init() {}

    /** Which fan keeps the variance of what flows through. */
    public enum Fan {
        /** Forward. */
        IN,
        /** Backward. */
        OUT
    }

    /** What follows the layer, and the gain that makes up for it. */
    public enum Nonlinearity {
        /** Nothing: gain 1. */
        LINEAR(1),
        /** The logistic function: gain 1. */
        SIGMOID(1),
        /** The hyperbolic tangent: gain 5/3. */
        TANH(5.0 / 3),
        /** {@code max(x, 0)}: gain sqrt 2. */
        RELU(Math.sqrt(2)),
        /** The scaled exponential linear unit: gain 3/4. */
        SELU(0.75);

        private final double gain;

        Nonlinearity(double gain) {
            this.gain = gain;
        }

        /** The factor of the standard deviation. PyTorch: {@code calculate_gain}. */
        public double gain() {
            return gain;
        }
    }

    /** Every element 0. */
    public static void zeros(Tensor<?, ? extends Floating, ?> x) {
        constant(x, 0);
    }

    /** Every element 1. */
    public static void ones(Tensor<?, ? extends Floating, ?> x) {
        constant(x, 1);
    }

    /** Every element {@code value}. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> void constant(
            Tensor<S, D, Dev> x, double value) {
        set(x, x.device().full(Any.of(x.shape()), value, x.dtype()));
    }

    /** Uniform on [low, high). */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> void uniform(
            Tensor<S, D, Dev> x, double low, double high, Generator generator) {
        set(x, x.device().uniform(Any.of(x.shape()), low, high, x.dtype(), generator));
    }

    /** Normal with this mean and standard deviation. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> void normal(
            Tensor<S, D, Dev> x, double mean, double deviation, Generator generator) {
        set(x, x.device().normal(Any.of(x.shape()), mean, deviation, x.dtype(), generator));
    }

    /** Uniform of standard deviation {@code gain / sqrt(fan)} (He et al. 2015). */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> void kaimingUniform(
            Tensor<S, D, Dev> x, Fan fan, Nonlinearity nonlinearity, Generator generator) {
        double bound = Math.sqrt(3 / fan("kaimingUniform", x, fan)) * nonlinearity.gain();
        uniform(x, -bound, bound, generator);
    }

    /** Normal of standard deviation {@code gain / sqrt(fan)} (He et al. 2015). */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> void kaimingNormal(
            Tensor<S, D, Dev> x, Fan fan, Nonlinearity nonlinearity, Generator generator) {
        normal(x, 0, nonlinearity.gain() / Math.sqrt(fan("kaimingNormal", x, fan)), generator);
    }

    /** Uniform of standard deviation {@code gain sqrt(2 / (fan in + fan out))} (Glorot and Bengio 2010). */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> void xavierUniform(
            Tensor<S, D, Dev> x, double gain, Generator generator) {
        double bound = gain * Math.sqrt(6 / (fan("xavierUniform", x, Fan.IN) + fan("xavierUniform", x, Fan.OUT)));
        uniform(x, -bound, bound, generator);
    }

    /** Normal of standard deviation {@code gain sqrt(2 / (fan in + fan out))} (Glorot and Bengio 2010). */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> void xavierNormal(
            Tensor<S, D, Dev> x, double gain, Generator generator) {
        double fans = fan("xavierNormal", x, Fan.IN) + fan("xavierNormal", x, Fan.OUT);
        normal(x, 0, gain * Math.sqrt(2 / fans), generator);
    }

    /**
     * Normal with this mean and standard deviation, but for what lies outside {@code [low, high]}: the inverse of the
     * distribution function, found by bisection, of uniform numbers between its values there.
     */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> void truncNormal(
            Tensor<S, D, Dev> x, double mean, double deviation, double low, double high, Generator generator) {
        if (!(low < high && deviation > 0)) {
            throw new TensorArgumentException(
                    "truncNormal",
                    "deviation " + deviation + " and bounds " + low + ", " + high
                            + " are bad; give a positive deviation and low < high");
        }
        set(
                x,
                TruncatedNormal.draw(x.device(), x.shape(), mean, deviation, low, high, generator)
                        .to(x.dtype()));
    }

    /**
     * Rows, or columns where there are fewer, that are orthogonal to each other and of length {@code gain} (Saxe et al. 2014);
     * axes behind the first count as one. Computed on the host in double.
     */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> void orthogonal(
            Tensor<S, D, Dev> x, double gain, Generator generator) {
        if (x.rank() < 2) {
            throw new TensorArgumentException(
                    "orthogonal", "shape " + Arrays.toString(x.shape()) + " has no rows and columns; rank 2 is needed");
        }
        if (x.numel() == 0) {
            return;
        }
        int rows = Math.toIntExact(x.size(0));
        int columns = Math.toIntExact(x.numel() / rows);
        double[] random = doubles(x.device(), rows * (long) columns, generator);
        double[] q = Orthogonal.rows(random, Math.min(rows, columns), Math.max(rows, columns));
        float[] values = new float[q.length];
        for (int i = 0; i < values.length; i++) {
            int at = rows <= columns ? i : i % columns * rows + i / columns;
            values[i] = (float) (gain * q[at]);
        }
        set(x, x.device().tensor(values, Any.of(x.shape())).to(x.dtype()));
    }

    private static double[] doubles(Device<?> device, long count, Generator generator) {
        try (Tensor<?, ?, ?> drawn = device.randn(Any.of(count), DType.F32, generator)) {
            return drawn.toDoubleArray();
        }
    }

    /** The fan of a weight; PyTorch refuses vectors too. */
    private static double fan(String op, Tensor<?, ?, ?> x, Fan fan) {
        if (x.rank() < 2) {
            throw new TensorArgumentException(
                    op, "shape " + Arrays.toString(x.shape()) + " has no fans; rank 2 or more is needed");
        }
        double kernel = 1;
        for (int i = 2; i < x.rank(); i++) {
            kernel *= x.size(i);
        }
        return kernel * x.size(fan == Fan.IN ? 1 : 0);
    }

    private static <S extends Shape, D extends Floating, Dev extends DeviceType> void set(
            Tensor<S, D, Dev> x, Tensor<Any, D, Dev> values) {
        try (values;
                Tensor<Any, D, Dev> all = x.any()) {
            all.copyFrom(values);
        }
    }
}
