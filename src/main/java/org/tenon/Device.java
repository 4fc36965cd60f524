package org.tenon;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.function.Supplier;
import org.tenon.op.Capture;
import org.tenon.op.Creation;
import org.tenon.op.Random;
import org.tenon.op.Value;
import org.tenon.spi.Backend;
import org.tenon.spi.MemoryStats;
import org.tenon.spi.RandomOp;

/**
 * A device, and the place where tensors on it are made: {@code device.randn(R2.of(32, 10), F32)}. Get one from
 * {@link Devices}. Methods without an element type make float32; those without a {@link Generator} draw from
 * {@link Generator#standard}.
 *
 * @param <Dev> the device type, which its tensors carry
 */
public final class Device<Dev extends DeviceType> {
    private final Backend backend;

    Device(Backend backend) {
        this.backend = backend;
    }

    /** The name: {@code cpu}, {@code opencl:0}, {@code cuda:0}. */
    public String name() {
        return backend.name();
    }

    /** What it is, in one line. */
    public String description() {
        return backend.description();
    }

    /** Whether it computes in this element type. */
    public boolean supports(DType dtype) {
        return backend.supports(dtype);
    }

    /** Its memory at this moment. */
    public MemoryStats memory() {
        return backend.allocator().stats();
    }

    /** Gives freed memory that is kept for reuse back to the system. */
    public void trimMemory() {
        Capture.refuse("trimMemory", "cannot give memory back; do it between runs");
        backend.allocator().trim();
    }

    /** Waits until everything launched so far is done, and raises what it met. */
    public void synchronize() {
        Capture.refuse("synchronize", "cannot wait for the device; wait after the run");
        backend.synchronize();
    }

    /**
     * A step of work, such as one of training, made to run again and again: on CUDA it becomes one launch, elsewhere it is
     * what it is. See {@link CapturedStep} for what a step may do. PyTorch: {@code torch.cuda.graph}.
     */
    public <R> CapturedStep<R> capture(Supplier<? extends R> step) {
        return new CapturedStep<>(backend, step);
    }

    /** The device as ops see it. */
    public Backend backend() {
        return backend;
    }

    // ---- filled

    /** Zeros. {@code torch.zeros}. */
    public <S extends Shape, D extends DType> Tensor<S, D, Dev> zeros(S shape, D dtype) {
        return full("zeros", shape, 0, dtype);
    }

    /** Zeros of float32. */
    public <S extends Shape> Tensor<S, F32, Dev> zeros(S shape) {
        return zeros(shape, DType.F32);
    }

    /** Ones. {@code torch.ones}. */
    public <S extends Shape, D extends DType> Tensor<S, D, Dev> ones(S shape, D dtype) {
        return full("ones", shape, 1, dtype);
    }

    /** Ones of float32. */
    public <S extends Shape> Tensor<S, F32, Dev> ones(S shape) {
        return ones(shape, DType.F32);
    }

    /** Every element {@code value}. {@code torch.full}. */
    public <S extends Shape, D extends DType> Tensor<S, D, Dev> full(S shape, double value, D dtype) {
        return full("full", shape, value, dtype);
    }

    private <S extends Shape, D extends DType> Tensor<S, D, Dev> full(String op, S shape, double value, D dtype) {
        return wrap(Creation.full(op, backend, dtype, value, shape.sizes()), dtype);
    }

    /** A scalar. */
    public <D extends DType> Tensor<R0, D, Dev> scalar(double value, D dtype) {
        return full("scalar", R0.of(), value, dtype);
    }

    /** {@code start, start + step, ...} below {@code end}. {@code torch.arange}. */
    public <A extends Dim, D extends DType> Tensor<R1<A>, D, Dev> arange(
            double start, double end, double step, D dtype) {
        return wrap(Creation.arange(backend, dtype, start, end, step), dtype);
    }

    /** {@code 0, 1, ..., end - 1}. */
    public <A extends Dim, D extends DType> Tensor<R1<A>, D, Dev> arange(long end, D dtype) {
        return arange(0, end, 1, dtype);
    }

    /** {@code rows} by {@code columns} with ones on the diagonal. {@code torch.eye}. */
    public <A extends Dim, B extends Dim, D extends DType> Tensor<R2<A, B>, D, Dev> eye(
            long rows, long columns, D dtype) {
        return wrap(Creation.eye(backend, dtype, rows, columns), dtype);
    }

    // ---- random

    /** Uniform on [0, 1). {@code torch.rand}. */
    public <S extends Shape, D extends Floating> Tensor<S, D, Dev> rand(S shape, D dtype, Generator generator) {
        return random("rand", RandomOp.UNIFORM, shape, dtype, 0, 1, generator);
    }

    /** Uniform on [0, 1) from the standard generator. */
    public <S extends Shape, D extends Floating> Tensor<S, D, Dev> rand(S shape, D dtype) {
        return rand(shape, dtype, Generator.standard());
    }

    /** Uniform float32 on [0, 1). */
    public <S extends Shape> Tensor<S, F32, Dev> rand(S shape) {
        return rand(shape, DType.F32);
    }

    /** Uniform on [low, high). {@code torch.Tensor.uniform_}. */
    public <S extends Shape, D extends Floating> Tensor<S, D, Dev> uniform(
            S shape, double low, double high, D dtype, Generator generator) {
        return random("uniform", RandomOp.UNIFORM, shape, dtype, low, high, generator);
    }

    /** Normal with mean 0 and standard deviation 1. {@code torch.randn}. */
    public <S extends Shape, D extends Floating> Tensor<S, D, Dev> randn(S shape, D dtype, Generator generator) {
        return normal(shape, 0, 1, dtype, generator);
    }

    /** Standard normal, from the standard generator. */
    public <S extends Shape, D extends Floating> Tensor<S, D, Dev> randn(S shape, D dtype) {
        return randn(shape, dtype, Generator.standard());
    }

    /** Standard normal, float32. */
    public <S extends Shape> Tensor<S, F32, Dev> randn(S shape) {
        return randn(shape, DType.F32);
    }

    /** Normal with this mean and standard deviation. {@code torch.normal}. */
    public <S extends Shape, D extends Floating> Tensor<S, D, Dev> normal(
            S shape, double mean, double deviation, D dtype, Generator generator) {
        return random("randn", RandomOp.NORMAL, shape, dtype, mean, deviation, generator);
    }

    /** Integers of [low, high). {@code torch.randint}. */
    public <S extends Shape, D extends Integral> Tensor<S, D, Dev> randint(
            S shape, long low, long high, D dtype, Generator generator) {
        return wrap(Random.integers(backend, dtype, low, high, generator, shape.sizes()), dtype);
    }

    /** Integers of [low, high), int64, from the standard generator. */
    public <S extends Shape> Tensor<S, I64, Dev> randint(S shape, long low, long high) {
        return randint(shape, low, high, DType.I64, Generator.standard());
    }

    /** 1 with this probability, else 0. {@code torch.bernoulli}. */
    public <S extends Shape, D extends DType> Tensor<S, D, Dev> bernoulli(
            S shape, double probability, D dtype, Generator generator) {
        return random("bernoulli", RandomOp.BERNOULLI, shape, dtype, probability, 0, generator);
    }

    /** The numbers 0 to n - 1 in random order, drawn on the host. {@code torch.randperm}. */
    public <A extends Dim> Tensor<R1<A>, I64, Dev> permutation(long n, Generator generator) {
        return wrap(Random.permutation(backend, n, generator), DType.I64);
    }

    private <S extends Shape, D extends DType> Tensor<S, D, Dev> random(
            String op, RandomOp kind, S shape, D dtype, double p0, double p1, Generator generator) {
        return wrap(Random.create(op, kind, backend, dtype, p0, p1, generator, shape.sizes()), dtype);
    }

    // ---- from the host: each is a copy, row-major

    /** A copy of host memory: row-major elements in native byte order. {@code torch.tensor}. */
    public <S extends Shape, D extends DType> Tensor<S, D, Dev> tensor(MemorySegment data, S shape, D dtype) {
        return wrap(Creation.upload(backend, dtype, data, shape.sizes()), dtype);
    }

    /** A vector of float32. */
    public <A extends Dim> Tensor<R1<A>, F32, Dev> tensor(float... data) {
        return tensor(data, R1.of(data.length));
    }

    /** Float32 in row-major order. */
    public <S extends Shape> Tensor<S, F32, Dev> tensor(float[] data, S shape) {
        return tensor(MemorySegment.ofArray(data), shape, DType.F32);
    }

    /** A matrix of float32; rows of equal length. */
    public <A extends Dim, B extends Dim> Tensor<R2<A, B>, F32, Dev> tensor(float[][] rows) {
        return tensor(Nested.flatten(rows), R2.of(rows.length, Nested.width(rows)));
    }

    /** A vector of float64. */
    public <A extends Dim> Tensor<R1<A>, F64, Dev> tensor(double... data) {
        return tensor(data, R1.of(data.length));
    }

    /** Float64 in row-major order. */
    public <S extends Shape> Tensor<S, F64, Dev> tensor(double[] data, S shape) {
        return tensor(MemorySegment.ofArray(data), shape, DType.F64);
    }

    /** A matrix of float64; rows of equal length. */
    public <A extends Dim, B extends Dim> Tensor<R2<A, B>, F64, Dev> tensor(double[][] rows) {
        return tensor(Nested.flatten(rows), R2.of(rows.length, Nested.width(rows)));
    }

    /** A vector of int32. */
    public <A extends Dim> Tensor<R1<A>, I32, Dev> tensor(int... data) {
        return tensor(data, R1.of(data.length));
    }

    /** Int32 in row-major order. */
    public <S extends Shape> Tensor<S, I32, Dev> tensor(int[] data, S shape) {
        return tensor(MemorySegment.ofArray(data), shape, DType.I32);
    }

    /** A vector of int64. */
    public <A extends Dim> Tensor<R1<A>, I64, Dev> tensor(long... data) {
        return tensor(data, R1.of(data.length));
    }

    /** Int64 in row-major order. */
    public <S extends Shape> Tensor<S, I64, Dev> tensor(long[] data, S shape) {
        return tensor(MemorySegment.ofArray(data), shape, DType.I64);
    }

    /** A vector of bool. */
    public <A extends Dim> Tensor<R1<A>, Bool, Dev> tensor(boolean... data) {
        return tensor(data, R1.of(data.length));
    }

    /** Bool in row-major order. */
    public <S extends Shape> Tensor<S, Bool, Dev> tensor(boolean[] data, S shape) {
        return tensor(MemorySegment.ofArray(Nested.bytes(data)), shape, DType.BOOL);
    }

    /** Float32 from the buffer's position to its limit. */
    public <S extends Shape> Tensor<S, F32, Dev> tensor(FloatBuffer data, S shape) {
        return tensor(MemorySegment.ofBuffer(Nested.nativeOrder(data)), shape, DType.F32);
    }

    /** Float64 from the buffer's position to its limit. */
    public <S extends Shape> Tensor<S, F64, Dev> tensor(DoubleBuffer data, S shape) {
        return tensor(MemorySegment.ofBuffer(Nested.nativeOrder(data)), shape, DType.F64);
    }

    /** Int32 from the buffer's position to its limit. */
    public <S extends Shape> Tensor<S, I32, Dev> tensor(IntBuffer data, S shape) {
        return tensor(MemorySegment.ofBuffer(Nested.nativeOrder(data)), shape, DType.I32);
    }

    /** Int64 from the buffer's position to its limit. */
    public <S extends Shape> Tensor<S, I64, Dev> tensor(LongBuffer data, S shape) {
        return tensor(MemorySegment.ofBuffer(Nested.nativeOrder(data)), shape, DType.I64);
    }

    /** Elements in native byte order, whatever the buffer's order says, from its position to its limit. */
    public <S extends Shape, D extends DType> Tensor<S, D, Dev> tensor(ByteBuffer data, S shape, D dtype) {
        return tensor(MemorySegment.ofBuffer(data), shape, dtype);
    }

    private <S extends Shape, D extends DType> Tensor<S, D, Dev> wrap(Value value, D dtype) {
        return new Tensor<>(value, dtype, this);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Device<?> device && backend == device.backend;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(backend);
    }

    /** The name. */
    @Override
    public String toString() {
        return name();
    }
}
