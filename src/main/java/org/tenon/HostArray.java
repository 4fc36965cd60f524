package org.tenon;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.tenon.op.Creation;

/**
 * Row-major elements in host memory: what readers of files give, and what {@link #on} makes a tensor of. It belongs to the
 * garbage collector and to no device, so several threads may read it.
 *
 * @param <S> rank and axis labels
 * @param <D> element type
 */
public final class HostArray<S extends Shape, D extends DType> {
    private static final long LARGEST_ON_HEAP = 1 << 20;

    private final MemorySegment data;
    private final long[] sizes;
    private final D dtype;

    private HostArray(MemorySegment data, long[] sizes, D dtype) {
        this.data = data;
        this.sizes = sizes;
        this.dtype = dtype;
    }

    /** Elements in native byte order; the memory is taken, not copied. */
    public static <S extends Shape, D extends DType> HostArray<S, D> of(MemorySegment data, S shape, D dtype) {
        long bytes = dtype.bytes();
        for (long size : shape.sizes()) {
            bytes = size < 0 || size > 0 && bytes > Long.MAX_VALUE / size ? -1 : bytes * size;
            if (bytes < 0) {
                throw new TensorArgumentException(
                        "hostArray", "shape " + shape + " has a negative size or more than 2^63 bytes");
            }
        }
        if (data.byteSize() != bytes) {
            throw new TensorArgumentException(
                    "hostArray", "the data has " + data.byteSize() + " bytes, " + dtype + shape + " takes " + bytes);
        }
        return new HostArray<>(data, shape.sizes(), dtype);
    }

    /** Float32 in row-major order, taken, not copied. */
    public static <S extends Shape> HostArray<S, F32> of(float[] data, S shape) {
        return of(MemorySegment.ofArray(data), shape, DType.F32);
    }

    /** Int64 in row-major order, taken, not copied. */
    public static <S extends Shape> HostArray<S, I64> of(long[] data, S shape) {
        return of(MemorySegment.ofArray(data), shape, DType.I64);
    }

    /** A tensor's elements. Waits for the device. */
    public static <S extends Shape, D extends DType> HostArray<S, D> of(Tensor<S, D, ?> tensor) {
        MemorySegment data = memory(tensor.numel() * tensor.dtype().bytes());
        Creation.download(tensor.value(), data);
        return new HostArray<>(data, tensor.shape(), tensor.dtype());
    }

    /** Zeroed memory of this many bytes, aligned to 8: of the heap if small, else outside it. */
    public static MemorySegment memory(long bytes) {
        return bytes <= LARGEST_ON_HEAP
                ? MemorySegment.ofArray(new long[(int) ((bytes + 7) / 8)]).asSlice(0, bytes)
                : Arena.ofAuto().allocate(bytes, 64);
    }

    /** The size of each axis. */
    public long[] shape() {
        return sizes.clone();
    }

    /** The size of one axis, counted from 0. */
    public long size(int dim) {
        return sizes[dim];
    }

    /** The number of axes. */
    public int rank() {
        return sizes.length;
    }

    /** The number of elements. */
    public long numel() {
        return data.byteSize() / dtype.bytes();
    }

    /** The element type. */
    public D dtype() {
        return dtype;
    }

    /** The elements, for reading. */
    public MemorySegment data() {
        return data.asReadOnly();
    }

    /** The same elements under another shape type of this rank: {@code array.as(R2.kind())}. */
    public <T extends Shape> HostArray<T, D> as(Kind<T> kind) {
        if (!kind.admits(sizes.length)) {
            throw new TensorArgumentException(
                    "as",
                    "the array has rank " + sizes.length + ", shape " + Arrays.toString(sizes) + ", not rank "
                            + kind.rank());
        }
        return new HostArray<>(data, sizes, dtype);
    }

    /** The same elements in another shape. */
    public <T extends Shape> HostArray<T, D> reshape(T shape) {
        return of(data, shape, dtype);
    }

    /** The slices along axis 0 at these positions, in their order. */
    public HostArray<S, D> rows(int... positions) {
        if (sizes.length == 0) {
            throw new TensorArgumentException("rows", "the array is a scalar; it has no rows");
        }
        long[] newSizes = sizes.clone();
        newSizes[0] = positions.length;
        long width = sizes[0] == 0 ? 0 : data.byteSize() / sizes[0];
        MemorySegment rows = memory(width * positions.length);
        for (int i = 0; i < positions.length; i++) {
            if (positions[i] < 0 || positions[i] >= sizes[0]) {
                throw new TensorArgumentException(
                        "rows", "position " + positions[i] + " is outside [0, " + sizes[0] + ")");
            }
            MemorySegment.copy(data, positions[i] * width, rows, i * width, width);
        }
        return new HostArray<>(rows, newSizes, dtype);
    }

    /** A tensor of these elements on a device. */
    public <Dev extends DeviceType> Tensor<S, D, Dev> on(Device<Dev> device) {
        Tensor<Any, D, Dev> tensor = device.tensor(data, Any.of(sizes), dtype);
        return new Tensor<>(tensor.value(), dtype, device);
    }

    /** Element type and shape. */
    @Override
    public String toString() {
        return dtype + Arrays.toString(sizes);
    }
}
