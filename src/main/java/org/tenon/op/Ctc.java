package org.tenon.op;

import static org.tenon.op.UnaryGradients.over;
import static org.tenon.op.UnaryGradients.plus;
import static org.tenon.op.UnaryGradients.scale;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.tenon.DType;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.LossReduction;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.UnaryOp;

/**
 * Connectionist temporal classification (Graves et al. 2006): the negative logarithm of the probability of all ways in which
 * a labelling, with blanks between, can be read off T steps. The recursion over the steps is one of logarithms, made of ops, so
 * its gradient is theirs. What is impossible has the logarithm {@link #NEVER}, which is finite, so that no difference of
 * infinities arises.
 */
public final class Ctc {
    private static final String OP = "ctcLoss";
    private static final double NEVER = -1e30;
    private static final double IMPOSSIBLE = -1e29;

    private final long steps;
    private final long batch;
    private final long states;
    private final long blank;

    private Ctc(Value logp, Value targets, long blank) {
        steps = logp.size(0);
        batch = logp.size(1);
        states = 2 * targets.size(1) + 1;
        this.blank = blank;
    }

    /**
     * {@code logp [T, N, C]}, {@code targets [N, S]} padded at will, and how much of each counts. A loss that would be infinite
     * is {@code infinite}; it has no gradient. The mean is that of losses divided by the lengths of their targets.
     */
    public static Value apply(
            Value logp,
            Value targets,
            long[] inputLengths,
            long[] targetLengths,
            long blank,
            double infinite,
            LossReduction reduction) {
        check(logp, targets, inputLengths, targetLengths, blank, reduction);
        Ctc ctc = new Ctc(logp, targets, blank);
        return LossTerms.reduced(OP, logp, reduction, () -> {
            Value losses = ctc.losses(Copies.widened(logp), targets, inputLengths, targetLengths, infinite);
            if (reduction != LossReduction.MEAN) {
                return losses;
            }
            long[] divisors =
                    Arrays.stream(targetLengths).map(n -> Math.max(n, 1)).toArray();
            return over(losses, Copies.to(numbers(losses, divisors), losses.dtype()));
        });
    }

    private static void check(
            Value logp, Value targets, long[] inputLengths, long[] targetLengths, long blank, LossReduction reduction) {
        Checks.operands(OP, logp, targets);
        Checks.floating(OP, logp);
        Checks.integral(OP, "the target", targets);
        LossTerms.checkReduction(OP, logp, reduction);
        if (logp.rank() != 3 || targets.rank() != 2 || targets.size(0) != logp.size(1)) {
            throw Checks.error(
                    OP, "the shapes do not fit; give log-probabilities (T, N, C) and targets (N, S)", logp, targets);
        }
        if (blank < 0 || blank >= logp.size(2)) {
            throw Checks.error(OP, "blank " + blank + " is outside [0, " + logp.size(2) + ")", logp);
        }
        checkLengths("input", inputLengths, 1, logp.size(0), logp);
        checkLengths("target", targetLengths, 0, targets.size(1), logp);
    }

    private static void checkLengths(String what, long[] lengths, long least, long most, Value logp) {
        if (lengths.length != logp.size(1)) {
            throw Checks.error(
                    OP,
                    lengths.length + " " + what + " lengths are given for a batch of " + logp.size(1)
                            + "; give one for each",
                    logp);
        }
        for (int i = 0; i < lengths.length; i++) {
            if (lengths[i] < least || lengths[i] > most) {
                throw Checks.error(
                        OP,
                        what + " length " + lengths[i] + " at position " + i + " is outside [" + least + ", " + most
                                + "]",
                        logp);
            }
        }
    }

    private static Value numbers(Value like, long[] numbers) {
        return Creation.upload(like.backend(), DType.I64, MemorySegment.ofArray(numbers), numbers.length);
    }

    private Value losses(Value logp, Value targets, long[] inputLengths, long[] targetLengths, double infinite) {
        Value lengths = Views.unsqueeze(numbers(logp, targetLengths), 1);
        Value labels = labels(targets, lengths);
        Value emissions = Elementwise.unary(
                OP,
                UnaryOp.CLAMP,
                Indexing.gather(OP, "target", logp, 2, Views.expand(OP, labels, steps, batch, states)),
                NEVER,
                Double.POSITIVE_INFINITY);
        Value alpha = last(Views.unbind(emissions), labels, lengths, Views.unsqueeze(numbers(logp, inputLengths), 1));
        long[] ends = Arrays.stream(targetLengths).map(n -> 2 * n).toArray();
        long[] labelled =
                Arrays.stream(targetLengths).map(n -> Math.max(0, 2 * n - 1)).toArray();
        Value atBlank = Indexing.gather(alpha, 1, Views.unsqueeze(numbers(logp, ends), 1));
        Value atLabel = Indexing.gather(alpha, 1, Views.unsqueeze(numbers(logp, labelled), 1));
        Value none = Elementwise.compare(OP, BinaryOp.EQ, lengths, 0);
        Value ways = logSum(atBlank, Elementwise.where(none, number(logp, NEVER), atLabel));
        Value total = Views.squeeze(ways, 1);
        return Elementwise.where(
                Elementwise.compare(OP, BinaryOp.LT, total, IMPOSSIBLE), number(logp, infinite), scale(total, -1));
    }

    private static Value number(Value like, double value) {
        return Creation.full(OP, like.backend(), like.dtype(), value);
    }

    /** {@code [N, 2 S + 1]}: a blank, then each label and a blank; what is behind a target's end is blank. */
    private Value labels(Value targets, Value lengths) {
        Value places = Creation.arange(targets.backend(), DType.I64, 0, targets.size(1), 1);
        Value blanks = Creation.full(OP, targets.backend(), DType.I64, blank);
        Value inside = Elementwise.binary(OP, BinaryOp.LT, places, lengths);
        Value cut = Elementwise.where(inside, Copies.to(targets, DType.I64), blanks);
        Value labels = Creation.full(OP, targets.backend(), DType.I64, blank, batch, states);
        Copies.place(labels, labels.layout().slice(1, 1, targets.size(1), 2), cut);
        return labels;
    }

    /** The logarithms of the probabilities of being in each state after each sample's last step. */
    private Value last(List<Value> emissions, Value labels, Value lengths, Value inputLengths) {
        Value never = number(emissions.getFirst(), NEVER);
        Value place = Creation.arange(labels.backend(), DType.I64, 0, states, 1);
        Value first = Elementwise.binary(
                OP, BinaryOp.LE, place, minimum(lengths, Creation.full(OP, labels.backend(), DType.I64, 1)));
        Value skips = Elementwise.binary(
                OP,
                BinaryOp.MUL,
                Elementwise.compare(OP, BinaryOp.NE, labels, blank),
                Elementwise.binary(OP, BinaryOp.NE, labels, later(labels, 2, -1)));
        Value alpha = Elementwise.where(first, emissions.getFirst(), never);
        for (int t = 1; t < emissions.size(); t++) {
            Value skipped = Elementwise.where(skips, later(alpha, 2, NEVER), never);
            Value next = plus(logSum(alpha, later(alpha, 1, NEVER), skipped), emissions.get(t));
            alpha = Elementwise.where(Elementwise.compare(OP, BinaryOp.GT, inputLengths, t), next, alpha);
        }
        return alpha;
    }

    private static Value minimum(Value a, Value b) {
        return Elementwise.binary(OP, BinaryOp.MINIMUM, a, b);
    }

    /** Each state moved {@code by} places on, with {@code filler} in front. */
    private Value later(Value x, long by, double filler) {
        long moved = Math.min(by, states);
        return Windows.pad(OP, Views.narrow(x, 1, 0, states - moved), new long[] {moved}, new long[] {0}, filler);
    }

    private static Value logSum(Value... terms) {
        return Reductions.reduce(OP, ReduceOp.LOGSUMEXP, Joins.stack(List.of(terms), 0), 0);
    }
}
