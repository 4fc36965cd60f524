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

    /** Normalises each row, and writes {@code mean} and {@code scale} of {@code norm} for the backward. */
    void norm(Norm norm, Strided x, Strided out);

    /**
     * Its backward, from the incoming gradient, the input and what {@link #norm} wrote. With {@code h = (x - mean) * scale} and
     * {@code d = g * weight}: {@code dx = scale * (d - mean(d) - h * mean(d * h))}, without {@code mean(d)} for RMS norm;
     * {@code dweight} and {@code dbias} are the sums over rows of {@code g * h} and {@code g}. Each of the three may be null.
     */
    void normGrad(Norm norm, Strided g, Strided x, Strided dx, Strided dweight, Strided dbias);

    /** Attention as one kernel each way, or null where the device has no such thing: then it is composed of the others. */
    AttentionKernels attention();

    /** Negative log likelihood. {@code out} is one per target, or a scalar, which also writes the loss's {@code total}. */
    void nll(ClassLoss loss, Strided logp, Strided out);

    /** Its backward: {@code dx}, dense, from {@code g} (one per target, or a scalar). */
    void nllGrad(ClassLoss loss, Strided g, Strided dx);

    /** A loss of single elements. {@code out} has the sizes of x, or is a scalar: the sum over the divisor. Half types are rounded once. */
    void elementLoss(ElementLoss loss, Strided x, Strided out);

    /**
     * Its backward: {@code g / divisor} times the slopes, by x in {@code dx} and by the target in {@code dtarget}, either of which may be
     * null. All have the sizes of x, {@code g} by strides of 0 where the loss is a scalar; {@code x} does not count where
     * {@link LossOp#isLinear} and {@code dtarget} is null.
     */
    void elementLossGrad(ElementLoss loss, Strided g, Strided x, Strided dx, Strided dtarget);

    /**
     * Cross entropy of logits: {@link #nll} of their log-softmax. {@code known} is [rows, 2], float64 if the input is, else
     * float32, and receives the maximum of each row and its sum of {@code exp(x - max)}.
     */
    void crossEntropy(ClassLoss loss, Strided x, Strided known, Strided out);

    /** Its backward, from what the forward wrote: {@code dx = weight * g / total * (exp(x - max) / sum - [class is the target])}. */
    void crossEntropyGrad(ClassLoss loss, Strided g, Strided x, Strided known, Strided dx);

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

    /** {@code out = in / (1 - p)} for elements that stay, in row-major order, {@code in * 0} for the others. Both are contiguous. */
    void dropout(Dropout dropout, Strided in, Strided out);

    /** {@code out = residual + dropout(activation(x + bias))}. Half types are rounded once. */
    void epilogue(Epilogue epilogue, Strided x, Strided out);

    /** Its backward to {@code x}, of an activation: {@code dx = dropout(g) * activation'(x + bias)}. {@code epilogue} has no residual. */
    void epilogueGrad(Epilogue epilogue, Strided g, Strided x, Strided dx);

    /**
     * One step of an optimizer for many parameters at once, in place. A row has a parameter, its gradient and the states of
     * {@link UpdateStep}, null where there is none, in all rows alike; all contiguous, of one floating type. No memory that is written
     * belongs to two rows.
     */
    void update(UpdateStep step, Strided[][] rows);

    /**
     * A kernel of a user: {@code items} items of it. Inputs are contiguous, and there is a source for this kind of device.
     */
    void custom(CustomKernel kernel, Strided out, Strided[] inputs, double[] parameters, long items);
}
