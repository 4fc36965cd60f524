package org.tenon.examples;

import java.util.concurrent.Callable;
import org.tenon.Autograd;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.KlTarget;
import org.tenon.R0;
import org.tenon.R2;
import org.tenon.R4;
import org.tenon.Reduction;
import org.tenon.Tensor;
import org.tenon.examples.DigitModel.Channels;
import org.tenon.examples.DigitModel.Classes;
import org.tenon.examples.DigitModel.Columns;
import org.tenon.examples.DigitModel.Images;
import org.tenon.examples.DigitModel.Rows;
import org.tenon.nn.Layer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Distils what a teacher knows into a student (Hinton, Vinyals and Dean 2015). Few pictures have a label that the student may
 * see. Alone it learns from those; distilled it learns from all pictures and no label, but from the teacher's probabilities
 * at a temperature, which say what else a picture resembles: {@code T^2 KL(softmax(teacher / T) || softmax(student / T))}.
 * Both take the same number of steps.
 */
@Command(
        name = "Distill",
        description = "Trains a teacher, a small student alone, and the same student from the teacher.",
        sortOptions = false)
public final class Distill implements Callable<Integer> {
    @Option(names = "--teacher", description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private DigitModel teacher = DigitModel.MLP;

    @Option(names = "--student", description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private DigitModel student = DigitModel.SMALL;

    @Option(names = "--temperature", paramLabel = "T", description = "Softens both. Default: ${DEFAULT-VALUE}.")
    private double temperature = 3;

    @Option(
            names = "--labels",
            paramLabel = "N",
            description = "Pictures whose digit the student alone sees. Default: ${DEFAULT-VALUE}.")
    private int labels = 200;

    @Mixin
    private DigitOptions options = new DigitOptions();

    /** A command with its defaults; picocli fills in the rest. */
    public Distill() {}

    /** Runs the command and ends the JVM: 0 for success, 2 for bad input. */
    public static void main(String[] arguments) {
        System.exit(ExampleCommand.run(new Distill(), arguments));
    }

    @Override
    public Integer call() throws BadFlagException {
        options.check();
        BadFlagException.unless(
                temperature > 0 && temperature < Double.POSITIVE_INFINITY,
                "--temperature is " + temperature + "; it is above 0 and finite");
        BadFlagException.unless(labels >= 1, "--labels is " + labels + "; it is 1 or more");
        Digits digits = options.digits();
        int all = digits.training().size();
        BadFlagException.unless(
                labels <= all, "--labels is " + labels + "; there are " + all + " pictures to learn from");
        distil(options.device(), digits);
        return 0;
    }

    private <Dev extends DeviceType> void distil(Device<Dev> device, Digits digits) {
        System.out.printf("device: %s (%s)%n", device, device.description());
        var settings = options.settings();
        long seed = settings.seed();
        DigitTraining.Objective<Dev> alone = (_, logits, digit) -> F.crossEntropy(logits, digit);
        try (var master = teacher.on(device, new Generator(seed));
                var plain = student.on(device, new Generator(seed + 1));
                var distilled = student.on(device, new Generator(seed + 1))) {
            double first = accuracy("teacher", device, master, digits, settings, alone);
            int all = digits.training().size();
            int epochs = Math.toIntExact((long) settings.epochs() * all / labels);
            double second = accuracy(
                    "student alone, " + labels + " labels",
                    device,
                    plain,
                    new Digits(digits.training().range(0, labels), digits.test()),
                    new DigitTraining.Settings(epochs, settings.batch(), settings.rate(), settings.seed()),
                    alone);
            master.eval();
            double third = accuracy(
                    "student distilled, no label",
                    device,
                    distilled,
                    digits,
                    settings,
                    (pictures, logits, _) ->
                            soft(logits, Autograd.noGrad(() -> master.forward(pictures)), temperature));
            System.out.printf(
                    "mistakes: teacher %.2f %%, student alone %.2f %%, distilled %.2f %%%n",
                    100 - first, 100 - second, 100 - third);
        }
    }

    /** {@code T^2 KL(softmax(teacher / T) || softmax(student / T))}; T^2 keeps the gradients' size whatever T is. */
    static <Dev extends DeviceType> Tensor<R0, F32, Dev> soft(
            Tensor<R2<Images, Classes>, F32, Dev> student, Tensor<R2<Images, Classes>, F32, Dev> teacher, double t) {
        return F.klDiv(
                        F.logSoftmax(F.div(student, t), -1),
                        F.logSoftmax(F.div(teacher, t), -1),
                        KlTarget.LOG_PROBABILITIES,
                        Reduction.batchMean())
                .mul(t * t);
    }

    private <Dev extends DeviceType> double accuracy(
            String name,
            Device<Dev> device,
            Layer<R4<Images, Channels, Rows, Columns>, R2<Images, Classes>, F32, Dev> model,
            Digits digits,
            DigitTraining.Settings settings,
            DigitTraining.Objective<Dev> objective) {
        try (var training = new DigitTraining<>(device, model, digits.training(), settings, objective)) {
            for (int epoch = 1; epoch <= settings.epochs(); epoch++) {
                training.epoch(epoch);
            }
            double accuracy = 100 * training.test(digits.test()).accuracy();
            System.out.printf("%s: %,d parameters, accuracy %.2f %%%n", name, model.parameterCount(), accuracy);
            return accuracy;
        }
    }
}
