package org.tenon.examples;

import java.io.IOException;
import java.nio.file.Path;
import org.tenon.Device;
import picocli.CommandLine.Option;

/** The flags that {@link Mnist} and {@link Distill} share. */
final class DigitOptions {
    private static final int DRAWN = 4000;
    private static final int DRAWN_TEST = 1000;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description =
                    "A folder with MNIST's IDX files, plain or .gz: train-images-idx3-ubyte, train-labels-idx1-ubyte,"
                            + " t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte. Default: digits that are drawn.")
    private Path data;

    @Option(
            names = "--train-count",
            paramLabel = "N",
            description = "Where only the t10k files are there: the first so many are learned from."
                    + " Default: ${DEFAULT-VALUE}.")
    private int trainCount = 8000;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            description = "cpu, opencl:0, cuda:0 or best. Default: ${DEFAULT-VALUE}.")
    private String device = "best";

    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "Times all pictures are seen. Default: ${DEFAULT-VALUE}.")
    private int epochs = 10;

    @Option(names = "--batch", paramLabel = "N", description = "Pictures in a step. Default: ${DEFAULT-VALUE}.")
    private int batch = 64;

    @Option(
            names = "--lr",
            paramLabel = "RATE",
            description = "Learning rate at the start; it falls along a cosine. Default: ${DEFAULT-VALUE}.")
    private double rate = 2e-3;

    @Option(names = "--seed", description = "Of everything random. Default: ${DEFAULT-VALUE}.")
    private long seed = 1;

    @Option(names = "--help", usageHelp = true, description = "Shows this and ends.")
    private boolean help;

    /** Refuses flags that cannot be as they are. */
    void check() throws BadFlagException {
        BadFlagException.unlessAtLeast(1, "--epochs", epochs);
        BadFlagException.unlessAtLeast(1, "--batch", batch);
        BadFlagException.unless(rate > 0 && rate < 1, "--lr is " + rate + "; it is above 0 and below 1");
    }

    Device<?> device() throws BadFlagException {
        return ExampleCommand.device(device);
    }

    DigitTraining.Settings settings() {
        return new DigitTraining.Settings(epochs, batch, rate, seed);
    }

    /** MNIST, or drawn digits, which is then said. */
    Digits digits() throws BadFlagException {
        if (data == null) {
            System.out.println(
                    "no --data DIR: learning from drawn digits; for MNIST put train-images-idx3-ubyte.gz and its"
                            + " three companions, from a mirror of yann.lecun.com/exdb/mnist, in DIR");
            return Digits.drawn(DRAWN, DRAWN_TEST, seed);
        }
        try {
            return Digits.mnist(data, trainCount);
        } catch (IOException e) {
            throw new BadFlagException("--data: " + e.getMessage());
        }
    }
}
