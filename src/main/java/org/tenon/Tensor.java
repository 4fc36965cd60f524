package org.tenon;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.tenon.op.Copies;
import org.tenon.op.Creation;
import org.tenon.op.Elementwise;
import org.tenon.op.Graph;
import org.tenon.op.Indexing;
import org.tenon.op.Joins;
import org.tenon.op.MatMul;
import org.tenon.op.Reductions;
import org.tenon.op.Value;
import org.tenon.op.Views;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.Extreme;
import org.tenon.spi.Order;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.UnaryOp;

/**
 * An n-dimensional array on a device. The compiler knows its rank and axis labels, its element type and the kind of its
 * device; sizes are run-time values. Ops give new tensors on the same device; nothing but {@link #to(Device)} moves data
 * between devices.
 *
 * <p>Here are the ops whose operands share one shape type and that every numeric element type has; those for floating types
 * only, and those of several shapes, are in {@link F}. Results are row-major unless they are views, which share memory with
 * their source as PyTorch's do: {@code reshape}, {@code transpose}, {@code permute}, {@code squeeze}, {@code unsqueeze},
 * {@code expand}, {@code slice}, {@code select}, {@code split}, {@code detach}.
 *
 * <p>A tensor lives until its {@link Scope} ends, until {@link #close}, or, outside any scope, until the garbage collector
 * finds it. Use after that is a {@link TensorStateException}.
 *
 * @param <S> rank and axis labels
 * @param <D> element type
 * @param <Dev> device type
 */
public final class Tensor<S extends Shape, D extends DType, Dev extends DeviceType> implements AutoCloseable {
    private final Value value;
    private final D dtype;
    private final Device<Dev> device;

    Tensor(Value value, D dtype, Device<Dev> device) {
        this.value = value;
        this.dtype = dtype;
        this.device = device;
    }

    /** The tensor without its types, for those who write ops. */
    public Value value() {
        return value;
    }

    /** A tensor of this one's element type and device around what an op gave. For those who write ops. */
    public <T extends Shape> Tensor<T, D, Dev> with(Value result) {
        return with(result, dtype);
    }

    /** A tensor of this one's device around what an op gave, whose element type is {@code newDtype}. */
    public <T extends Shape, E extends DType> Tensor<T, E, Dev> with(Value result, E newDtype) {
        if (result.dtype() != newDtype) {
            throw new TensorStateException(
                    "with", "the value is " + result.dtype() + ", not " + newDtype + "; give its own dtype");
        }
        return new Tensor<>(result == value ? result.alias() : result, newDtype, device);
    }

    // ---- what it is

    /** The size of each axis. */
    public long[] shape() {
        return value.sizes();
    }

    /** The size of one axis; a negative dim counts from the end. */
    public long size(int dim) {
        int rank = value.rank();
        if (dim < -rank || dim >= rank) {
            throw new TensorArgumentException(
                    "size",
                    "dim " + dim + " is outside [" + -rank + ", " + (rank - 1) + "] for a tensor of shape "
                            + Arrays.toString(shape()));
        }
        return value.size(dim < 0 ? dim + rank : dim);
    }

    /** The number of axes. PyTorch's {@code dim()}. */
    public int rank() {
        return value.rank();
    }

    /** The number of elements. */
    public long numel() {
        return value.count();
    }

    /** The element type. */
    public D dtype() {
        return dtype;
    }

    /** The device it is on. */
    public Device<Dev> device() {
        return device;
    }

    /** Whether its elements lie in row-major order. */
    public boolean isContiguous() {
        return value.strided().isContiguous();
    }

    /** How far apart the elements of each axis are, in elements. */
    public long[] stride() {
        return value.layout().strides().clone();
    }

    // ---- to the host

    /** The one element of a tensor that has one. Waits for the device. */
    public double item() {
        return HostCopy.item(value);
    }

    /** The one element as an integer, exact for int64. Waits for the device. */
    public long itemLong() {
        return HostCopy.itemLong(value);
    }

    /** The elements, row-major, converted to float. Waits for the device. */
    public float[] toFloatArray() {
        return HostCopy.floats(value);
    }

    /** The elements, row-major, converted to double. Waits for the device. */
    public double[] toDoubleArray() {
        return HostCopy.doubles(value);
    }

    /** The elements, row-major, converted to int; floating values are truncated. Waits for the device. */
    public int[] toIntArray() {
        return HostCopy.ints(value);
    }

    /** The elements, row-major, converted to long; floating values are truncated. Waits for the device. */
    public long[] toLongArray() {
        return HostCopy.longs(value);
    }

    /** For each element, row-major, whether it is not zero. Waits for the device. */
    public boolean[] toBooleanArray() {
        return HostCopy.booleans(value);
    }

    /** Copies the elements, row-major and in their own type, to host memory of exactly their size. Waits for the device. */
    public void copyTo(MemorySegment target) {
        long bytes = numel() * dtype.bytes();
        if (target.byteSize() != bytes) {
            throw new TensorArgumentException(
                    "copyTo", "the target has " + target.byteSize() + " bytes; " + bytes + " are needed");
        }
        Creation.download(value, target);
    }

    /** Element type, shape, device and elements; of a large tensor the first and last three along each axis. */
    @Override
    public String toString() {
        return TensorFormat.format(this);
    }

    // ---- other types, other places

    /** The same elements in another type; itself, under another life, if it has that type. */
    public <E extends DType> Tensor<S, E, Dev> to(E newDtype) {
        return with(Copies.to(value, newDtype), newDtype);
    }

    /** The same elements on another device: the only way across. */
    public <Other extends DeviceType> Tensor<S, D, Other> to(Device<Other> other) {
        Value moved = Copies.to(value, other.backend());
        return new Tensor<>(moved == value ? moved.alias() : moved, dtype, other);
    }

    /** In row-major order; itself, under another life, if it is. */
    public Tensor<S, D, Dev> contiguous() {
        return with(Copies.contiguous(value));
    }

    /** A copy that shares nothing. PyTorch's {@code clone}. */
    public Tensor<S, D, Dev> copy() {
        return with(Copies.copyOf(value));
    }

    /** Copies the elements of {@code source} into this tensor, in place and outside the graph. PyTorch's {@code copy_}. */
    public void copyFrom(Tensor<S, D, Dev> source) {
        Copies.into(value, source.value);
    }

    /** The same tensor under a shape type that promises nothing. */
    public Tensor<Any, D, Dev> any() {
        return with(value);
    }

    /** The same tensor under another shape type of its rank: {@code x.as(R2.kind())}. */
    public <T extends Shape> Tensor<T, D, Dev> as(Kind<T> kind) {
        if (!kind.admits(rank())) {
            throw new TensorArgumentException(
                    "as",
                    "the tensor has rank " + rank() + ", shape " + Arrays.toString(shape()) + ", not rank "
                            + kind.rank() + "; use the kind of its rank, or reshape it");
        }
        return with(value);
    }

    /** Frees its hold on the memory now. Harmless when repeated; views of it stay alive. */
    @Override
    public void close() {
        value.close();
    }

    // ---- gradients

    /** Makes a leaf of this tensor: a {@link #backward} gives its gradient. PyTorch's {@code requires_grad_()}. */
    public Tensor<S, D, Dev> requireGrad() {
        Graph.require(value);
        return this;
    }

    /** Whether gradients flow to or through this tensor. */
    public boolean requiresGrad() {
        return value.isTracked();
    }

    /** A view of the same memory apart from the graph. */
    public Tensor<S, D, Dev> detach() {
        return with(Views.detach(value));
    }

    /** The gradients of this scalar with respect to every tensor that requires one. */
    public Gradients backward() {
        return Gradients.of(Graph.backward(value, null, Graph.Keep.NOTHING), device);
    }

    /** As {@link #backward()}, keeping the graph. */
    public Gradients backward(KeepGraph keep) {
        return Gradients.of(Graph.backward(value, null, kept(keep)), device);
    }

    /** As {@link #backward()} from an incoming gradient of this tensor's shape: a vector-Jacobian product. */
    public Gradients backward(Tensor<S, D, Dev> gradient) {
        return Gradients.of(Graph.backward(value, gradient.value, Graph.Keep.NOTHING), device);
    }

    /** Both. */
    public Gradients backward(Tensor<S, D, Dev> gradient, KeepGraph keep) {
        return Gradients.of(Graph.backward(value, gradient.value, kept(keep)), device);
    }

    private static Graph.Keep kept(KeepGraph keep) {
        return switch (keep) {
            case RETAIN -> Graph.Keep.GRAPH;
            case CREATE -> Graph.Keep.GRAPH_OF_GRADIENTS;
        };
    }

    // ---- elementwise; sizes broadcast as PyTorch's within one shape type. For others see F.add and its kin

    /** The sum. {@code torch.add}. */
    public Tensor<S, D, Dev> add(Tensor<S, D, Dev> other) {
        return with(Elementwise.binary("add", BinaryOp.ADD, value, other.value));
    }

    /** Each element plus a number; a whole one for integers. */
    public Tensor<S, D, Dev> add(double term) {
        return with(Elementwise.unary("add", UnaryOp.ADD_SCALAR, value, term, 0));
    }

    /** The difference. */
    public Tensor<S, D, Dev> sub(Tensor<S, D, Dev> other) {
        return with(Elementwise.binary("sub", BinaryOp.SUB, value, other.value));
    }

    /** Each element minus a number; a whole one for integers. */
    public Tensor<S, D, Dev> sub(double term) {
        return with(Elementwise.unary("sub", UnaryOp.ADD_SCALAR, value, -term, 0));
    }

    /** The product, element by element. */
    public Tensor<S, D, Dev> mul(Tensor<S, D, Dev> other) {
        return with(Elementwise.binary("mul", BinaryOp.MUL, value, other.value));
    }

    /** Each element times a number; a whole one for integers. */
    public Tensor<S, D, Dev> mul(double factor) {
        return with(Elementwise.unary("mul", UnaryOp.MUL_SCALAR, value, factor, 0));
    }

    /** The larger of each pair; NaN if either is. */
    public Tensor<S, D, Dev> maximum(Tensor<S, D, Dev> other) {
        return with(Elementwise.binary("maximum", BinaryOp.MAXIMUM, value, other.value));
    }

    /** The smaller of each pair; NaN if either is. */
    public Tensor<S, D, Dev> minimum(Tensor<S, D, Dev> other) {
        return with(Elementwise.binary("minimum", BinaryOp.MINIMUM, value, other.value));
    }

    /** Each element with the other sign. */
    public Tensor<S, D, Dev> neg() {
        return with(Elementwise.unary("neg", UnaryOp.NEG, value));
    }

    /** The magnitude of each element. The gradient at 0 is 0. */
    public Tensor<S, D, Dev> abs() {
        return with(Elementwise.unary("abs", UnaryOp.ABS, value));
    }

    /** -1, 0 or 1; NaN gives NaN. The gradient is 0. */
    public Tensor<S, D, Dev> sign() {
        return with(Elementwise.unary("sign", UnaryOp.SIGN, value));
    }

    /** {@code min(max(x, low), high)}; either may be infinite. NaN stays. {@code torch.clamp}. */
    public Tensor<S, D, Dev> clamp(double low, double high) {
        if (!(low <= high)) {
            throw new TensorArgumentException("clamp", "low " + low + " is above high " + high + "; swap them");
        }
        return with(Elementwise.unary("clamp", UnaryOp.CLAMP, value, low, high));
    }

    /** Where both are equal; NaN equals nothing. */
    public Tensor<S, Bool, Dev> eq(Tensor<S, D, Dev> other) {
        return with(Elementwise.binary("eq", BinaryOp.EQ, value, other.value), DType.BOOL);
    }

    /** Where an element equals a number. */
    public Tensor<S, Bool, Dev> eq(double other) {
        return with(Elementwise.compare("eq", BinaryOp.EQ, value, other), DType.BOOL);
    }

    /** Where they differ. */
    public Tensor<S, Bool, Dev> ne(Tensor<S, D, Dev> other) {
        return with(Elementwise.binary("ne", BinaryOp.NE, value, other.value), DType.BOOL);
    }

    /** Where an element differs from a number. */
    public Tensor<S, Bool, Dev> ne(double other) {
        return with(Elementwise.compare("ne", BinaryOp.NE, value, other), DType.BOOL);
    }

    /** Where this is less. */
    public Tensor<S, Bool, Dev> lt(Tensor<S, D, Dev> other) {
        return with(Elementwise.binary("lt", BinaryOp.LT, value, other.value), DType.BOOL);
    }

    /** Where an element is less than a number. */
    public Tensor<S, Bool, Dev> lt(double other) {
        return with(Elementwise.compare("lt", BinaryOp.LT, value, other), DType.BOOL);
    }

    /** Where this is less than or equal to the other. */
    public Tensor<S, Bool, Dev> le(Tensor<S, D, Dev> other) {
        return with(Elementwise.binary("le", BinaryOp.LE, value, other.value), DType.BOOL);
    }

    /** Where an element is less than or equal to a number. */
    public Tensor<S, Bool, Dev> le(double other) {
        return with(Elementwise.compare("le", BinaryOp.LE, value, other), DType.BOOL);
    }

    /** Where this is greater. */
    public Tensor<S, Bool, Dev> gt(Tensor<S, D, Dev> other) {
        return with(Elementwise.binary("gt", BinaryOp.GT, value, other.value), DType.BOOL);
    }

    /** Where an element is greater than a number. */
    public Tensor<S, Bool, Dev> gt(double other) {
        return with(Elementwise.compare("gt", BinaryOp.GT, value, other), DType.BOOL);
    }

    /** Where this is greater than or equal to the other. */
    public Tensor<S, Bool, Dev> ge(Tensor<S, D, Dev> other) {
        return with(Elementwise.binary("ge", BinaryOp.GE, value, other.value), DType.BOOL);
    }

    /** Where an element is greater than or equal to a number. */
    public Tensor<S, Bool, Dev> ge(double other) {
        return with(Elementwise.compare("ge", BinaryOp.GE, value, other), DType.BOOL);
    }

    /** Where an element is NaN. */
    public Tensor<S, Bool, Dev> isnan() {
        return with(Elementwise.unary("isnan", UnaryOp.ISNAN, value), DType.BOOL);
    }

    /** Where an element is zero or false. */
    public Tensor<S, Bool, Dev> logicalNot() {
        return with(Elementwise.unary("logicalNot", UnaryOp.NOT, value), DType.BOOL);
    }

    // ---- reductions: over all elements, over an axis that the types know, over axes by number, and keeping the axes

    /** The sum of all; of nothing 0. */
    public Tensor<R0, D, Dev> sum() {
        return with(Reductions.reduce("sum", ReduceOp.SUM, value));
    }

    /** The sum along an axis; of nothing 0. */
    public <R extends Shape> Tensor<R, D, Dev> sum(Axis<S, R> axis) {
        return with(Reductions.reduce("sum", ReduceOp.SUM, value, axis.dim()));
    }

    /** The sum along these axes; of nothing 0. */
    public Tensor<Any, D, Dev> sum(int... dims) {
        return with(Reductions.reduce("sum", ReduceOp.SUM, value, dims));
    }

    /** The sum along these axes, which stay with size 1. */
    public Tensor<S, D, Dev> sumKeepDim(int... dims) {
        return with(Reductions.reduceKeepDim("sum", ReduceOp.SUM, value, dims));
    }

    /** The largest element of all; NaN if any is. The gradient is shared among equals, as {@code torch.amax} does. */
    public Tensor<R0, D, Dev> max() {
        return with(Reductions.reduce("max", ReduceOp.MAX, value));
    }

    /** The largest element along an axis; NaN if any is. The gradient is shared among equals, as {@code torch.amax} does. */
    public <R extends Shape> Tensor<R, D, Dev> max(Axis<S, R> axis) {
        return with(Reductions.reduce("max", ReduceOp.MAX, value, axis.dim()));
    }

    /** The largest element along these axes; NaN if any is. The gradient is shared among equals, as {@code torch.amax} does. */
    public Tensor<Any, D, Dev> max(int... dims) {
        return with(Reductions.reduce("max", ReduceOp.MAX, value, dims));
    }

    /** The largest element along these axes, which stay with size 1. */
    public Tensor<S, D, Dev> maxKeepDim(int... dims) {
        return with(Reductions.reduceKeepDim("max", ReduceOp.MAX, value, dims));
    }

    /** The smallest element of all; NaN if any is. The gradient is shared among equals, as {@code torch.amin} does. */
    public Tensor<R0, D, Dev> min() {
        return with(Reductions.reduce("min", ReduceOp.MIN, value));
    }

    /** The smallest element along an axis; NaN if any is. The gradient is shared among equals, as {@code torch.amin} does. */
    public <R extends Shape> Tensor<R, D, Dev> min(Axis<S, R> axis) {
        return with(Reductions.reduce("min", ReduceOp.MIN, value, axis.dim()));
    }

    /** The smallest element along these axes; NaN if any is. The gradient is shared among equals, as {@code torch.amin} does. */
    public Tensor<Any, D, Dev> min(int... dims) {
        return with(Reductions.reduce("min", ReduceOp.MIN, value, dims));
    }

    /** The smallest element along these axes, which stay with size 1. */
    public Tensor<S, D, Dev> minKeepDim(int... dims) {
        return with(Reductions.reduceKeepDim("min", ReduceOp.MIN, value, dims));
    }

    /** The position of the first largest element, or of the first NaN, in row-major order. */
    public Tensor<R0, I64, Dev> argmax() {
        return with(Reductions.reduce("argmax", ReduceOp.ARGMAX, value), DType.I64);
    }

    /** The position of the first largest element, or of the first NaN, along an axis. */
    public <R extends Shape> Tensor<R, I64, Dev> argmax(Axis<S, R> axis) {
        return with(Reductions.reduce("argmax", ReduceOp.ARGMAX, value, axis.dim()), DType.I64);
    }

    /** The position of the first largest element, or of the first NaN, along an axis. */
    public Tensor<Any, I64, Dev> argmax(int dim) {
        return with(Reductions.reduce("argmax", ReduceOp.ARGMAX, value, dim), DType.I64);
    }

    /** The position of the first smallest element, or of the first NaN, in row-major order. */
    public Tensor<R0, I64, Dev> argmin() {
        return with(Reductions.reduce("argmin", ReduceOp.ARGMIN, value), DType.I64);
    }

    /** The position of the first smallest element, or of the first NaN, along an axis. */
    public <R extends Shape> Tensor<R, I64, Dev> argmin(Axis<S, R> axis) {
        return with(Reductions.reduce("argmin", ReduceOp.ARGMIN, value, axis.dim()), DType.I64);
    }

    /** The position of the first smallest element, or of the first NaN, along an axis. */
    public Tensor<Any, I64, Dev> argmin(int dim) {
        return with(Reductions.reduce("argmin", ReduceOp.ARGMIN, value, dim), DType.I64);
    }

    /** Running sums along an axis. */
    public Tensor<S, D, Dev> cumsum(int dim) {
        return with(Reductions.cumsum(value, dim, Order.FORWARD));
    }

    /** The k largest elements along an axis, sorted; ties go to the lower position, NaN counts as the largest. */
    public TopK<S, D, Dev> topk(long k, int dim) {
        return topk(k, dim, Extreme.LARGEST);
    }

    /** The k largest or smallest elements along an axis, sorted. */
    public TopK<S, D, Dev> topk(long k, int dim, Extreme extreme) {
        Value[] found = Indexing.topk(value, k, dim, extreme);
        return new TopK<>(with(found[0]), with(found[1], DType.I64));
    }

    // ---- shape

    /** The same elements in row-major order under another shape; one size may be -1. A view where strides allow it. */
    public <T extends Shape> Tensor<T, D, Dev> reshape(T shape) {
        return with(Views.reshape("reshape", value, shape.sizes()));
    }

    /** The same for sizes only run time knows. */
    public Tensor<Any, D, Dev> reshape(long... sizes) {
        return with(Views.reshape("reshape", value, sizes));
    }

    /** As {@link #reshape(Shape)}, or an error where that would copy. */
    public <T extends Shape> Tensor<T, D, Dev> view(T shape) {
        return with(Views.viewAs(value, shape.sizes()));
    }

    /** As {@link #reshape(long...)}, or an error where that would copy. */
    public Tensor<Any, D, Dev> view(long... sizes) {
        return with(Views.viewAs(value, sizes));
    }

    /** Two axes swapped. For two axes that the types know see {@link F#t}. */
    public Tensor<Any, D, Dev> transpose(int dim0, int dim1) {
        return with(Views.transpose(value, dim0, dim1));
    }

    /** The axes in another order: result axis i is axis {@code dims[i]} of this. */
    public Tensor<Any, D, Dev> permute(int... dims) {
        return with(Views.permute("permute", value, dims));
    }

    /** Without an axis of size 1. */
    public <R extends Shape> Tensor<R, D, Dev> squeeze(Axis<S, R> axis) {
        return with(Views.squeeze(value, axis.dim()));
    }

    /** Without an axis of size 1. */
    public Tensor<Any, D, Dev> squeeze(int dim) {
        return with(Views.squeeze(value, dim));
    }

    /** With a new axis of size 1: {@code x.unsqueeze(R2.dim1())} makes an R1 an R2. */
    public <R extends Shape> Tensor<R, D, Dev> unsqueeze(Axis<R, S> axis) {
        return with(Views.unsqueeze(value, axis.dim()));
    }

    /** With a new axis of size 1 at this position. */
    public Tensor<Any, D, Dev> unsqueeze(int dim) {
        return with(Views.unsqueeze(value, dim));
    }

    /** Axes of size 1 repeated without a copy; new axes come first, -1 keeps a size. */
    public <T extends Shape> Tensor<T, D, Dev> expand(T shape) {
        return with(Views.expand("expand", value, shape.sizes()));
    }

    /** Elements {@code start} to {@code end}, exclusive, of an axis; negative bounds count from the end. */
    public Tensor<S, D, Dev> slice(int dim, long start, long end) {
        return slice(dim, start, end, 1);
    }

    /** Every {@code step}-th element of a slice. */
    public Tensor<S, D, Dev> slice(int dim, long start, long end, long step) {
        return with(Views.slice(value, dim, start, end, step));
    }

    /** {@code length} elements from {@code start}; an error where there are fewer. */
    public Tensor<S, D, Dev> narrow(int dim, long start, long length) {
        return with(Views.narrow(value, dim, start, length));
    }

    /** One element of an axis, which goes away; a negative index counts from the end. */
    public <R extends Shape> Tensor<R, D, Dev> select(Axis<S, R> axis, long index) {
        return with(Views.select(value, axis.dim(), index));
    }

    /** One element of an axis, which goes away. */
    public Tensor<Any, D, Dev> select(int dim, long index) {
        return with(Views.select(value, dim, index));
    }

    /** Views of {@code size} elements of an axis each; the last has what is left. */
    public List<Tensor<S, D, Dev>> split(long size, int dim) {
        return Joins.split(value, size, dim).stream().map(this::<S>with).toList();
    }

    // ---- by index

    /** {@code out[i][j] = x[i][index[i][j]]} for dim 1, and so on; the index is shaped as the result. */
    public Tensor<S, D, Dev> gather(int dim, Tensor<S, ? extends Integral, Dev> index) {
        return with(Indexing.gather(value, dim, index.value));
    }

    /** A copy with {@code out[i][index[i][j]] += source[i][j]} for dim 1, and so on. PyTorch's {@code scatter_add}. */
    public Tensor<S, D, Dev> scatterAdd(int dim, Tensor<S, ? extends Integral, Dev> index, Tensor<S, D, Dev> source) {
        return with(Indexing.scatterAdd(value, dim, index.value, source.value));
    }

    /** Whole slices of an axis in the order of a 1-d index. */
    public Tensor<S, D, Dev> indexSelect(int dim, Tensor<?, ? extends Integral, Dev> index) {
        return with(Indexing.indexSelect("indexSelect", value, dim, index.value));
    }

    /**
     * The matrix product of vectors, matrices or batches with broadcasting, as {@code torch.matmul}; floating types. The
     * products whose labels the compiler checks are {@link F#matmul}, {@link F#bmm}, {@link F#mv} and {@link F#dot}.
     */
    public Tensor<Any, D, Dev> matmul(Tensor<?, D, Dev> other) {
        return with(MatMul.matmul("matmul", value, other.value));
    }
}
