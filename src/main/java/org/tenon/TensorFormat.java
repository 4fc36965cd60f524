package org.tenon;

import java.util.Arrays;
import java.util.Locale;

/** A tensor as text: elements in aligned columns, large tensors abbreviated to the ends of each axis. */
final class TensorFormat {
    private static final int WHOLE = 1000;
    private static final int EDGE = 3;

    private final long[] sizes;
    private final String[] texts;
    private final long[] shown;
    private final int width;

    private TensorFormat(long[] sizes, long[] shown, String[] texts) {
        this.sizes = sizes;
        this.shown = shown;
        this.texts = texts;
        this.width = Arrays.stream(texts).mapToInt(String::length).max().orElse(0);
    }

    static String format(Tensor<?, ?, ?> x) {
        String suffix = ", " + x.dtype() + Arrays.toString(x.shape()) + ", " + x.device() + ")";
        if (x.value().isClosed()) {
            return "tensor(closed" + suffix;
        }
        if (x.numel() == 0) {
            return "tensor([]" + suffix;
        }
        long[] sizes = x.shape();
        boolean whole = x.numel() <= WHOLE;
        long[] shown = Arrays.stream(sizes)
                .map(size -> whole || size <= 2 * EDGE ? size : 2 * EDGE)
                .toArray();
        String[] texts = Autograd.noGrad(() -> Scope.call(() -> texts(ends(x.any(), shown))));
        StringBuilder out = new StringBuilder("tensor(");
        new TensorFormat(sizes, shown, texts).append(out, 0, 0);
        return out.append(suffix).toString();
    }

    /** The elements that are shown: of a long axis its two ends, joined. */
    private static <D extends DType, Dev extends DeviceType> Tensor<Any, D, Dev> ends(
            Tensor<Any, D, Dev> x, long[] shown) {
        Tensor<Any, D, Dev> cut = x;
        for (int i = 0; i < shown.length; i++) {
            if (shown[i] != x.size(i)) {
                cut = F.cat(java.util.List.of(cut.slice(i, 0, EDGE), cut.slice(i, -EDGE, x.size(i))), i);
            }
        }
        return cut;
    }

    private static String[] texts(Tensor<?, ?, ?> x) {
        if (x.dtype() == DType.BOOL) {
            boolean[] values = x.toBooleanArray();
            String[] texts = new String[values.length];
            Arrays.setAll(texts, i -> String.valueOf(values[i]));
            return texts;
        }
        if (!x.dtype().isFloating()) {
            return Arrays.stream(x.toLongArray()).mapToObj(Long::toString).toArray(String[]::new);
        }
        double[] values = x.toDoubleArray();
        double largest = 0;
        double smallest = Double.MAX_VALUE;
        for (double value : values) {
            if (Double.isFinite(value) && value != 0) {
                largest = Math.max(largest, Math.abs(value));
                smallest = Math.min(smallest, Math.abs(value));
            }
        }
        String pattern = largest >= 1e8 || largest > 0 && smallest < 1e-4 ? "%.4e" : "%.4f";
        return Arrays.stream(values).mapToObj(value -> text(pattern, value)).toArray(String[]::new);
    }

    private static String text(String pattern, double value) {
        if (Double.isNaN(value)) {
            return "nan";
        }
        return Double.isInfinite(value) ? value > 0 ? "inf" : "-inf" : String.format(Locale.ROOT, pattern, value);
    }

    /** Appends axis {@code dim} from position {@code at} of the texts; returns the position after it. */
    private int append(StringBuilder out, int dim, int at) {
        if (dim == sizes.length) {
            out.append(" ".repeat(width - texts[at].length())).append(texts[at]);
            return at + 1;
        }
        boolean last = dim == sizes.length - 1;
        String gap = last ? ", " : ",\n" + "\n".repeat(sizes.length - dim - 2) + " ".repeat(8 + dim);
        int next = at;
        out.append('[');
        for (long i = 0; i < shown[dim]; i++) {
            out.append(i == 0 ? "" : gap);
            if (i == EDGE && shown[dim] != sizes[dim]) {
                out.append("...").append(gap);
            }
            next = append(out, dim + 1, next);
        }
        out.append(']');
        return next;
    }
}
