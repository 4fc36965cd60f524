package org.tenon.examples;

import static org.tenon.DType.F32;

import org.tenon.ConvOptions;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.PoolOptions;
import org.tenon.R2;
import org.tenon.R4;
import org.tenon.nn.Bias;
import org.tenon.nn.Conv2d;
import org.tenon.nn.Dropout;
import org.tenon.nn.Flatten;
import org.tenon.nn.Layer;
import org.tenon.nn.Linear;
import org.tenon.nn.MaxPool2d;
import org.tenon.nn.ReLU;
import org.tenon.nn.Sequential;

/** Models that tell digits in pictures of 28 by 28 pixels apart. */
enum DigitModel {
    /** Two hidden layers, of 256 and 128. */
    MLP {
        @Override
        <Dev extends DeviceType> Layer<R4<Images, Channels, Rows, Columns>, R2<Images, Classes>, F32, Dev> on(
                Device<Dev> device, Generator generator) {
            return Sequential.of(Flatten.<Images, Channels, Rows, Columns, Dim, F32, Dev>images())
                    .then(Linear.<Images, Dim, Dim, F32, Dev>of(device, F32, PIXELS, 256, generator))
                    .then(new ReLU<>())
                    .then(new Dropout<>(0.2, generator))
                    .then(Linear.<Images, Dim, Dim, F32, Dev>of(device, F32, 256, 128, generator))
                    .then(new ReLU<>())
                    .then(new Dropout<>(0.2, generator))
                    .then(Linear.of(device, F32, 128, CLASSES, generator));
        }
    },
    /** Two convolutions, of 16 and 32 channels, each with pooling, and a hidden layer of 128. */
    CNN {
        @Override
        <Dev extends DeviceType> Layer<R4<Images, Channels, Rows, Columns>, R2<Images, Classes>, F32, Dev> on(
                Device<Dev> device, Generator generator) {
            return Sequential.of(DigitModel.<Channels, Dev>convolution(device, 1, 16, generator))
                    .then(new ReLU<>())
                    .then(new MaxPool2d<>(PoolOptions.of(2)))
                    .then(DigitModel.<Dim, Dev>convolution(device, 16, 32, generator))
                    .then(new ReLU<>())
                    .then(new MaxPool2d<>(PoolOptions.of(2)))
                    .then(Flatten.<Images, Dim, Rows, Columns, Dim, F32, Dev>images())
                    .then(Linear.<Images, Dim, Dim, F32, Dev>of(device, F32, 32 * PIXELS / 16, 128, generator))
                    .then(new ReLU<>())
                    .then(new Dropout<>(0.3, generator))
                    .then(Linear.of(device, F32, 128, CLASSES, generator));
        }
    },
    /** One hidden layer of 16. */
    SMALL {
        @Override
        <Dev extends DeviceType> Layer<R4<Images, Channels, Rows, Columns>, R2<Images, Classes>, F32, Dev> on(
                Device<Dev> device, Generator generator) {
            return Sequential.of(Flatten.<Images, Channels, Rows, Columns, Dim, F32, Dev>images())
                    .then(Linear.<Images, Dim, Dim, F32, Dev>of(device, F32, PIXELS, 16, generator))
                    .then(new ReLU<>())
                    .then(Linear.of(device, F32, 16, CLASSES, generator));
        }
    };

    /** The digits there are. */
    static final int CLASSES = 10;

    /** Rows, and columns, of a picture. */
    static final int SIDE = 28;

    private static final int PIXELS = SIDE * SIDE;

    /** The pictures of a batch. */
    interface Images extends Dim {}

    /** One, of grey. */
    interface Channels extends Dim {}

    /** From the top. */
    interface Rows extends Dim {}

    /** From the left. */
    interface Columns extends Dim {}

    /** The digits. */
    interface Classes extends Dim {}

    /** Makes the model on a device; its dropout draws from the generator too. */
    abstract <Dev extends DeviceType> Layer<R4<Images, Channels, Rows, Columns>, R2<Images, Classes>, F32, Dev> on(
            Device<Dev> device, Generator generator);

    private static <C extends Dim, Dev extends DeviceType> Conv2d<Images, C, Dim, Rows, Columns, F32, Dev> convolution(
            Device<Dev> device, long in, long out, Generator generator) {
        ConvOptions<F32, Dev> sameSize = ConvOptions.<F32, Dev>defaults().padding(1);
        return new Conv2d<>(device, F32, in, out, new long[] {3, 3}, Bias.LEARNED, sameSize, generator);
    }
}
