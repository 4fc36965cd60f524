package org.tenon.spi;

/**
 * Everything a device computes. Callers have checked shapes, dtypes and devices: a kernel never does. Outputs are
 * contiguous unless said otherwise, never overlap inputs unless said otherwise, and hold arbitrary bits before. Inputs are
 * any {@link Strided}; where an op takes {@link Rows} they are contiguous. Half types compute in float32. The same call on
 * the same device gives the same bits.
 */
public interface Kernels {
    /** {@code out[...] = value}; {@code out} may be strided. Integers take the value's low bits, bool 1 for non-zero. */
    void fill(Strided out, double value);

    /** {@code out[i] = start + i * step}, 1-d. */
    void arange(Strided out, double start, double step);

    /**
     * {@code out[...] = in[...]}, converted; same sizes; {@code out} may be strided. Floating to integer truncates towards
     * zero and saturates, NaN gives 0; to bool is {@code != 0}; narrowing between floating types rounds to nearest even.
     */
    void copy(Strided in, Strided out);

    /** An elementwise function. {@code out} may be {@code in}, element for element. */
    void unary(UnaryOp op, Strided in, double p0, double p1, Strided out);

    /** An elementwise function of two; sizes are equal, broadcasting is by strides of 0. {@code out} may be an input. */
    void binary(BinaryOp op, Strided a, Strided b, Strided out);

    /** {@code out = condition ? a : b}; {@code condition} is bool. */
    void where(Strided condition, Strided a, Strided b, Strided out);

    /** Reduces the axes from {@code kept} on; {@code out} has the first {@code kept} axes. */
    void reduce(ReduceOp op, Strided in, int kept, Strided out);

    /** Softmax or log-softmax of each row. {@code out} has the dtype of {@code in}, or is float32 where that is half. */
    void softmax(SoftmaxKind kind, Strided in, Rows rows, Strided out);

    /** Its backward, from the incoming gradient and the saved output; {@code dx} may be half where those are float32. */
    void softmaxGrad(SoftmaxKind kind, Strided g, Strided y, Rows rows, Strided dx);

    /**
     * Negative log likelihood. {@code logp} has {@code rows} along its class axis, {@code target} is
     * {@code [outer, inner]}, {@code weight} one per class or null. With {@link LossReduction#NONE} {@code out} is one per
     * target; otherwise a scalar, and {@code totalWeight}, a scalar of float64 if the input is, else of float32, receives the sum of the targets' weights.
     * {@code check} knows the ignored class.
     */
    void nll(
            Strided logp,
            Rows rows,
            Strided target,
            Strided weight,
            LossReduction reduction,
            IndexCheck check,
            Strided out,
            Strided totalWeight);

    /** Its backward: {@code dx}, dense, from {@code g} (one per target, or a scalar). */
    void nllGrad(
            Strided g,
            Rows rows,
            Strided target,
            Strided weight,
            LossReduction reduction,
            IndexCheck check,
            Strided totalWeight,
            Strided dx);

    /** {@code out[i][j][k] = in[i][index[i][j][k]][k]} for axis {@code dim}; {@code out} has the sizes of {@code index}. */
    void gather(Strided in, int dim, Strided index, IndexCheck check, Strided out);

    /** {@code out[i][index[i][j][k]][k] += src[i][j][k]}, in the order of j. {@code src} has the sizes of {@code index}. */
    void scatterAdd(Strided src, int dim, Strided index, IndexCheck check, Strided out);

    /** {@code out[o][j][i] = in[o][index[j]][i]}: whole slices; {@code index} is 1-d. */
    void indexSelect(Strided in, Rows rows, Strided index, IndexCheck check, Strided out);

    /** {@code out[o][index[j]][i] += src[o][j][i]}, in the order of j; {@code rows} are those of {@code out}. */
    void indexAdd(Strided src, Rows rows, Strided index, IndexCheck check, Strided out);

    /**
     * {@code out[b] = x[b] y[b]}: {@code [batch, m, k]} by {@code [batch, k, n]}, floating types. Inputs have any strides:
     * a transposed operand is not copied, a batch stride of 0 repeats. Empty k gives zeros.
     */
    void matmul(Strided x, Strided y, Strided out);

    /** Running sums along each row, from its start or its end. */
    void cumsum(Strided in, Rows rows, Order order, Strided out);

    /**
     * The {@code k} largest (or smallest) of each row, sorted, with their positions, int64. Ties go to the lower
     * position; NaN counts as the largest. Outputs have {@code k} in place of the row's length.
     */
    void topk(Strided in, Rows rows, long k, Extreme extreme, Strided values, Strided indices);

    /** Random numbers, as {@link RandomOp} defines them. */
    void random(RandomOp op, long seed, long offset, double p0, double p1, Strided out);

    /**
     * One step of stochastic gradient descent, in place, contiguous: {@code d = g + weightDecay * p}; with a momentum
     * buffer {@code v = first ? d : momentum * v + (1 - dampening) * d}, and {@code d = nesterov ? d + momentum * v : v};
     * {@code p -= lr * d}.
     */
    void sgd(Strided p, Strided g, Strided v, SgdStep step);

    /**
     * One step of Adam, in place, contiguous: {@code m = b1 m + (1 - b1) g}, {@code v = b2 v + (1 - b2) g^2},
     * {@code p -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)}; weight decay is added to g, or, decoupled,
     * {@code p *= 1 - lr * weightDecay} first.
     */
    void adam(Strided p, Strided g, Strided m, Strided v, AdamStep step);

    /**
     * A kernel of a user: {@code items} items of it. Inputs are contiguous, and there is a source for this kind of device.
     */
    void custom(CustomKernel kernel, Strided out, Strided[] inputs, double[] parameters, long items);

    /**
     * The constants of {@link #sgd}.
     *
     * @param lr the learning rate
     * @param momentum 0 for none, in which case v is null
     * @param dampening of the momentum
     * @param weightDecay the L2 penalty
     * @param nesterov whether to look ahead
     * @param first whether v holds nothing yet
     */
    record SgdStep(double lr, double momentum, double dampening, double weightDecay, boolean nesterov, boolean first) {}

    /**
     * The constants of {@link #adam}.
     *
     * @param lr the learning rate
     * @param beta1 the decay of the first moment
     * @param beta2 the decay of the second
     * @param eps added to the denominator
     * @param weightDecay the penalty
     * @param decoupled whether the penalty is AdamW's
     * @param t the number of this step, from 1
     */
    record AdamStep(double lr, double beta1, double beta2, double eps, double weightDecay, boolean decoupled, long t) {}
}
