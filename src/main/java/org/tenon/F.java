package org.tenon;

import java.util.List;
import org.tenon.op.Attention;
import org.tenon.op.Convolution;
import org.tenon.op.Ctc;
import org.tenon.op.Elementwise;
import org.tenon.op.Epilogues;
import org.tenon.op.Indexing;
import org.tenon.op.Joins;
import org.tenon.op.LossTerms;
import org.tenon.op.Losses;
import org.tenon.op.MatMul;
import org.tenon.op.Nll;
import org.tenon.op.Norms;
import org.tenon.op.Pooling;
import org.tenon.op.Random;
import org.tenon.op.Reductions;
import org.tenon.op.Softmax;
import org.tenon.op.Value;
import org.tenon.op.VectorLosses;
import org.tenon.op.Views;
import org.tenon.op.Windows;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.SoftmaxKind;
import org.tenon.spi.UnaryOp;

/**
 * The functions of tensors, named after {@code torch.nn.functional} and {@code torch}: those for floating types only, and
 * those that combine tensors of different shapes. What both operands share the shape type of, for every element type, is a
 * method of {@link Tensor}.
 */
public final class F {
    private F() {}

    // ---- the softmax family

    /**
     * The logarithm of the softmax along an axis: {@code y = (x - max) - log(sum(exp(x - max)))}, subtracted in that order,
     * so that a common offset of a row changes nothing.
     *
     * <p>Any shape; the result has it too and is row-major. A row that is all -inf, or holds NaN or +inf, becomes NaN; single
     * -inf stay -inf. A scalar gives 0. Half types compute in float32. The backward, {@code dx = g - exp(y) * sum(g)}, needs
     * only the result. On the CPU the exponentials of float32 rows are within 2.5 units in the last place where {@code x - max} is above
     * -16, and within 5 where they are smaller.
     *
     * <p>PyTorch: {@code torch.nn.functional.log_softmax(input, dim)}.
     *
     * {@snippet class="org.tenon.examples.SoftmaxExamples" region="logSoftmax"}
     *
     * @throws TensorArgumentException if dim is outside {@code [-rank, rank - 1]}
     */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> logSoftmax(
            Tensor<S, D, Dev> x, int dim) {
        return x.with(Softmax.apply(SoftmaxKind.LOG_SOFTMAX, x.value(), dim));
    }

    /**
     * The log-softmax of {@code x} cast to {@code as} first; integers are welcome here. From a half type to a wider one the
     * cast is part of the same pass. The gradient comes back in the type of x.
     *
     * <p>PyTorch: {@code log_softmax(input, dim, dtype=as)}.
     */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> logSoftmax(
            Tensor<S, ?, Dev> x, int dim, D as) {
        return x.with(Softmax.apply(SoftmaxKind.LOG_SOFTMAX, x.value(), dim, as), as);
    }

    /** {@link #logSoftmax(Tensor, int)} with its axis as options. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> logSoftmax(
            Tensor<S, D, Dev> x, SoftmaxOptions options) {
        return logSoftmax(x, options.dim());
    }

    /** {@link #logSoftmax(Tensor, int, Floating)} with its axis and element type as options. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> logSoftmax(
            Tensor<S, ?, Dev> x, SoftmaxOptions.As<D> options) {
        return logSoftmax(x, options.dim(), options.dtype());
    }

    /**
     * The softmax along an axis: {@code y = exp(x - max) / sum(exp(x - max))}. Edge cases as for
     * {@link #logSoftmax(Tensor, int)}, with 0 in place of -inf and 1 for a scalar. Backward:
     * {@code dx = y * (g - sum(g * y))}.
     *
     * <p>PyTorch: {@code torch.nn.functional.softmax(input, dim)}.
     */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> softmax(
            Tensor<S, D, Dev> x, int dim) {
        return x.with(Softmax.apply(SoftmaxKind.SOFTMAX, x.value(), dim));
    }

    /** The softmax of {@code x} cast to {@code as} first. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> softmax(
            Tensor<S, ?, Dev> x, int dim, D as) {
        return x.with(Softmax.apply(SoftmaxKind.SOFTMAX, x.value(), dim, as), as);
    }

    /** {@link #softmax(Tensor, int)} with its axis as options. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> softmax(
            Tensor<S, D, Dev> x, SoftmaxOptions options) {
        return softmax(x, options.dim());
    }

    /** {@link #softmax(Tensor, int, Floating)} with its axis and element type as options. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> softmax(
            Tensor<S, ?, Dev> x, SoftmaxOptions.As<D> options) {
        return softmax(x, options.dim(), options.dtype());
    }

    /**
     * Samples from the Gumbel-softmax distribution: softmax of {@code (x + g) / tau} with Gumbel noise g (Jang et al. 2017,
     * Maddison et al. 2017). PyTorch: {@code gumbel_softmax(logits, tau, hard, dim)}.
     *
     * @param tau the temperature, positive
     * @param hardness whether the result is one-hot; its gradient is that of the probabilities either way
     */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> gumbelSoftmax(
            Tensor<S, D, Dev> x, double tau, Random.Hardness hardness, int dim, Generator generator) {
        return x.with(Random.gumbelSoftmax(x.value(), tau, hardness, dim, generator));
    }

    /**
     * The negative log likelihood of classes, {@code -logp[i][target[i]]}, averaged.
     *
     * <p>Shapes: (N, C) and (N), whose labels agree. Targets of -100 count for nothing. An empty batch gives NaN. PyTorch:
     * {@code nll_loss(input, target)}.
     *
     * {@snippet class="org.tenon.examples.SoftmaxExamples" region="nllLoss"}
     *
     * @throws TensorArgumentException if a target is outside [0, C), at the latest where the result is read
     */
    public static <N extends Dim, C extends Dim, D extends Floating, Dev extends DeviceType> Tensor<R0, D, Dev> nllLoss(
            Tensor<R2<N, C>, D, Dev> logp, Tensor<R1<N>, ? extends Integral, Dev> target) {
        return nllLoss(logp, target, NllLossOptions.defaults(), Reduction.mean());
    }

    /**
     * The negative log likelihood of classes, {@code -weight[t] * logp[..., t, ...]}. The mean divides by the sum of the
     * targets' weights, NaN if that is 0.
     *
     * @param logp log-probabilities (C), (N, C) or (N, C, d1, ...)
     * @param target classes (), (N) or (N, d1, ...)
     */
    public static <S extends Shape, T extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType>
            Tensor<R, D, Dev> nllLoss(
                    Tensor<S, D, Dev> logp,
                    Tensor<T, ? extends Integral, Dev> target,
                    NllLossOptions<D, Dev> options,
                    Reduction<T, R> reduction) {
        return logp.with(Nll.apply(
                logp.value(),
                target.value(),
                options.weight().map(Tensor::value).orElse(null),
                options.ignoreIndex(),
                reduction.kind()));
    }

    /**
     * {@link #nllLoss(Tensor, Tensor)} of the {@link #logSoftmax(Tensor, int)} of logits (N, C), averaged. PyTorch:
     * {@code cross_entropy(input, target)}.
     */
    public static <N extends Dim, C extends Dim, D extends Floating, Dev extends DeviceType>
            Tensor<R0, D, Dev> crossEntropy(
                    Tensor<R2<N, C>, D, Dev> logits, Tensor<R1<N>, ? extends Integral, Dev> target) {
        return crossEntropy(logits, target, CrossEntropyOptions.defaults(), Reduction.mean());
    }

    /**
     * Cross entropy of logits against classes. With label smoothing e:
     * {@code (1 - e) * nll + e / C * (-sum(weight * logp))}, both parts reduced alike.
     *
     * @param logits (C), (N, C) or (N, C, d1, ...)
     * @param target classes (), (N) or (N, d1, ...)
     */
    public static <S extends Shape, T extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType>
            Tensor<R, D, Dev> crossEntropy(
                    Tensor<S, D, Dev> logits,
                    Tensor<T, ? extends Integral, Dev> target,
                    CrossEntropyOptions<D, Dev> options,
                    Reduction<T, R> reduction) {
        return logits.with(Losses.crossEntropy(
                logits.value(),
                target.value(),
                options.weight().map(Tensor::value).orElse(null),
                options.ignoreIndex().orElse(NllLossOptions.DEFAULT_IGNORE_INDEX),
                options.labelSmoothing(),
                reduction.kind()));
    }

    /**
     * Cross entropy of logits against probabilities of the same shape: {@code -sum(t * weight * logp)} over the classes,
     * averaged over targets (not over weights) or summed.
     */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType>
            Tensor<R0, D, Dev> crossEntropyOfProbabilities(
                    Tensor<S, D, Dev> logits,
                    Tensor<S, D, Dev> target,
                    CrossEntropyOptions<D, Dev> options,
                    Reduction<S, R0> reduction) {
        return logits.with(ofProbabilities(logits, target, options, reduction));
    }

    /** The same for each target; {@code classes} is the axis that goes away, dim 1 (dim 0 of a vector). */
    public static <S extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType>
            Tensor<R, D, Dev> crossEntropyOfProbabilities(
                    Tensor<S, D, Dev> logits,
                    Tensor<S, D, Dev> target,
                    CrossEntropyOptions<D, Dev> options,
                    Axis<S, R> classes) {
        int axis = logits.rank() == 1 ? 0 : 1;
        if (classes.dim() != axis) {
            throw new TensorArgumentException(
                    "crossEntropy",
                    "the axis is dim " + classes.dim() + "; the classes of rank " + logits.rank() + " are dim " + axis);
        }
        return logits.with(ofProbabilities(logits, target, options, Reduction.<S>none()));
    }

    private static <D extends Floating, Dev extends DeviceType> Value ofProbabilities(
            Tensor<?, D, Dev> logits,
            Tensor<?, D, Dev> target,
            CrossEntropyOptions<D, Dev> options,
            Reduction<?, ?> reduction) {
        if (options.ignoreIndex().orElse(-1) >= 0) {
            throw new TensorArgumentException(
                    "crossEntropy",
                    "ignoreIndex " + options.ignoreIndex().getAsLong()
                            + " has no meaning for probabilities; leave it out");
        }
        return Losses.crossEntropyOfProbabilities(
                logits.value(),
                target.value(),
                options.weight().map(Tensor::value).orElse(null),
                options.labelSmoothing(),
                reduction.kind());
    }

    /**
     * The Kullback-Leibler divergence of a target distribution from log-probabilities, term by term
     * {@code t * (log t - x)}, 0 where t is 0, or for logarithms {@code exp(t) * (t - x)}, 0 where t is -inf. PyTorch:
     * {@code kl_div(input, target, reduction, log_target)}.
     *
     * {@snippet class="org.tenon.examples.SoftmaxExamples" region="klDiv"}
     *
     * @param x log-probabilities
     * @param target of the same shape
     * @param form whether the target holds probabilities or their logarithms
     */
    public static <S extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType>
            Tensor<R, D, Dev> klDiv(
                    Tensor<S, D, Dev> x, Tensor<S, D, Dev> target, KlTarget form, Reduction<S, R> reduction) {
        return x.with(LossTerms.klDiv(x.value(), target.value(), form == KlTarget.LOG_PROBABILITIES, reduction.kind()));
    }

    // ---- losses

    /**
     * The squared error {@code (x - t)^2}. PyTorch: {@code mse_loss(input, target, reduction)}.
     *
     * @throws TensorArgumentException if shapes differ
     */
    public static <S extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType>
            Tensor<R, D, Dev> mseLoss(Tensor<S, D, Dev> x, Tensor<S, D, Dev> target, Reduction<S, R> reduction) {
        return x.with(LossTerms.mse(x.value(), target.value(), reduction.kind()));
    }

    /**
     * The absolute error {@code |x - t|}, whose slope at 0 is 0. PyTorch: {@code l1_loss(input, target, reduction)}.
     *
     * @throws TensorArgumentException if shapes differ
     */
    public static <S extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType>
            Tensor<R, D, Dev> l1Loss(Tensor<S, D, Dev> x, Tensor<S, D, Dev> target, Reduction<S, R> reduction) {
        return x.with(LossTerms.l1(x.value(), target.value(), reduction.kind()));
    }

    /**
     * With {@code d = x - t}: {@code d^2 / 2} up to delta, {@code delta (|d| - delta / 2)} beyond (Huber 1964). PyTorch: {@code huber_loss(input, target, reduction, delta)}.
     *
     * @param delta where the line begins, positive
     * @throws TensorArgumentException if shapes differ
     */
    public static <S extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType>
            Tensor<R, D, Dev> huberLoss(
                    Tensor<S, D, Dev> x, Tensor<S, D, Dev> target, double delta, Reduction<S, R> reduction) {
        return x.with(LossTerms.huber(x.value(), target.value(), delta, reduction.kind()));
    }

    /**
     * With {@code d = x - t}: {@code d^2 / (2 beta)} up to beta, {@code |d| - beta / 2} beyond. PyTorch: {@code smooth_l1_loss(input, target, reduction, beta)}.
     *
     * @param beta where the line begins, 0 or more
     * @throws TensorArgumentException if shapes differ
     */
    public static <S extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType>
            Tensor<R, D, Dev> smoothL1Loss(
                    Tensor<S, D, Dev> x, Tensor<S, D, Dev> target, double beta, Reduction<S, R> reduction) {
        return x.with(LossTerms.smoothL1(x.value(), target.value(), beta, reduction.kind()));
    }

    /**
     * The cross entropy of a probability given as a logit x against t in [0, 1]:
     * {@code weight ((1 - t) x + (1 + (posWeight - 1) t) log(1 + e^-x))}, which overflows nowhere. PyTorch:
     * {@code binary_cross_entropy_with_logits(input, target, weight, reduction, pos_weight)}.
     *
     * @throws TensorArgumentException if shapes differ, or a weight does not broadcast to them
     */
    public static <S extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType>
            Tensor<R, D, Dev> binaryCrossEntropyWithLogits(
                    Tensor<S, D, Dev> x,
                    Tensor<S, D, Dev> target,
                    BceOptions<D, Dev> options,
                    Reduction<S, R> reduction) {
        return x.with(LossTerms.bceWithLogits(
                x.value(),
                target.value(),
                options.weight().map(Tensor::value).orElse(null),
                options.posWeight().map(Tensor::value).orElse(null),
                reduction.kind()));
    }

    /**
     * The cosine of the angle between vectors along an axis: {@code a b / (max(|a|, eps) max(|b|, eps))}. PyTorch:
     * {@code cosine_similarity(x1, x2, dim, eps)}.
     *
     * @param eps the least length, positive; PyTorch's default is 1e-8
     */
    public static <S extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType>
            Tensor<R, D, Dev> cosineSimilarity(Tensor<S, D, Dev> a, Tensor<S, D, Dev> b, Axis<S, R> axis, double eps) {
        return a.with(VectorLosses.cosineSimilarity(a.value(), b.value(), axis.dim(), eps));
    }

    /**
     * Of pairs of rows with cosine c: {@code 1 - c} where the target is 1, {@code max(0, c - margin)} where it is -1. PyTorch:
     * {@code cosine_embedding_loss(input1, input2, target, margin, reduction)}.
     */
    public static <N extends Dim, E extends Dim, R extends Shape, D extends Floating, Dev extends DeviceType>
            Tensor<R, D, Dev> cosineEmbeddingLoss(
                    Tensor<R2<N, E>, D, Dev> a,
                    Tensor<R2<N, E>, D, Dev> b,
                    Tensor<R1<N>, ?, Dev> target,
                    double margin,
                    Reduction<R1<N>, R> reduction) {
        return a.with(VectorLosses.cosineEmbedding(a.value(), b.value(), target.value(), margin, reduction.kind()));
    }

    /**
     * {@code max(0, margin - t (a - b))}: t is 1 where a should be the larger, -1 where b should. PyTorch:
     * {@code margin_ranking_loss(input1, input2, target, margin, reduction)}.
     */
    public static <S extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType>
            Tensor<R, D, Dev> marginRankingLoss(
                    Tensor<S, D, Dev> a,
                    Tensor<S, D, Dev> b,
                    Tensor<S, D, Dev> target,
                    double margin,
                    Reduction<S, R> reduction) {
        return a.with(LossTerms.marginRanking(a.value(), b.value(), target.value(), margin, reduction.kind()));
    }

    /**
     * Of distances x: x where t is 1, {@code max(0, margin - x)} where it is -1. PyTorch:
     * {@code hinge_embedding_loss(input, target, margin, reduction)}.
     */
    public static <S extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType>
            Tensor<R, D, Dev> hingeEmbeddingLoss(
                    Tensor<S, D, Dev> x, Tensor<S, D, Dev> target, double margin, Reduction<S, R> reduction) {
        return x.with(LossTerms.hingeEmbedding(x.value(), target.value(), margin, reduction.kind()));
    }

    /**
     * The hinge of several classes: {@code sum(weight[t] max(0, margin - x[t] + x[j])^p) / C} over the classes j other than
     * t. PyTorch: {@code multi_margin_loss(input, target, p, margin, weight, reduction)}.
     *
     * @throws TensorArgumentException if a target is outside [0, C), at the latest where the result is read
     */
    public static <N extends Dim, C extends Dim, R extends Shape, D extends Floating, Dev extends DeviceType>
            Tensor<R, D, Dev> multiMarginLoss(
                    Tensor<R2<N, C>, D, Dev> x,
                    Tensor<R1<N>, ? extends Integral, Dev> target,
                    MultiMarginOptions<D, Dev> options,
                    Reduction<R1<N>, R> reduction) {
        return x.with(VectorLosses.multiMargin(
                x.value(),
                target.value(),
                options.p(),
                options.margin(),
                options.weight().map(Tensor::value).orElse(null),
                reduction.kind()));
    }

    /**
     * Connectionist temporal classification (Graves et al. 2006): the negative logarithm of the probability of a labelling,
     * summed over all ways to spread it, with blanks between, over the steps. Shapes: log-probabilities (T, N, C), targets
     * (N, S), padded behind each one's length with anything. The mean is that of losses divided by their targets' lengths. The
     * gradient is that of the formula; PyTorch's differs until it has gone through log_softmax. An infinite loss has gradient 0
     * here. PyTorch: {@code ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity)}.
     *
     * @param inputLengths the steps of each sample, 1 to T
     * @param targetLengths the labels of each sample, 0 to S
     * @throws TensorArgumentException if lengths are outside, or a label is outside [0, C), at the latest where the result is
     *     read
     */
    public static <
                    T extends Dim,
                    N extends Dim,
                    C extends Dim,
                    L extends Dim,
                    R extends Shape,
                    D extends Floating,
                    Dev extends DeviceType>
            Tensor<R, D, Dev> ctcLoss(
                    Tensor<R3<T, N, C>, D, Dev> logp,
                    Tensor<R2<N, L>, ? extends Integral, Dev> targets,
                    long[] inputLengths,
                    long[] targetLengths,
                    CtcOptions options,
                    Reduction<R1<N>, R> reduction) {
        return logp.with(Ctc.apply(
                logp.value(),
                targets.value(),
                inputLengths,
                targetLengths,
                options.blank(),
                options.zeroInfinity() ? 0 : Double.POSITIVE_INFINITY,
                reduction.kind()));
    }

    // ---- normalisation

    /**
     * Normalises over the last axes: {@code y = (x - mean) / sqrt(var + eps) * weight + bias}, the variance over the count
     * (Ba et al. 2016). Half types compute in float32. A row that holds NaN or an infinity becomes NaN. PyTorch:
     * {@code layer_norm(input, normalized_shape, weight, bias, eps)}.
     *
     * @param normalizedShape the last sizes of x, which weight and bias have too
     * @throws TensorArgumentException if they are not
     */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> layerNorm(
            Tensor<S, D, Dev> x, long[] normalizedShape, NormOptions<D, Dev> options) {
        return x.with(Norms.layerNorm(x.value(), normalizedShape, weight(options), bias(options), options.eps()));
    }

    /**
     * Divides by the root of the mean square over the last axes: {@code y = x / sqrt(mean(x^2) + eps) * weight} (Zhang and
     * Sennrich 2019). PyTorch: {@code rms_norm(input, normalized_shape, weight, eps)}, whose eps is the element type's unless
     * given.
     *
     * @throws TensorArgumentException if options have a bias, or shapes do not agree
     */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> rmsNorm(
            Tensor<S, D, Dev> x, long[] normalizedShape, NormOptions<D, Dev> options) {
        if (options.bias().isPresent()) {
            throw new TensorArgumentException("rmsNorm", "there is no bias here; add it to the result");
        }
        return x.with(Norms.rmsNorm(x.value(), normalizedShape, weight(options), options.eps()));
    }

    /**
     * Normalises each channel, axis 1, over all other axes with the statistics of this batch:
     * {@code y = (x - mean) / sqrt(var + eps) * weight + bias} (Ioffe and Szegedy 2015). Shapes: (N, C, ...); weight and bias
     * (C). PyTorch: {@code batch_norm(input, None, None, weight, bias, training=True)}.
     *
     * @throws TensorArgumentException if there is but one value a channel
     */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> batchNorm(
            Tensor<S, D, Dev> x, NormOptions<D, Dev> options) {
        return x.with(Norms.batchNorm(x.value(), weight(options), bias(options), options.eps()));
    }

    /** Normalises each channel with given statistics. PyTorch: {@code batch_norm(..., training=False)}. */
    public static <S extends Shape, C extends Dim, D extends Floating, Dev extends DeviceType>
            Tensor<S, D, Dev> batchNorm(
                    Tensor<S, D, Dev> x,
                    Tensor<R1<C>, D, Dev> runningMean,
                    Tensor<R1<C>, D, Dev> runningVar,
                    NormOptions<D, Dev> options) {
        return x.with(Norms.batchNormBy(
                x.value(), runningMean.value(), runningVar.value(), weight(options), bias(options), options.eps()));
    }

    /**
     * Normalises with the statistics of this batch, and moves the running ones towards them, in place:
     * {@code running = (1 - momentum) running + momentum batch}, with the variance over one less than the count. PyTorch:
     * {@code batch_norm(..., training=True, momentum)}.
     */
    public static <S extends Shape, C extends Dim, D extends Floating, Dev extends DeviceType>
            Tensor<S, D, Dev> batchNorm(
                    Tensor<S, D, Dev> x,
                    Tensor<R1<C>, D, Dev> runningMean,
                    Tensor<R1<C>, D, Dev> runningVar,
                    double momentum,
                    NormOptions<D, Dev> options) {
        return x.with(Norms.batchNorm(
                x.value(),
                runningMean.value(),
                runningVar.value(),
                momentum,
                weight(options),
                bias(options),
                options.eps()));
    }

    private static Value weight(NormOptions<?, ?> options) {
        return options.weight().map(Tensor::value).orElse(null);
    }

    private static Value bias(NormOptions<?, ?> options) {
        return options.bias().map(Tensor::value).orElse(null);
    }

    // ---- convolutions and pooling; spatial axes keep their labels

    /**
     * The convolution of sequences: {@code y[n][o][i] = bias[o] + sum(x[n][c][i stride + k dilation - padding] w[o][c][k])},
     * zeros around x. Shapes: (N, In, L), (Out, In / groups, K) to (N, Out, M),
     * {@code M = (L + 2 padding - dilation (K - 1) - 1) / stride + 1}. PyTorch:
     * {@code conv1d(input, weight, bias, stride, padding, dilation, groups)}.
     *
     * @throws TensorArgumentException if channels, groups and weight do not agree, or the window does not fit
     */
    public static <
                    N extends Dim,
                    In extends Dim,
                    Out extends Dim,
                    L extends Dim,
                    D extends Floating,
                    Dev extends DeviceType>
            Tensor<R3<N, Out, L>, D, Dev> conv1d(
                    Tensor<R3<N, In, L>, D, Dev> x,
                    Tensor<R3<Dim, Dim, Dim>, D, Dev> weight,
                    ConvOptions<D, Dev> options) {
        return x.with(convolution("conv1d", x, weight, options));
    }

    /**
     * The convolution of images, as {@link #conv1d} along two axes. Shapes: (N, In, H, W), (Out, In / groups, KH, KW) to
     * (N, Out, H', W'). PyTorch: {@code conv2d(input, weight, bias, stride, padding, dilation, groups)}.
     *
     * @throws TensorArgumentException if channels, groups and weight do not agree, or the window does not fit
     */
    public static <
                    N extends Dim,
                    In extends Dim,
                    Out extends Dim,
                    H extends Dim,
                    W extends Dim,
                    D extends Floating,
                    Dev extends DeviceType>
            Tensor<R4<N, Out, H, W>, D, Dev> conv2d(
                    Tensor<R4<N, In, H, W>, D, Dev> x,
                    Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev> weight,
                    ConvOptions<D, Dev> options) {
        return x.with(convolution("conv2d", x, weight, options));
    }

    private static Value convolution(String op, Tensor<?, ?, ?> x, Tensor<?, ?, ?> weight, ConvOptions<?, ?> options) {
        if (options.outputPadding().stream().anyMatch(extra -> extra != 0)) {
            throw new TensorArgumentException(op, "outputPadding is for convTranspose2d; leave it out");
        }
        return Convolution.apply(
                op,
                x.value(),
                weight.value(),
                options.bias().map(Tensor::value).orElse(null),
                geometry(op, weight, options),
                options.groups());
    }

    /** The window of a weight: its last sizes. */
    private static Windows.Geometry geometry(String op, Tensor<?, ?, ?> weight, ConvOptions<?, ?> options) {
        int axes = op.equals("conv1d") ? 1 : 2;
        long[] sizes = weight.shape();
        return new Windows.Geometry(
                java.util.Arrays.copyOfRange(sizes, Math.max(0, sizes.length - axes), Math.max(axes, sizes.length)),
                ConvOptions.spread(op, "stride", options.stride(), axes),
                ConvOptions.spread(op, "padding", options.padding(), axes),
                ConvOptions.spread(op, "dilation", options.dilation(), axes));
    }

    /**
     * The transposed convolution of images: the gradient of {@link #conv2d} with respect to its input. Shapes: (N, In, H, W),
     * (In, Out / groups, KH, KW) to (N, Out, H', W'),
     * {@code H' = (H - 1) stride - 2 padding + dilation (KH - 1) + outputPadding + 1}. PyTorch:
     * {@code conv_transpose2d(input, weight, bias, stride, padding, output_padding, groups, dilation)}.
     *
     * @throws TensorArgumentException if channels, groups and weight do not agree, or outputPadding is too large
     */
    public static <
                    N extends Dim,
                    In extends Dim,
                    Out extends Dim,
                    H extends Dim,
                    W extends Dim,
                    D extends Floating,
                    Dev extends DeviceType>
            Tensor<R4<N, Out, H, W>, D, Dev> convTranspose2d(
                    Tensor<R4<N, In, H, W>, D, Dev> x,
                    Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev> weight,
                    ConvOptions<D, Dev> options) {
        return x.with(Convolution.transposed(
                "convTranspose2d",
                x.value(),
                weight.value(),
                options.bias().map(Tensor::value).orElse(null),
                geometry("convTranspose2d", weight, options),
                options.groups(),
                ConvOptions.spread("convTranspose2d", "outputPadding", options.outputPadding(), 2)));
    }

    /**
     * The largest of each window of an image; NaN if any is. The gradient goes to the first of equals. Shapes: (N, C, H, W) to
     * (N, C, H', W') as for {@link #conv2d}. PyTorch: {@code max_pool2d(input, kernel_size, stride, padding, dilation)}.
     */
    public static <
                    N extends Dim,
                    C extends Dim,
                    H extends Dim,
                    W extends Dim,
                    D extends Floating,
                    Dev extends DeviceType>
            Tensor<R4<N, C, H, W>, D, Dev> maxPool2d(Tensor<R4<N, C, H, W>, D, Dev> x, PoolOptions options) {
        return x.with(Pooling.max("maxPool2d", x.value(), windows("maxPool2d", options)));
    }

    /**
     * The mean of each window of an image; zeros of the padding count. PyTorch:
     * {@code avg_pool2d(input, kernel_size, stride, padding)}.
     */
    public static <
                    N extends Dim,
                    C extends Dim,
                    H extends Dim,
                    W extends Dim,
                    D extends Floating,
                    Dev extends DeviceType>
            Tensor<R4<N, C, H, W>, D, Dev> avgPool2d(Tensor<R4<N, C, H, W>, D, Dev> x, PoolOptions options) {
        if (options.dilation().stream().anyMatch(each -> each != 1)) {
            throw new TensorArgumentException("avgPool2d", "there is no dilation here; leave it out");
        }
        return x.with(Pooling.mean("avgPool2d", x.value(), windows("avgPool2d", options)));
    }

    private static Windows.Geometry windows(String op, PoolOptions options) {
        return new Windows.Geometry(
                ConvOptions.spread(op, "kernel", options.kernel(), 2),
                ConvOptions.spread(op, "stride", options.stride(), 2),
                ConvOptions.spread(op, "padding", options.padding(), 2),
                ConvOptions.spread(op, "dilation", options.dilation(), 2));
    }

    /**
     * The mean of windows so chosen that the result has these sizes: from {@code floor(i H / height)} to
     * {@code ceil((i + 1) H / height)}. PyTorch: {@code adaptive_avg_pool2d(input, output_size)}.
     */
    public static <
                    N extends Dim,
                    C extends Dim,
                    H extends Dim,
                    W extends Dim,
                    D extends Floating,
                    Dev extends DeviceType>
            Tensor<R4<N, C, H, W>, D, Dev> adaptiveAvgPool2d(
                    Tensor<R4<N, C, H, W>, D, Dev> x, long height, long width) {
        return x.with(Pooling.adaptiveMean("adaptiveAvgPool2d", x.value(), new long[] {height, width}));
    }

    /** The largest of the same windows. PyTorch: {@code adaptive_max_pool2d(input, output_size)}. */
    public static <
                    N extends Dim,
                    C extends Dim,
                    H extends Dim,
                    W extends Dim,
                    D extends Floating,
                    Dev extends DeviceType>
            Tensor<R4<N, C, H, W>, D, Dev> adaptiveMaxPool2d(
                    Tensor<R4<N, C, H, W>, D, Dev> x, long height, long width) {
        return x.with(Pooling.adaptiveMax("adaptiveMaxPool2d", x.value(), new long[] {height, width}));
    }

    // ---- attention

    /**
     * Attention (Vaswani et al. 2017): {@code softmax(q k^T scale + masks) v}. Shapes: (N, H, T, E), (N, H, U, E),
     * (N, H, U, V) to (N, H, T, V). A position that may attend to nothing gets zeros, and gives no gradient. On CUDA, of
     * float32 and half types with up to 128 features, it is one kernel forward and two backward, and scores and weights are never
     * in memory: masks and dropout are made within, transposed operands are not copied. It is composed of other ops
     * elsewhere, for float64, for a bias that needs a gradient, and where gradients shall have gradients. Dropout of a seed
     * drops the same weights everywhere. A value that is not finite may spread to positions that must not see it. PyTorch:
     * {@code scaled_dot_product_attention(query, key, value, attn_mask, dropout_p, is_causal, scale)}.
     *
     * @throws TensorArgumentException if shapes do not agree, or a mask does not broadcast to (N, H, T, U)
     */
    public static <
                    N extends Dim,
                    H extends Dim,
                    T extends Dim,
                    U extends Dim,
                    E extends Dim,
                    V extends Dim,
                    D extends Floating,
                    Dev extends DeviceType>
            Tensor<R4<N, H, T, V>, D, Dev> scaledDotProductAttention(
                    Tensor<R4<N, H, T, E>, D, Dev> query,
                    Tensor<R4<N, H, U, E>, D, Dev> key,
                    Tensor<R4<N, H, U, V>, D, Dev> value,
                    AttentionOptions<D, Dev> options) {
        return query.with(Attention.apply(
                query.value(),
                key.value(),
                value.value(),
                new Attention.Setting(
                        options.causal(),
                        options.allowed().map(Tensor::value).orElse(null),
                        options.bias().map(Tensor::value).orElse(null),
                        options.dropout(),
                        options.generator().orElse(null),
                        options.scale().orElse(Double.NaN))));
    }

    // ---- functions of each element, floating types

    /** {@code e^x}. On the CPU, of float32, within 1.2 units in the last place, or 1 in plain Java. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> exp(
            Tensor<S, D, Dev> x) {
        return x.with(Elementwise.unary("exp", UnaryOp.EXP, x.value()));
    }

    /**
     * The natural logarithm; NaN below 0, -inf at 0. On the CPU, of float32, within 0.9 units in the last place, or 0.51 in plain
     * Java.
     */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> log(
            Tensor<S, D, Dev> x) {
        return x.with(Elementwise.unary("log", UnaryOp.LOG, x.value()));
    }

    /** {@code log(1 + x)}, accurate near 0. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> log1p(
            Tensor<S, D, Dev> x) {
        return x.with(Elementwise.unary("log1p", UnaryOp.LOG1P, x.value()));
    }

    /** The square root. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> sqrt(
            Tensor<S, D, Dev> x) {
        return x.with(Elementwise.unary("sqrt", UnaryOp.SQRT, x.value()));
    }

    /** {@code 1 / sqrt(x)}. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> rsqrt(
            Tensor<S, D, Dev> x) {
        return x.with(Elementwise.unary("rsqrt", UnaryOp.RSQRT, x.value()));
    }

    /** {@code 1 / x}. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> reciprocal(
            Tensor<S, D, Dev> x) {
        return x.with(Elementwise.unary("reciprocal", UnaryOp.RECIPROCAL, x.value()));
    }

    /** The sine, in radians. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> sin(
            Tensor<S, D, Dev> x) {
        return x.with(Elementwise.unary("sin", UnaryOp.SIN, x.value()));
    }

    /** The cosine, in radians. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> cos(
            Tensor<S, D, Dev> x) {
        return x.with(Elementwise.unary("cos", UnaryOp.COS, x.value()));
    }

    /** The hyperbolic tangent. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> tanh(
            Tensor<S, D, Dev> x) {
        return x.with(Elementwise.unary("tanh", UnaryOp.TANH, x.value()));
    }

    /** {@code 1 / (1 + e^-x)}. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> sigmoid(
            Tensor<S, D, Dev> x) {
        return x.with(Elementwise.unary("sigmoid", UnaryOp.SIGMOID, x.value()));
    }

    /** {@code max(x, 0)}; NaN stays; the gradient at 0 is 0. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> relu(
            Tensor<S, D, Dev> x) {
        return x.with(Elementwise.unary("relu", UnaryOp.RELU, x.value()));
    }

    /** {@code x * sigmoid(x)} (Elfwing et al. 2018), also called swish. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> silu(
            Tensor<S, D, Dev> x) {
        return x.with(Elementwise.unary("silu", UnaryOp.SILU, x.value()));
    }

    /** The error function. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> erf(
            Tensor<S, D, Dev> x) {
        return x.with(Elementwise.unary("erf", UnaryOp.ERF, x.value()));
    }

    /** {@code x / 2 * (1 + erf(x / sqrt 2))} (Hendrycks and Gimpel 2016). */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> gelu(
            Tensor<S, D, Dev> x) {
        return gelu(x, Approximation.NONE);
    }

    /** GELU, exact or by the hyperbolic tangent: {@code x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))}. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> gelu(
            Tensor<S, D, Dev> x, Approximation approximation) {
        UnaryOp function = switch (approximation) {
            case NONE -> UnaryOp.GELU;
            case TANH -> UnaryOp.GELU_TANH;
        };
        return x.with(Elementwise.unary("gelu", function, x.value()));
    }

    /** How {@link #gelu(Tensor, Approximation)} computes. */
    public enum Approximation {
        /** By the error function. */
        NONE,
        /** By the hyperbolic tangent. */
        TANH
    }

    /** Each element to a power. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> pow(
            Tensor<S, D, Dev> x, double exponent) {
        return x.with(Elementwise.unary("pow", UnaryOp.POW_SCALAR, x.value(), exponent, 0));
    }

    /** Each element divided by a number. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> div(
            Tensor<S, D, Dev> x, double divisor) {
        return x.with(Elementwise.unary("div", UnaryOp.DIV_SCALAR, x.value(), divisor, 0));
    }

    /** Elements set to 0 with probability {@code p}, the others divided by {@code 1 - p} (Srivastava et al. 2014). */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> dropout(
            Tensor<S, D, Dev> x, double p, Generator generator) {
        return x.with(Random.dropout(x.value(), p, generator));
    }

    /**
     * What comes after a product, {@code residual + dropout(activation(x + bias))}, as one kernel each way; each part may be absent. In
     * float32 and float64 it has the bits of the separate ops, and draws as {@link #dropout} does; half types are computed in
     * float32 and rounded once, at the end, where separate ops round each result. PyTorch has no such function.
     * {@snippet :
     * F.epilogue(x.matmul(w), EpilogueOptions.<F32, Dev>defaults().bias(b).activation(Activation.GELU).residual(y));
     * }
     *
     * @throws TensorArgumentException if the bias is not of the last size, the residual not of the shape of x, or the probability
     *     outside [0, 1]
     */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> epilogue(
            Tensor<S, D, Dev> x, EpilogueOptions<D, Dev> options) {
        return x.with(Epilogues.apply(
                x.value(),
                new Epilogues.Parts(
                        options.bias().map(Tensor::value).orElse(null),
                        function(options.activation()),
                        options.dropout(),
                        options.generator().orElse(null),
                        options.residual().map(Tensor::value).orElse(null))));
    }

    private static UnaryOp function(Activation activation) {
        return switch (activation) {
            case NONE -> null;
            case RELU -> UnaryOp.RELU;
            case GELU -> UnaryOp.GELU;
            case GELU_TANH -> UnaryOp.GELU_TANH;
            case SILU -> UnaryOp.SILU;
            case TANH -> UnaryOp.TANH;
            case SIGMOID -> UnaryOp.SIGMOID;
        };
    }

    // ---- functions of pairs, broadcast: the result has the rank of the first

    /** The sum; the second operand broadcasts to the rank of the first, {@code [n, c]} with {@code [c]}. */
    public static <S extends Shape, D extends DType, Dev extends DeviceType> Tensor<S, D, Dev> add(
            Tensor<S, D, Dev> a, Tensor<?, D, Dev> b) {
        return broadcast("add", BinaryOp.ADD, a, b);
    }

    /** The difference; the second operand broadcasts to the rank of the first, {@code [n, c]} with {@code [c]}. */
    public static <S extends Shape, D extends DType, Dev extends DeviceType> Tensor<S, D, Dev> sub(
            Tensor<S, D, Dev> a, Tensor<?, D, Dev> b) {
        return broadcast("sub", BinaryOp.SUB, a, b);
    }

    /** The product; the second operand broadcasts to the rank of the first, {@code [n, c]} with {@code [c]}. */
    public static <S extends Shape, D extends DType, Dev extends DeviceType> Tensor<S, D, Dev> mul(
            Tensor<S, D, Dev> a, Tensor<?, D, Dev> b) {
        return broadcast("mul", BinaryOp.MUL, a, b);
    }

    /** The quotient; the second operand broadcasts to the rank of the first, {@code [n, c]} with {@code [c]}. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> div(
            Tensor<S, D, Dev> a, Tensor<?, D, Dev> b) {
        return broadcast("div", BinaryOp.DIV, a, b);
    }

    /** The first to the power of the second; the second operand broadcasts to the rank of the first, {@code [n, c]} with {@code [c]}. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> pow(
            Tensor<S, D, Dev> a, Tensor<?, D, Dev> b) {
        return broadcast("pow", BinaryOp.POW, a, b);
    }

    /** The larger; the second operand broadcasts to the rank of the first, {@code [n, c]} with {@code [c]}. */
    public static <S extends Shape, D extends DType, Dev extends DeviceType> Tensor<S, D, Dev> maximum(
            Tensor<S, D, Dev> a, Tensor<?, D, Dev> b) {
        return broadcast("maximum", BinaryOp.MAXIMUM, a, b);
    }

    /** The smaller; the second operand broadcasts to the rank of the first, {@code [n, c]} with {@code [c]}. */
    public static <S extends Shape, D extends DType, Dev extends DeviceType> Tensor<S, D, Dev> minimum(
            Tensor<S, D, Dev> a, Tensor<?, D, Dev> b) {
        return broadcast("minimum", BinaryOp.MINIMUM, a, b);
    }

    private static <S extends Shape, D extends DType, Dev extends DeviceType> Tensor<S, D, Dev> broadcast(
            String op, BinaryOp function, Tensor<S, D, Dev> a, Tensor<?, D, Dev> b) {
        if (b.rank() > a.rank()) {
            throw new TensorArgumentException(
                    op,
                    "the second operand has rank " + b.rank() + ", more than the first, " + a.rank()
                            + "; unsqueeze the first, since the result has its rank");
        }
        return a.with(Elementwise.binary(op, function, a.value(), b.value()));
    }

    /** {@code condition ? a : b}, broadcast. */
    public static <S extends Shape, D extends DType, Dev extends DeviceType> Tensor<S, D, Dev> where(
            Tensor<S, Bool, Dev> condition, Tensor<S, D, Dev> a, Tensor<S, D, Dev> b) {
        return a.with(Elementwise.where(condition.value(), a.value(), b.value()));
    }

    // ---- reductions of floating types

    /** The mean of all elements. */
    public static <D extends Floating, Dev extends DeviceType> Tensor<R0, D, Dev> mean(Tensor<?, D, Dev> x) {
        return x.with(Reductions.reduce("mean", ReduceOp.MEAN, x.value()));
    }

    /** The mean along an axis. */
    public static <S extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType> Tensor<R, D, Dev> mean(
            Tensor<S, D, Dev> x, Axis<S, R> axis) {
        return x.with(Reductions.reduce("mean", ReduceOp.MEAN, x.value(), axis.dim()));
    }

    /** The mean along these axes. */
    public static <D extends Floating, Dev extends DeviceType> Tensor<Any, D, Dev> mean(
            Tensor<?, D, Dev> x, int... dims) {
        return x.with(Reductions.reduce("mean", ReduceOp.MEAN, x.value(), dims));
    }

    /** The mean along these axes, which stay with size 1. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> meanKeepDim(
            Tensor<S, D, Dev> x, int... dims) {
        return x.with(Reductions.reduceKeepDim("mean", ReduceOp.MEAN, x.value(), dims));
    }

    /** {@code log(sum(exp(x)))}, computed from the maximum, of all elements. */
    public static <D extends Floating, Dev extends DeviceType> Tensor<R0, D, Dev> logsumexp(Tensor<?, D, Dev> x) {
        return x.with(Reductions.reduce("logsumexp", ReduceOp.LOGSUMEXP, x.value()));
    }

    /** {@code log(sum(exp(x)))}, computed from the maximum, along an axis. */
    public static <S extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType>
            Tensor<R, D, Dev> logsumexp(Tensor<S, D, Dev> x, Axis<S, R> axis) {
        return x.with(Reductions.reduce("logsumexp", ReduceOp.LOGSUMEXP, x.value(), axis.dim()));
    }

    /** {@code log(sum(exp(x)))}, computed from the maximum, along these axes. */
    public static <D extends Floating, Dev extends DeviceType> Tensor<Any, D, Dev> logsumexp(
            Tensor<?, D, Dev> x, int... dims) {
        return x.with(Reductions.reduce("logsumexp", ReduceOp.LOGSUMEXP, x.value(), dims));
    }

    /** {@code log(sum(exp(x)))}, computed from the maximum, along these axes, which stay with size 1. */
    public static <S extends Shape, D extends Floating, Dev extends DeviceType> Tensor<S, D, Dev> logsumexpKeepDim(
            Tensor<S, D, Dev> x, int... dims) {
        return x.with(Reductions.reduceKeepDim("logsumexp", ReduceOp.LOGSUMEXP, x.value(), dims));
    }

    /** The variance, {@code sum((x - mean)^2) / (n - 1)}, of all elements. */
    public static <D extends Floating, Dev extends DeviceType> Tensor<R0, D, Dev> var(Tensor<?, D, Dev> x) {
        return x.with(Reductions.variance("var", x.value(), 1));
    }

    /** The variance, {@code sum((x - mean)^2) / (n - 1)}, along an axis. */
    public static <S extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType> Tensor<R, D, Dev> var(
            Tensor<S, D, Dev> x, Axis<S, R> axis) {
        return x.with(Reductions.variance("var", x.value(), 1, axis.dim()));
    }

    /** The same along these axes (all where none are named) with another correction in place of 1. */
    public static <D extends Floating, Dev extends DeviceType> Tensor<Any, D, Dev> var(
            Tensor<?, D, Dev> x, double correction, int... dims) {
        return x.with(Reductions.variance("var", x.value(), correction, dims));
    }

    /** The standard deviation, the root of {@code sum((x - mean)^2) / (n - 1)}, of all elements. */
    public static <D extends Floating, Dev extends DeviceType> Tensor<R0, D, Dev> std(Tensor<?, D, Dev> x) {
        return x.with(Reductions.deviation(x.value(), 1));
    }

    /** The standard deviation, the root of {@code sum((x - mean)^2) / (n - 1)}, along an axis. */
    public static <S extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType> Tensor<R, D, Dev> std(
            Tensor<S, D, Dev> x, Axis<S, R> axis) {
        return x.with(Reductions.deviation(x.value(), 1, axis.dim()));
    }

    /** The same along these axes (all where none are named) with another correction in place of 1. */
    public static <D extends Floating, Dev extends DeviceType> Tensor<Any, D, Dev> std(
            Tensor<?, D, Dev> x, double correction, int... dims) {
        return x.with(Reductions.deviation(x.value(), correction, dims));
    }

    /** The Euclidean norm of all elements. */
    public static <D extends Floating, Dev extends DeviceType> Tensor<R0, D, Dev> norm(Tensor<?, D, Dev> x) {
        return x.with(Reductions.norm(x.value(), 2));
    }

    /** The p-norm {@code (sum |x|^p)^(1/p)} along an axis; p may be infinite, and 0 counts what is not zero. */
    public static <S extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType> Tensor<R, D, Dev> norm(
            Tensor<S, D, Dev> x, double p, Axis<S, R> axis) {
        return x.with(Reductions.norm(x.value(), p, axis.dim()));
    }

    /** The p-norm along these axes, all where none are named. */
    public static <D extends Floating, Dev extends DeviceType> Tensor<Any, D, Dev> norm(
            Tensor<?, D, Dev> x, double p, int... dims) {
        return x.with(Reductions.norm(x.value(), p, dims));
    }

    // ---- matrix products, whose inner labels agree

    /** {@code [m, k]} by {@code [k, n]}. PyTorch: {@code torch.mm}. */
    public static <A extends Dim, B extends Dim, C extends Dim, D extends Floating, Dev extends DeviceType>
            Tensor<R2<A, C>, D, Dev> matmul(Tensor<R2<A, B>, D, Dev> x, Tensor<R2<B, C>, D, Dev> y) {
        return x.with(MatMul.product("matmul", x.value(), y.value()));
    }

    /** A batch of products, {@code [b, m, k]} by {@code [b, k, n]}. */
    public static <
                    N extends Dim,
                    A extends Dim,
                    B extends Dim,
                    C extends Dim,
                    D extends Floating,
                    Dev extends DeviceType>
            Tensor<R3<N, A, C>, D, Dev> bmm(Tensor<R3<N, A, B>, D, Dev> x, Tensor<R3<N, B, C>, D, Dev> y) {
        return x.with(MatMul.product("bmm", x.value(), y.value()));
    }

    /** A matrix by a vector. */
    public static <A extends Dim, B extends Dim, D extends Floating, Dev extends DeviceType> Tensor<R1<A>, D, Dev> mv(
            Tensor<R2<A, B>, D, Dev> x, Tensor<R1<B>, D, Dev> y) {
        return x.with(MatMul.matmul("mv", x.value(), y.value()));
    }

    /** The inner product of two vectors. */
    public static <A extends Dim, D extends Floating, Dev extends DeviceType> Tensor<R0, D, Dev> dot(
            Tensor<R1<A>, D, Dev> x, Tensor<R1<A>, D, Dev> y) {
        return x.with(MatMul.matmul("dot", x.value(), y.value()));
    }

    /** A matrix transposed, as a view. PyTorch: {@code torch.t}. */
    public static <A extends Dim, B extends Dim, D extends DType, Dev extends DeviceType> Tensor<R2<B, A>, D, Dev> t(
            Tensor<R2<A, B>, D, Dev> x) {
        return x.with(Views.transpose(x.value(), 0, 1));
    }

    // ---- several tensors to one, and lookups

    /** One after another along an axis. */
    public static <S extends Shape, D extends DType, Dev extends DeviceType> Tensor<S, D, Dev> cat(
            List<Tensor<S, D, Dev>> parts, int dim) {
        Value joined = Joins.cat(parts.stream().map(Tensor::value).toList(), dim);
        return parts.getFirst().with(joined);
    }

    /** Along a new axis: {@code stack(List.of(a, b), R2.dim0())} makes an R2 of R1s. */
    public static <S extends Shape, R extends Shape, D extends DType, Dev extends DeviceType> Tensor<R, D, Dev> stack(
            List<Tensor<S, D, Dev>> parts, Axis<R, S> axis) {
        Value joined = Joins.stack(parts.stream().map(Tensor::value).toList(), axis.dim());
        return parts.getFirst().with(joined);
    }

    /** Along a new axis at this position. */
    public static <S extends Shape, D extends DType, Dev extends DeviceType> Tensor<Any, D, Dev> stack(
            List<Tensor<S, D, Dev>> parts, int dim) {
        Value joined = Joins.stack(parts.stream().map(Tensor::value).toList(), dim);
        return parts.getFirst().with(joined);
    }

    /** A new last axis of {@code classes}, 1 at the index and 0 elsewhere. */
    public static <T extends Shape, S extends Shape, Dev extends DeviceType> Tensor<S, I64, Dev> oneHot(
            Tensor<T, ? extends Integral, Dev> index, long classes, Axis<S, T> axis) {
        checkLast("oneHot", index, axis);
        return index.with(Indexing.oneHot(index.value(), classes), DType.I64);
    }

    /** The same for an index whose rank only run time knows. */
    public static <Dev extends DeviceType> Tensor<Any, I64, Dev> oneHot(
            Tensor<?, ? extends Integral, Dev> index, long classes) {
        return index.with(Indexing.oneHot(index.value(), classes), DType.I64);
    }

    /** A row of {@code weight} for every index; the features are a new last axis. */
    public static <
                    V extends Dim,
                    E extends Dim,
                    T extends Shape,
                    S extends Shape,
                    D extends Floating,
                    Dev extends DeviceType>
            Tensor<S, D, Dev> embedding(
                    Tensor<R2<V, E>, D, Dev> weight, Tensor<T, ? extends Integral, Dev> index, Axis<S, T> features) {
        checkLast("embedding", index, features);
        return weight.with(Indexing.embedding(weight.value(), index.value()));
    }

    /** The same for an index whose rank only run time knows. */
    public static <V extends Dim, E extends Dim, D extends Floating, Dev extends DeviceType>
            Tensor<Any, D, Dev> embedding(Tensor<R2<V, E>, D, Dev> weight, Tensor<?, ? extends Integral, Dev> index) {
        return weight.with(Indexing.embedding(weight.value(), index.value()));
    }

    private static void checkLast(String op, Tensor<?, ?, ?> index, Axis<?, ?> axis) {
        if (axis.dim() != index.rank()) {
            throw new TensorArgumentException(
                    op, "the new axis cannot be dim " + axis.dim() + "; it comes last, dim " + index.rank());
        }
    }
}
