package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.Strided;
import org.tenon.spi.UnaryOp;

/** Launches of elementwise functions, constants and copies. */
final class Elementwise {
    private static final int VECTOR = 4;
    private static final int TILE = 16;

    private final GpuRuntime runtime;
    /** The elements that a thread takes of dense copies and choices. */
    private final int each;

    private final Variants fills;
    private final Variants aranges;
    private final Variants moves;
    private final Variants conversions;
    private final Variants unaries;
    private final Variants binaries;
    private final Variants wheres;

    Elementwise(GpuRuntime runtime) {
        this.runtime = runtime;
        each = Math.max(VECTOR, runtime.traits().lanes());
        fills = new Variants(4, width -> build("fill", "fill", "-DT=" + width(width)));
        aranges = new Variants(
                Types.COUNT,
                type -> type != Types.index(DType.BOOL),
                type -> build("arange", "arange", "-DT=" + type(type)));
        moves = new Variants(12, i -> {
            String type = width(i / 3);
            return build("copy", MOVES[i % 3], "-DT=" + type + " -DU=" + type + " -DEACH=" + each);
        });
        conversions = new Variants(Types.COUNT * Types.COUNT * 3, i -> i / 3 % (Types.COUNT + 1) != 0, i -> {
            int pair = i / 3;
            return build(
                    "copy",
                    MOVES[i % 3],
                    "-DT=" + type(pair / Types.COUNT) + " -DU=" + type(pair % Types.COUNT) + " -DEACH=" + each);
        });
        unaries = new Variants(UnaryOp.values().length * Types.COUNT * 2, Elementwise::unaryExists, i -> {
            UnaryOp op = UnaryOp.values()[i / 2 / Types.COUNT];
            String in = type(i / 2 % Types.COUNT);
            boolean bool = op == UnaryOp.ISNAN || op == UnaryOp.NOT;
            String options = "-DOP=" + op + " -DT=" + in + " -DU=" + (bool ? "b8" : in);
            return build("unary", i % 2 == 1 ? "unary_dense" : "unary", options);
        });
        binaries = new Variants(BinaryOp.values().length * Types.COUNT * 2, Elementwise::binaryExists, i -> {
            BinaryOp op = BinaryOp.values()[i / 2 / Types.COUNT];
            String in = type(i / 2 % Types.COUNT);
            String options = "-DOP=" + op + " -DT=" + in + " -DU=" + (op.compares() ? "b8" : in);
            return build("binary", i % 2 == 1 ? "binary_dense" : "binary", options);
        });
        wheres = new Variants(
                8,
                i -> build("where", i % 2 == 1 ? "where_dense" : "where", "-DT=" + width(i / 2) + " -DEACH=" + each));
    }

    private static boolean unaryExists(int i) {
        UnaryOp op = UnaryOp.values()[i / 2 / Types.COUNT];
        DType dtype = Types.ALL.get(i / 2 % Types.COUNT);
        boolean bool = op == UnaryOp.ISNAN || op == UnaryOp.NOT;
        boolean vectors = dtype != DType.I64 && dtype != DType.BOOL && !bool;
        boolean defined = switch (op) {
            case ISNAN, NOT -> true;
            case NEG, ABS, SIGN, RELU, ADD_SCALAR, MUL_SCALAR, CLAMP -> dtype != DType.BOOL;
            default -> dtype.isFloating();
        };
        return defined && (i % 2 == 0 || vectors);
    }

    private static boolean binaryExists(int i) {
        BinaryOp op = BinaryOp.values()[i / 2 / Types.COUNT];
        DType dtype = Types.ALL.get(i / 2 % Types.COUNT);
        boolean vectors = dtype != DType.I64 && dtype != DType.BOOL && !op.compares();
        boolean defined = switch (op) {
            // Of bools the sum is "or" and the product "and".
            case EQ, NE, LT, LE, GT, GE, ADD, MUL -> true;
            case SUB, MAXIMUM, MINIMUM -> dtype != DType.BOOL;
            default -> dtype.isFloating();
        };
        return defined && (i % 2 == 0 || vectors);
    }

    /** Builds every kernel there is. */
    void buildAll() {
        fills.buildAll();
        aranges.buildAll();
        moves.buildAll();
        conversions.buildAll();
        unaries.buildAll();
        binaries.buildAll();
        wheres.buildAll();
    }

    private static final String[] MOVES = {"copy", "copy_dense", "copy_transposed"};

    private static String type(int index) {
        return Types.name(Types.ALL.get(index));
    }

    private static String width(int index) {
        return "u" + (8 << index);
    }

    private GpuKernel build(String file, String kernel, String options) {
        return runtime.kernel(
                file, kernel, options + " -DBLOCK=" + runtime.traits().threads());
    }

    void fill(Strided out, double value) {
        long bits = Types.stored(out.dtype(), value);
        Axes axes = Launch.axes().set(out.sizes(), out.strides());
        for (long part = 0; part < axes.parts(); part++) {
            axes.part(part);
            Launch.begin()
                    .buffer(out)
                    .value(axes.count())
                    .value(axes.rank())
                    .offset(out, axes.offset(0))
                    .value(bits)
                    .sizes(axes)
                    .strides(axes, 0)
                    .each(runtime, fills.get(Types.widthIndex(out.dtype())), axes.count());
        }
    }

    void arange(Strided out, double start, double step) {
        if (out.count() == 0) {
            return;
        }
        // The host's double where kernels have it: float32 would lose the last digits of large numbers.
        DType of = !out.dtype().isFloating() ? DType.I64 : runtime.traits().fp64() ? DType.F64 : DType.F32;
        Launch.begin()
                .buffer(out)
                .value(out.count())
                .offset(out)
                .value(Types.bits(of, start))
                .value(Types.bits(of, step))
                .each(runtime, aranges.get(Types.index(out.dtype())), out.count());
    }

    /** Builds the kernel that copies neighbours of this type. */
    void prepareCopy(DType dtype) {
        moves.get(3 * Types.widthIndex(dtype) + 1);
    }

    void copy(Strided in, Strided out) {
        boolean same = in.dtype() == out.dtype();
        int family = 3
                * (same
                        ? Types.widthIndex(in.dtype())
                        : Types.index(in.dtype()) * Types.COUNT + Types.index(out.dtype()));
        Axes axes = Launch.axes().set(out.sizes(), in.strides(), out.strides());
        boolean dense = axes.isDense(0) && axes.isDense(1);
        int near = dense ? -1 : nearInput(axes);
        if (near >= 0) {
            axes.lead(near);
        }
        for (long part = 0; part < axes.parts(); part++) {
            axes.part(part);
            GpuKernel kernel = (same ? moves : conversions).get(family + (dense ? 1 : near >= 0 ? 2 : 0));
            Launch launch = Launch.begin()
                    .buffer(out)
                    .buffer(in)
                    .value(axes.count())
                    .value(axes.rank())
                    .offset(in, axes.offset(0))
                    .offset(out, axes.offset(1))
                    .sizes(axes)
                    .strides(axes, 0)
                    .strides(axes, 1);
            if (near >= 0) {
                long tiles = tiles(axes.size(0)) * tiles(axes.size(1));
                launch.run(runtime, kernel, axes.count() / (axes.size(0) * axes.size(1)) * tiles);
            } else {
                launch.each(runtime, kernel, threads(axes, dense ? each : 1));
            }
        }
    }

    /** The axis that is nearest in the input, where a copy through tiles pays since the output's is another; else -1. */
    private int nearInput(Axes axes) {
        int last = axes.rank() - 1;
        int near = -1;
        for (int d = 0; d < last; d++) {
            if (axes.stride(0, d) == 1) {
                near = d;
            }
        }
        boolean pays = runtime.traits().cooperative()
                && near >= 0
                && axes.stride(0, last) != 1
                && axes.stride(1, last) == 1
                && axes.size(near) >= TILE / 2
                && axes.size(last) >= TILE / 2;
        return pays ? near : -1;
    }

    private static long tiles(long size) {
        return (size + TILE - 1) / TILE;
    }

    void unary(UnaryOp op, Strided in, double p0, double p1, Strided out) {
        boolean clamps = op == UnaryOp.CLAMP && !in.dtype().isFloating();
        long p = Types.bits(in.dtype(), clamps ? Math.ceil(p0) : p0);
        long q = Types.bits(in.dtype(), clamps ? Math.floor(p1) : p1);
        int variant = 2 * (op.ordinal() * Types.COUNT + Types.index(in.dtype()));
        Axes axes = Launch.axes().set(out.sizes(), in.strides(), out.strides());
        boolean dense = vectors(in, out) && isAligned(axes, 0, in) && isAligned(axes, 1, out);
        for (long part = 0; part < axes.parts(); part++) {
            axes.part(part);
            Launch.begin()
                    .buffer(out)
                    .buffer(in)
                    .value(axes.count())
                    .value(axes.rank())
                    .offset(in, axes.offset(0))
                    .offset(out, axes.offset(1))
                    .value(p)
                    .value(q)
                    .sizes(axes)
                    .strides(axes, 0)
                    .strides(axes, 1)
                    .each(runtime, unaries.get(dense ? variant + 1 : variant), threads(axes, dense ? VECTOR : 1));
        }
    }

    void binary(BinaryOp op, Strided a, Strided b, Strided out) {
        int variant = 2 * (op.ordinal() * Types.COUNT + Types.index(a.dtype()));
        Axes axes = Launch.axes().set(out.sizes(), a.strides(), b.strides(), out.strides());
        boolean dense = vectors(a, out) && isAligned(axes, 0, a) && isAligned(axes, 1, b) && isAligned(axes, 2, out);
        for (long part = 0; part < axes.parts(); part++) {
            axes.part(part);
            Launch.begin()
                    .buffer(out)
                    .buffer(a)
                    .buffer(b)
                    .value(axes.count())
                    .value(axes.rank())
                    .offset(a, axes.offset(0))
                    .offset(b, axes.offset(1))
                    .offset(out, axes.offset(2))
                    .sizes(axes)
                    .strides(axes, 0)
                    .strides(axes, 1)
                    .strides(axes, 2)
                    .each(runtime, binaries.get(dense ? variant + 1 : variant), threads(axes, dense ? VECTOR : 1));
        }
    }

    private static boolean vectors(Strided in, Strided out) {
        return in.dtype() == out.dtype() && in.dtype() != DType.I64 && in.dtype() != DType.BOOL;
    }

    /** Whether an operand is dense from a multiple of four elements on; blocks start at multiples of far more. */
    private static boolean isAligned(Axes axes, int number, Strided operand) {
        return axes.isDense(number)
                && Launch.startsAt(operand, VECTOR * operand.dtype().bytes());
    }

    /** Whether it is that, or one element that is repeated. */
    private static boolean isAlignedOrOne(Axes axes, int number, Strided operand) {
        return isAligned(axes, number, operand) || axes.rank() == 1 && axes.stride(number, 0) == 0;
    }

    private static long threads(Axes axes, int each) {
        return (axes.count() + each - 1) / each;
    }

    void where(Strided condition, Strided a, Strided b, Strided out) {
        Axes axes = Launch.axes().set(out.sizes(), condition.strides(), a.strides(), b.strides(), out.strides());
        boolean dense = isAligned(axes, 0, condition)
                && isAlignedOrOne(axes, 1, a)
                && isAlignedOrOne(axes, 2, b)
                && isAligned(axes, 3, out);
        int variant = 2 * Types.widthIndex(out.dtype());
        for (long part = 0; part < axes.parts(); part++) {
            axes.part(part);
            Launch.begin()
                    .buffer(out)
                    .buffer(condition)
                    .buffer(a)
                    .buffer(b)
                    .value(axes.count())
                    .value(axes.rank())
                    .offset(out, axes.offset(3))
                    .offset(condition, axes.offset(0))
                    .offset(a, axes.offset(1))
                    .offset(b, axes.offset(2))
                    .sizes(axes)
                    .strides(axes, 3)
                    .strides(axes, 0)
                    .strides(axes, 1)
                    .strides(axes, 2)
                    .each(runtime, wheres.get(dense ? variant + 1 : variant), threads(axes, dense ? each : 1));
        }
    }
}
