package org.tenon.contract;

import static org.tenon.contract.ElementwiseSpecs.made;
import static org.tenon.contract.Specs.ALL;
import static org.tenon.contract.Specs.FLOATS;
import static org.tenon.contract.Specs.INTEGERS;
import static org.tenon.contract.Specs.NUMBERS;
import static org.tenon.contract.Specs.dims;
import static org.tenon.contract.Specs.spec;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import org.tenon.Any;
import org.tenon.DType;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.Integral;
import org.tenon.op.Random.Hardness;

/** What makes tensors: from nothing, from the host, by chance; and what brings them back to the host. */
final class CreationSpecs {
    private static final long[] SHAPE = {3, 5};
    private static final long SEED = 0x1234_5678_9ABC_DEF0L;

    private CreationSpecs() {}

    private static Arr of(DType dtype, long[] shape, IntToDoubleFunction f) {
        double[] values = new double[Arr.count(shape)];
        Arrays.setAll(values, f::applyAsDouble);
        return Arr.of(dtype, shape, values);
    }

    static void add(List<OpSpec> all) {
        filled(all);
        fromHost(all);
        toHost(all);
        random(all);
        chance(all);
    }

    private static void filled(List<OpSpec> all) {
        OpSpec zeros = spec(all, "Device.zeros(Shape,DType)");
        OpSpec ones = spec(all, "Device.ones(Shape,DType)");
        OpSpec full = spec(all, "Device.full(Shape,double,DType)");
        OpSpec scalar = spec(all, "Device.scalar(double,DType)");
        OpSpec eye = spec(all, "Device.eye(long,long,DType)");
        OpSpec arange = spec(all, "Device.arange(double,double,double,DType)");
        OpSpec count = spec(all, "Device.arange(long,DType)");
        for (DType dtype : ALL) {
            for (long[] shape : new long[][] {{}, {3, 5}, {0, 2}, {1000}}) {
                String at = dtype + " " + Arrays.toString(shape);
                zeros.exact(at, x -> x.device().zeros(Any.of(shape), dtype), x -> of(dtype, shape, i -> 0));
                ones.exact(at, x -> x.device().ones(Any.of(shape), dtype), x -> of(dtype, shape, i -> 1));
                full.exact(
                        at,
                        x -> x.device().full(Any.of(shape), dtype == DType.BOOL ? 1 : -7, dtype),
                        x -> of(dtype, shape, i -> dtype == DType.BOOL ? 1 : -7));
            }
            scalar.exact(dtype + "", x -> x.device().scalar(1, dtype), x -> of(dtype, dims(), i -> 1));
            for (long[] shape : new long[][] {{4, 4}, {3, 5}, {5, 3}, {0, 3}, {3, 0}}) {
                eye.exact(
                        dtype + " " + Arrays.toString(shape),
                        x -> x.device().eye(shape[0], shape[1], dtype),
                        x -> of(dtype, shape, i -> i / shape[1] == i % shape[1] ? 1 : 0));
            }
        }
        for (DType dtype : NUMBERS) {
            arange.exact(
                    dtype + " 2 to 11 by 3",
                    x -> x.device().arange(2, 11, 3, dtype),
                    x -> of(dtype, dims(3), i -> 2 + 3 * i));
            arange.exact(
                    dtype + " 2 to 12 by 3",
                    x -> x.device().arange(2, 12, 3, dtype),
                    x -> of(dtype, dims(4), i -> 2 + 3 * i));
            arange.exact(
                    dtype + " 5 to -5 by -2",
                    x -> x.device().arange(5, -5, -2, dtype),
                    x -> of(dtype, dims(5), i -> 5 - 2 * i));
            arange.exact(dtype + " nothing", x -> x.device().arange(5, 5, 1, dtype), x -> of(dtype, dims(0), i -> 0));
            count.exact(dtype + " 100", x -> x.device().arange(100, dtype), x -> of(dtype, dims(100), i -> i));
        }
        arange.sample(
                "float32 by 0.1",
                x -> x.device().arange(0, 100, 0.1, DType.F32),
                x -> of(DType.F32, dims(1000), i -> i * 0.1));
        arange.refuses("step 0", "non-zero step", d -> d.arange(0, 5, 0, DType.F32));
        arange.refuses("the wrong sign", "leads away from", d -> d.arange(0, 5, -1, DType.F32));
        arange.refuses("a fraction for integers", "not both whole", d -> d.arange(0, 5, 0.5, DType.I32));
        zeros.refuses("a negative size", "negative", d -> d.zeros(Any.of(2, -3), DType.F32));
        zeros.refuses("size -1", "negative size", d -> d.zeros(Any.of(2, -1), DType.F32));
        full.refuses("a fraction in int32", "2.5 is no int32", d -> d.full(Any.of(2), 2.5, DType.I32));
        full.refuses("too much for int32", "[-2147483648, 2147483647]", d -> d.full(Any.of(2), 1e10, DType.I32));
        full.refuses("NaN in int64", "NaN is no int64", d -> d.full(Any.of(2), Double.NaN, DType.I64));
        full.refuses("2 in bool", "2.0 is no bool", d -> d.full(Any.of(2), 2, DType.BOOL));
        full.exact(
                "float32 NaN",
                x -> x.device().full(Any.of(3), Double.NaN, DType.F32),
                x -> of(DType.F32, dims(3), i -> Double.NaN));
        spec(all, "Device.zeros(Shape)")
                .exact("[3, 5]", x -> x.device().zeros(Any.of(SHAPE)), x -> of(DType.F32, SHAPE, i -> 0));
        spec(all, "Device.ones(Shape)")
                .exact("[3, 5]", x -> x.device().ones(Any.of(SHAPE)), x -> of(DType.F32, SHAPE, i -> 1));
    }

    private static void fromHost(List<OpSpec> all) {
        OpSpec segment = spec(all, "Device.tensor(MemorySegment,Shape,DType)");
        OpSpec bytes = spec(all, "Device.tensor(ByteBuffer,Shape,DType)");
        for (DType dtype : ALL) {
            Arr x = Arr.any(dtype, 1, SHAPE);
            segment.exact(dtype + "", in -> in.device().tensor(x.bytes(), Any.of(SHAPE), dtype), in -> x);
            bytes.exact(dtype + "", in -> in.device().tensor(x.bytes().asByteBuffer(), Any.of(SHAPE), dtype), in -> x);
        }
        segment.refuses(
                "too few elements",
                "the data has 3 elements",
                d -> d.tensor(Arr.vector(DType.F32, 1, 2, 3).bytes(), Any.of(4), DType.F32));
        int[] n = {5, -3, 7, 0, 1, 2};
        Arr f32 = Arr.vector(DType.F32, 5, -3, 7, 0, 1, 2);
        Arr f64 = f32.as(DType.F64);
        Arr i32 = f32.as(DType.I32);
        Arr i64 = f32.as(DType.I64);
        float[] f = {5, -3, 7, 0, 1, 2};
        double[] d = {5, -3, 7, 0, 1, 2};
        long[] l = {5, -3, 7, 0, 1, 2};
        spec(all, "Device.tensor(float[])").exact("6", x -> x.device().tensor(f), x -> f32);
        spec(all, "Device.tensor(float[],Shape)")
                .exact("[2, 3]", x -> x.device().tensor(f, Any.of(2, 3)), x -> f32.reshaped(2, 3))
                .refuses("too many", "needs 4", dev -> dev.tensor(f, Any.of(4)));
        spec(all, "Device.tensor(float[][])")
                .exact("[2, 3]", x -> x.device().tensor(new float[][] {{5, -3, 7}, {0, 1, 2}}), x -> f32.reshaped(2, 3))
                .refuses("ragged rows", "rows must be equally long", dev -> dev.tensor(new float[][] {{1}, {1, 2}}));
        spec(all, "Device.tensor(double[])").exact("6", x -> x.device().tensor(d), x -> f64);
        spec(all, "Device.tensor(double[],Shape)")
                .exact("[3, 2]", x -> x.device().tensor(d, Any.of(3, 2)), x -> f64.reshaped(3, 2));
        spec(all, "Device.tensor(double[][])")
                .exact(
                        "[2, 3]",
                        x -> x.device().tensor(new double[][] {{5, -3, 7}, {0, 1, 2}}),
                        x -> f64.reshaped(2, 3));
        spec(all, "Device.tensor(int[])").exact("6", x -> x.device().tensor(n), x -> i32);
        spec(all, "Device.tensor(int[],Shape)")
                .exact("[3, 2]", x -> x.device().tensor(n, Any.of(3, 2)), x -> i32.reshaped(3, 2));
        spec(all, "Device.tensor(long[])").exact("6", x -> x.device().tensor(l), x -> i64);
        spec(all, "Device.tensor(long[],Shape)")
                .exact("[3, 2]", x -> x.device().tensor(l, Any.of(3, 2)), x -> i64.reshaped(3, 2));
        Arr bools = Arr.vector(DType.BOOL, 1, 0, 1);
        spec(all, "Device.tensor(boolean[])").exact("3", x -> x.device().tensor(true, false, true), x -> bools);
        spec(all, "Device.tensor(boolean[],Shape)")
                .exact(
                        "[3, 1]",
                        x -> x.device().tensor(new boolean[] {true, false, true}, Any.of(3, 1)),
                        x -> bools.reshaped(3, 1));
        ByteBuffer big = ByteBuffer.allocate(48).order(ByteOrder.BIG_ENDIAN);
        spec(all, "Device.tensor(FloatBuffer,Shape)")
                .exact("a wrapped array", x -> x.device().tensor(FloatBuffer.wrap(f), Any.of(6)), x -> f32)
                .exact(
                        "from a position",
                        x -> x.device().tensor(FloatBuffer.wrap(f).position(2).limit(5), Any.of(3)),
                        x -> Arr.vector(DType.F32, 7, 0, 1))
                .exact(
                        "in the other byte order",
                        x -> x.device()
                                .tensor(
                                        big.duplicate()
                                                .order(ByteOrder.BIG_ENDIAN)
                                                .asFloatBuffer()
                                                .put(f)
                                                .flip(),
                                        Any.of(6)),
                        x -> f32);
        spec(all, "Device.tensor(DoubleBuffer,Shape)")
                .exact("a wrapped array", x -> x.device().tensor(DoubleBuffer.wrap(d), Any.of(6)), x -> f64)
                .exact(
                        "in the other byte order",
                        x -> x.device()
                                .tensor(
                                        big.duplicate()
                                                .order(ByteOrder.BIG_ENDIAN)
                                                .asDoubleBuffer()
                                                .put(d)
                                                .flip(),
                                        Any.of(6)),
                        x -> f64);
        spec(all, "Device.tensor(IntBuffer,Shape)")
                .exact("a wrapped array", x -> x.device().tensor(IntBuffer.wrap(n), Any.of(6)), x -> i32)
                .exact(
                        "in the other byte order",
                        x -> x.device()
                                .tensor(
                                        big.duplicate()
                                                .order(ByteOrder.BIG_ENDIAN)
                                                .asIntBuffer()
                                                .put(n)
                                                .flip(),
                                        Any.of(6)),
                        x -> i32);
        spec(all, "Device.tensor(LongBuffer,Shape)")
                .exact("a wrapped array", x -> x.device().tensor(LongBuffer.wrap(l), Any.of(6)), x -> i64)
                .exact(
                        "in the other byte order",
                        x -> x.device()
                                .tensor(
                                        big.duplicate()
                                                .order(ByteOrder.BIG_ENDIAN)
                                                .asLongBuffer()
                                                .put(l)
                                                .flip(),
                                        Any.of(6)),
                        x -> i64);
    }

    /** Each way to the host, checked by coming back from there. */
    private static void toHost(List<OpSpec> all) {
        OpSpec item = spec(all, "Tensor.item()");
        OpSpec itemLong = spec(all, "Tensor.itemLong()");
        OpSpec floats = spec(all, "Tensor.toFloatArray()");
        OpSpec doubles = spec(all, "Tensor.toDoubleArray()");
        OpSpec ints = spec(all, "Tensor.toIntArray()");
        OpSpec longs = spec(all, "Tensor.toLongArray()");
        OpSpec bools = spec(all, "Tensor.toBooleanArray()");
        for (DType dtype : ALL) {
            Arr x = Arr.any(dtype, 1, 4, 5);
            floats.exact(
                    dtype + "",
                    in -> in.device().tensor(in.a().toFloatArray(), Any.of(4, 5)),
                    in -> in.get(0).as(DType.F32),
                    x);
            doubles.exact(
                    dtype + "",
                    in -> in.device().tensor(in.a().toDoubleArray(), Any.of(4, 5)),
                    in -> in.get(0).as(DType.F64),
                    x);
            ints.exact(
                    dtype + "",
                    in -> in.device().tensor(in.a().toIntArray(), Any.of(4, 5)),
                    in -> in.get(0).as(DType.I32),
                    x);
            longs.exact(
                    dtype + "",
                    in -> in.device().tensor(in.a().toLongArray(), Any.of(4, 5)),
                    in -> in.get(0).as(DType.I64),
                    x);
            bools.exact(
                    dtype + "",
                    in -> in.device().tensor(in.a().toBooleanArray(), Any.of(4, 5)),
                    in -> in.get(0).as(DType.BOOL),
                    x);
            item.exact(
                    dtype + "",
                    in -> in.device().tensor(in.a().item()),
                    in -> in.get(0).as(DType.F64).reshaped(1),
                    Arr.any(dtype, 5, 1, 1));
            itemLong.exact(
                    dtype + "",
                    in -> in.device().tensor(in.a().itemLong()),
                    in -> in.get(0).as(DType.I64).reshaped(1),
                    Arr.any(dtype, 5));
        }
        itemLong.exact(
                "int64, all bits",
                in -> in.device().tensor(in.a().itemLong()),
                in -> in.get(0).reshaped(1),
                Arr.longs(DType.I64, dims(), new long[] {Long.MAX_VALUE - 1}));
        item.refuses(
                "two elements",
                "the tensor has 2 elements",
                d -> made(d, Arr.vector(DType.F32, 1, 2)).item());
        itemLong.refuses(
                "none",
                "the tensor has 0 elements",
                d -> made(d, Arr.any(DType.I64, 1, 0)).itemLong());
        floats.refuses(
                "a closed tensor",
                "after it was closed",
                d -> ElementwiseSpecs.closed(d).toFloatArray());
        doubles.refuses(
                "a closed tensor",
                "after it was closed",
                d -> ElementwiseSpecs.closed(d).toDoubleArray());
        OpSpec size = spec(all, "Tensor.size(int)");
        size.exact(
                "[3, 4]",
                in -> in.device().tensor(in.a().size(0), in.a().size(-1)),
                in -> Arr.vector(DType.I64, 3, 4),
                Arr.any(DType.F32, 1, 3, 4));
        size.refuses(
                "dim 2 of 2",
                "dim 2 is outside [-2, 1]",
                d -> made(d, Arr.any(DType.F32, 1, 3, 4)).size(2));
    }

    // ---- chance

    private static Generator seeded(long skip) {
        Generator generator = new Generator(SEED);
        generator.advance(skip);
        return generator;
    }

    private static final long[][] SIZES = {{}, {1}, {2}, {3}, {5}, {3, 7}, {0, 2}, {1001}};

    private static void random(List<OpSpec> all) {
        OpSpec rand = spec(all, "Device.rand(Shape,Floating,Generator)");
        OpSpec uniform = spec(all, "Device.uniform(Shape,double,double,Floating,Generator)");
        OpSpec randn = spec(all, "Device.randn(Shape,Floating,Generator)");
        OpSpec normal = spec(all, "Device.normal(Shape,double,double,Floating,Generator)");
        OpSpec bernoulli = spec(all, "Device.bernoulli(Shape,double,DType,Generator)");
        OpSpec randint = spec(all, "Device.randint(Shape,long,long,Integral,Generator)");
        for (long[] shape : SIZES) {
            for (long skip : new long[] {0, 3, (1L << 32) - 2}) {
                String at = Arrays.toString(shape) + " from " + skip;
                for (DType dtype : FLOATS) {
                    boolean wide = dtype == DType.F64;
                    Floating type = (Floating) dtype;
                    double most = dtype == DType.F16 ? 1 - 0x1p-11 : dtype == DType.BF16 ? 1 - 0x1p-8 : 1;
                    rand.exact(
                            dtype + " " + at,
                            x -> x.device().rand(Any.of(shape), type, seeded(skip)),
                            x -> of(dtype, shape, i -> Math.min(Reference.uniform(SEED, skip, i, wide), most)));
                    uniform.sample(
                            dtype + " " + at,
                            x -> x.device().uniform(Any.of(shape), -2, 3, type, seeded(skip)),
                            x -> of(dtype, shape, i -> -2 + 5 * Reference.uniform(SEED, skip, i, wide)));
                    randn.sample(
                            dtype + " " + at,
                            x -> x.device().randn(Any.of(shape), type, seeded(skip)),
                            x -> of(dtype, shape, i -> Reference.normal(SEED, skip, i, wide)));
                    normal.sample(
                            dtype + " " + at,
                            x -> x.device().normal(Any.of(shape), 1, 0.5, type, seeded(skip)),
                            x -> of(dtype, shape, i -> 1 + 0.5 * Reference.normal(SEED, skip, i, wide)));
                }
                for (DType dtype : ALL) {
                    bernoulli.exact(
                            dtype + " " + at,
                            x -> x.device().bernoulli(Any.of(shape), 0.3, dtype, seeded(skip)),
                            x -> of(dtype, shape, i -> Reference.uniform(SEED, skip, i, false) < 0.3 ? 1 : 0));
                }
                for (DType dtype : INTEGERS) {
                    randint.exact(
                            dtype + " " + at,
                            x -> x.device().randint(Any.of(shape), -5, 12, (Integral) dtype, seeded(skip)),
                            x -> of(dtype, shape, i -> -5 + Long.remainderUnsigned(Reference.wide(SEED, skip, i), 17)));
                }
            }
        }
        for (DType dtype : FLOATS) {
            rand.exact(
                    dtype + " 200,000 are all below 1",
                    x -> x.device()
                            .rand(Any.of(200_000), (Floating) dtype, seeded(0))
                            .lt(1)
                            .logicalNot()
                            .to(DType.I64)
                            .sum(),
                    x -> of(DType.I64, dims(), i -> 0));
            for (double[] range : new double[][] {{1, 1.0625}, {-1, 0}, {-0x1p-24, 0x1p-14}, {-4, -3.875}}) {
                uniform.exact(
                        dtype + " 200,000 of " + Arrays.toString(range) + " are all in the range",
                        x -> {
                            var drawn = OpSpec.untyped(x.device()
                                    .uniform(Any.of(200_000), range[0], range[1], (Floating) dtype, seeded(0)));
                            return F.cat(List.of(drawn.lt(range[0]), drawn.ge(range[1])), 0)
                                    .to(DType.I64)
                                    .sum();
                        },
                        x -> of(DType.I64, dims(), i -> 0));
            }
        }
        rand.exact(
                "two draws take two stretches",
                x -> {
                    Generator g = seeded(0);
                    x.device().rand(Any.of(5), DType.F32, g);
                    return x.device().rand(Any.of(5), DType.F32, g);
                },
                x -> of(DType.F32, dims(5), i -> Reference.uniform(SEED, 2, i, false)));
        randint.exact(
                "int64 of a span of 2^53",
                x -> x.device().randint(Any.of(50), 0, 1L << 53, DType.I64, seeded(0)),
                x -> Arr.longs(
                        DType.I64,
                        dims(50),
                        java.util.stream.IntStream.range(0, 50)
                                .mapToLong(i -> Long.remainderUnsigned(Reference.wide(SEED, 0, i), 1L << 53))
                                .toArray()));
        for (DType dtype : List.of(DType.F32, DType.F64)) {
            randn.sample(
                    dtype + " mean of 100,000",
                    0.015,
                    x -> x.device()
                            .randn(Any.of(100_000), (Floating) dtype, seeded(0))
                            .sum()
                            .to(DType.F64)
                            .mul(1e-5),
                    x -> of(DType.F64, dims(), i -> 0));
            randn.sample(
                    dtype + " variance of 100,000",
                    0.015,
                    x -> F.var(OpSpec.untyped(x.device().randn(Any.of(100_000), (Floating) dtype, seeded(0)))),
                    x -> of(dtype, dims(), i -> 1));
        }
        uniform.refuses(
                "bounds in the wrong order", "give low <= high", d -> d.uniform(Any.of(2), 1, 0, DType.F32, seeded(0)));
        normal.refuses(
                "a negative deviation",
                "a standard deviation of 0 or more",
                d -> d.normal(Any.of(2), 0, -1, DType.F32, seeded(0)));
        bernoulli.refuses(
                "a probability above 1",
                "a probability in [0, 1]",
                d -> d.bernoulli(Any.of(2), 1.5, DType.F32, seeded(0)));
        randint.refuses("an empty range", "give low < high", d -> d.randint(Any.of(2), 3, 3, DType.I32, seeded(0)));
    }

    private static OpSpec.Op standard(OpSpec.Op op) {
        return x -> {
            Generator.manualSeed(SEED);
            return op.apply(x);
        };
    }

    private static void chance(List<OpSpec> all) {
        long[] shape = {4, 6};
        spec(all, "Device.rand(Shape)")
                .exact(
                        "[4, 6]",
                        standard(x -> x.device().rand(Any.of(shape))),
                        x -> of(DType.F32, shape, i -> Reference.uniform(SEED, 0, i, false)));
        spec(all, "Device.rand(Shape,Floating)")
                .exact(
                        "float64",
                        standard(x -> x.device().rand(Any.of(shape), DType.F64)),
                        x -> of(DType.F64, shape, i -> Reference.uniform(SEED, 0, i, true)));
        spec(all, "Device.randn(Shape)")
                .sample(
                        "[4, 6]",
                        standard(x -> x.device().randn(Any.of(shape))),
                        x -> of(DType.F32, shape, i -> Reference.normal(SEED, 0, i, false)));
        spec(all, "Device.randn(Shape,Floating)")
                .sample(
                        "float64",
                        standard(x -> x.device().randn(Any.of(shape), DType.F64)),
                        x -> of(DType.F64, shape, i -> Reference.normal(SEED, 0, i, true)));
        spec(all, "Device.randint(Shape,long,long)")
                .exact(
                        "[4, 6]",
                        standard(x -> x.device().randint(Any.of(shape), 0, 9)),
                        x -> of(DType.I64, shape, i -> Long.remainderUnsigned(Reference.wide(SEED, 0, i), 9)));
        OpSpec permutation = spec(all, "Device.permutation(long,Generator)");
        for (int n : new int[] {0, 1, 2, 100}) {
            permutation.exact(n + "", x -> x.device().permutation(n, seeded(0)), x -> permuted(n));
        }
        permutation.refuses("-1", "n -1 is negative", d -> d.permutation(-1, seeded(0)));
        OpSpec dropout = spec(all, "F.dropout(Tensor,double,Generator)");
        for (DType dtype : FLOATS) {
            for (double p : new double[] {0, 0.25, 1}) {
                dropout.sample(
                        dtype + " p " + p,
                        x -> F.dropout(x.a(), p, seeded(0)),
                        x -> {
                            double[] out = new double[x.get(0).count()];
                            Arrays.setAll(
                                    out,
                                    i -> p < 1 && Reference.uniform(SEED, 0, i, false) < 1 - p
                                            ? x.get(0).f()[i] / (1 - p)
                                            : 0);
                            return Arr.floats(dtype, x.get(0).shape(), out);
                        },
                        Arr.normal(dtype, 1, 7, 9));
            }
        }
        dropout.grad("p 0.5", x -> F.dropout(x.a(), 0.5, seeded(0)), Arr.normal(DType.F64, 1, 3, 4));
        dropout.refuses(
                "p 1.5",
                "probability 1.5 is outside [0, 1]",
                d -> F.dropout(made(d, Arr.vector(DType.F32, 1)), 1.5, seeded(0)));
        dropout.refuses(
                "integers", "not defined for int32", d -> F.dropout(made(d, Arr.vector(DType.I32, 1)), 0.5, seeded(0)));
        OpSpec gumbel = spec(all, "F.gumbelSoftmax(Tensor,double,Hardness,int,Generator)");
        for (DType dtype : List.of(DType.F32, DType.F64)) {
            for (int dim : new int[] {0, 1}) {
                for (Hardness hardness : Hardness.values()) {
                    gumbel.sample(
                            dtype + " " + hardness + " along " + dim,
                            x -> F.gumbelSoftmax(x.a(), 0.7, hardness, dim, seeded(0)),
                            x -> gumbel(x.get(0), dim, hardness),
                            Arr.normal(dtype, 1, 4, 5));
                }
            }
        }
        // Other words are drawn for float32.
        gumbel.grad(
                "soft, float64 only",
                x -> F.gumbelSoftmax(x.a(), 0.7, Hardness.SOFT, 1, seeded(0)),
                Arr.normal(DType.F64, 1, 3, 4));
        gumbel.refuses(
                "tau 0",
                "tau 0.0 is no temperature",
                d -> F.gumbelSoftmax(made(d, Arr.vector(DType.F32, 1)), 0, Hardness.SOFT, 0, seeded(0)));
        gumbel.refuses(
                "dim 1 of 1",
                "dim 1 is outside [-1, 0]",
                d -> F.gumbelSoftmax(made(d, Arr.vector(DType.F32, 1)), 1, Hardness.SOFT, 1, seeded(0)));
    }

    private static Arr gumbel(Arr x, int dim, Hardness hardness) {
        boolean wide = x.dtype() == DType.F64;
        double[] scores = new double[x.count()];
        Arrays.setAll(scores, i -> {
            double u = 0x1p-25 + Reference.uniform(SEED, 0, i, wide) * (1 - 0x1p-25);
            return (x.f()[i] - Math.log(-Math.log(u))) / 0.7;
        });
        Arr soft = Reference.softmax(Arr.floats(DType.F64, x.shape(), scores), dim, x.dtype(), false);
        if (hardness == Hardness.SOFT) {
            return soft;
        }
        double[] out = new double[x.count()];
        for (int[] group : Reference.groups(x.shape(), dim)) {
            int best = group[0];
            for (int i : group) {
                best = soft.f()[i] > soft.f()[best] ? i : best;
            }
            out[best] = 1;
        }
        return Arr.floats(x.dtype(), x.shape(), out);
    }

    private static Arr permuted(int n) {
        long[] order = java.util.stream.LongStream.range(0, n).toArray();
        long counter = 0;
        for (int i = n - 1; i > 0; i--) {
            int[] block = Reference.philox(SEED, counter++);
            int j = (int) Long.remainderUnsigned((long) block[1] << 32 | block[0] & 0xFFFFFFFFL, i + 1);
            long swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
        return Arr.longs(DType.I64, dims(n), order);
    }
}
