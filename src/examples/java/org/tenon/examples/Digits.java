package org.tenon.examples;

import java.io.IOException;
import java.nio.file.Path;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.HostArray;
import org.tenon.I64;
import org.tenon.R1;
import org.tenon.R4;
import org.tenon.data.Idx;
import org.tenon.data.TensorDataset;
import org.tenon.examples.DigitModel.Channels;
import org.tenon.examples.DigitModel.Columns;
import org.tenon.examples.DigitModel.Images;
import org.tenon.examples.DigitModel.Rows;

/**
 * Pictures of digits, with pixels in [0, 1], and which digits they are.
 *
 * @param training to learn from
 * @param test to be judged by
 */
record Digits(
        TensorDataset<R4<Images, Channels, Rows, Columns>, F32, R1<Images>, I64> training,
        TensorDataset<R4<Images, Channels, Rows, Columns>, F32, R1<Images>, I64> test) {
    private static final String TRAINING = "train";
    private static final String TEST = "t10k";

    /**
     * MNIST from a folder with its four files, plain or packed by gzip. Where only the two of the test set are there, its
     * first {@code trainCount} pictures are to learn from, and the rest is to be judged by.
     */
    static Digits mnist(Path folder, int trainCount) throws IOException, BadFlagException {
        var test = part(folder, TEST);
        if (has(folder, TRAINING)) {
            return new Digits(part(folder, TRAINING), test);
        }
        BadFlagException.unless(
                trainCount >= 1 && trainCount < test.size(),
                "--train-count is " + trainCount + "; of " + test.size() + " pictures at least 1 and not all can be"
                        + " learned from");
        return new Digits(test.range(0, trainCount), test.range(trainCount, test.size()));
    }

    private static boolean has(Path folder, String part) {
        try {
            Idx.find(folder, part + "-images-idx3-ubyte");
            return true;
        } catch (IOException _) {
            return false;
        }
    }

    private static TensorDataset<R4<Images, Channels, Rows, Columns>, F32, R1<Images>, I64> part(
            Path folder, String part) throws IOException, BadFlagException {
        Idx images = Idx.read(Idx.find(folder, part + "-images-idx3-ubyte"));
        Idx labels = Idx.read(Idx.find(folder, part + "-labels-idx1-ubyte"));
        long[] shape = images.shape();
        BadFlagException.unless(
                shape.length == 3 && shape[1] == DigitModel.SIDE && shape[2] == DigitModel.SIDE,
                folder + ": the pictures have shape " + java.util.Arrays.toString(shape)
                        + "; [count, 28, 28] is needed");
        HostArray<R4<Images, Channels, Rows, Columns>, F32> pixels =
                images.floats(1 / 255.0).reshape(R4.of(shape[0], 1, DigitModel.SIDE, DigitModel.SIDE));
        return TensorDataset.of(pixels, labels.longs().as(R1.kind()));
    }

    /** Digits drawn by {@link DigitPainter}, for a machine without MNIST. */
    static Digits drawn(int trainCount, int testCount, long seed) {
        DigitPainter painter = new DigitPainter(new Generator(seed));
        return new Digits(painter.paint(trainCount), painter.paint(testCount));
    }
}
