package org.tenon.op;

import java.util.Arrays;
import org.tenon.DType;
import org.tenon.spi.Backend;

/** Copies: to another element type, to another device, to row-major order, into another value. */
public final class Copies {
    private Copies() {}

    /** {@code x} itself if its elements are in row-major order, else a copy in that order. */
    public static Value contiguous(Value x) {
        x.checkOpen();
        if (x.layout().isContiguous()) {
            return x;
        }
        return Graph.record(
                "contiguous", copy("contiguous", x, x.dtype()), in -> Graph.grads(in.gradient()), new Value[] {x});
    }

    /** A copy that shares nothing. */
    public static Value copyOf(Value x) {
        x.checkOpen();
        return Graph.record("clone", copy("clone", x, x.dtype()), in -> Graph.grads(in.gradient()), new Value[] {x});
    }

    /** {@code x} itself if it has this element type, else converted. */
    public static Value to(Value x, DType dtype) {
        x.checkOpen();
        if (x.dtype() == dtype) {
            return x;
        }
        DType original = x.dtype();
        Value out = copy("to", x, dtype);
        if (!dtype.isFloating()) {
            return out;
        }
        return Graph.record("to", out, in -> Graph.grads(to(in.gradient(), original)), new Value[] {x});
    }

    /** A half type in float32, in which composed ops compute; anything else as it is. */
    static Value widened(Value x) {
        return x.dtype().bytes() == 2 ? to(x, DType.F32) : x;
    }

    /** {@code x} itself if it is on this device, else a copy there. */
    public static Value to(Value x, Backend backend) {
        x.checkOpen();
        if (x.backend() == backend) {
            return x;
        }
        Backend original = x.backend();
        Value out = Transfers.to(x, backend);
        return Graph.record("to", out, in -> Graph.grads(to(in.gradient(), original)), new Value[] {x});
    }

    static Value copy(String op, Value x, DType dtype) {
        Value out = Value.allocate(op, x.backend(), dtype, x.layout().sizes());
        run(x, out);
        return out;
    }

    private static void run(Value from, Value to) {
        try (Pins _ = Pins.of(from, to)) {
            to.backend().kernels().copy(from.strided(), to.strided());
        }
    }

    /** Copies {@code from} into {@code target}, in place, outside the graph. */
    public static void into(Value target, Value from) {
        Checks.operands("copyFrom", target, from);
        if (!Arrays.equals(target.layout().sizes(), from.layout().sizes())) {
            throw Checks.error("copyFrom", "shapes differ; reshape or slice one", target, from);
        }
        if (target.layout().repeats()) {
            throw Checks.error(
                    "copyFrom", "the target is expanded, so that elements share memory; use copy() of it", target);
        }
        if (target.storage() != from.storage()) {
            run(from, target);
        } else if (!target.layout().equalsIn(from.layout())) {
            Value apart = copy("copyFrom", from, from.dtype());
            run(apart, target);
            apart.close();
        }
        target.storage().modified();
    }

    /** Copies {@code from} into a part of {@code whole} that the caller just allocated. */
    static void place(Value whole, Layout part, Value from) {
        Value view = whole.view("place", part);
        run(from, view);
        view.close();
    }
}
