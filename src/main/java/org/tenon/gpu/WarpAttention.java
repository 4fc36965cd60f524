package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Allocator;
import org.tenon.spi.Attending;
import org.tenon.spi.AttentionKernels;
import org.tenon.spi.Buffer;
import org.tenon.spi.Dropout;
import org.tenon.spi.Strided;

/** Launches of attention and its backward on devices with warps, by the kernels of {@code attention.cuda.k}. */
final class WarpAttention implements AttentionKernels {
    /** Kernels, each with the tiles of shared memory that it has of its own rows and of the others. */
    private enum Kernel {
        FORWARD("attention", 1),
        QUERIES_GRAD("attention_queries_grad", 2),
        KEYS_GRAD("attention_keys_grad", 2),
        DELTA("attention_delta", 0);

        private final String text;
        private final int own;

        Kernel(String text, int own) {
            this.text = text;
            this.own = own;
        }
    }

    private static final int BLOCK = 128;
    /** Rows of a block, 16 for each of its warps. */
    private static final int ROWS = 64;
    /** Features that kernels are built for. */
    private static final int[] HEADS = {32, 64, 128};

    private static final DType[] TYPES = {DType.F32, DType.F16, DType.BF16};
    /** What the kernels count rows in has room to spare. */
    private static final long MOST_ROWS = 1 << 30;

    private final GpuRuntime runtime;
    private final Allocator allocator;
    private final Variants kernels;

    WarpAttention(GpuRuntime runtime, Allocator allocator) {
        this.runtime = runtime;
        this.allocator = allocator;
        kernels = new Variants(
                Kernel.values().length * HEADS.length * TYPES.length,
                number -> kernel(number) != Kernel.DELTA || head(number) == 0,
                number -> runtime.kernel(
                        "attention",
                        kernel(number).text,
                        form(kernel(number), head(number), dtype(number)).options()));
    }

    private static Kernel kernel(int number) {
        return Kernel.values()[number / HEADS.length / TYPES.length];
    }

    private static int head(int number) {
        return number / TYPES.length % HEADS.length;
    }

    private static DType dtype(int number) {
        return TYPES[number % TYPES.length];
    }

    private GpuKernel kernel(Kernel kernel, int head, DType dtype) {
        int type = dtype == DType.F32 ? 0 : dtype == DType.F16 ? 1 : 2;
        return kernels.get(type + TYPES.length * (head + HEADS.length * kernel.ordinal()));
    }

    /** Builds every kernel there is. */
    void buildAll() {
        kernels.buildAll();
    }

    /**
     * How a kernel is built.
     *
     * @param kernel which
     * @param dtype of queries, keys and values
     * @param head features of a row
     * @param others rows of a tile that the block goes over
     * @param resident blocks that a multiprocessor has registers for
     */
    record Form(String kernel, DType dtype, int head, int others, int resident) {
        String options() {
            return "-DT=" + Types.name(dtype) + " -DHEAD=" + head + " -DOTHERS=" + others + " -DRESIDENT=" + resident
                    + " -DBLOCK=" + BLOCK;
        }
    }

    /** Registers decide: of the sums each head, of the scores each of the others takes some. */
    private static Form form(Kernel kernel, int head, DType dtype) {
        boolean half = dtype != DType.F32;
        boolean wide = HEADS[head] == 128;
        boolean forward = kernel == Kernel.FORWARD;
        int others = half ? forward && !wide ? 64 : 32 : wide ? 16 : 32;
        boolean many = wide || kernel == Kernel.KEYS_GRAD || !half && forward && HEADS[head] == 64;
        return new Form(kernel.text, dtype, HEADS[head], others, many ? 2 : 3);
    }

    /** Tiles, what is known of queries, and where rows of scores go from lane to lane. */
    private static long shared(Kernel kernel, Form form, boolean biased) {
        long bytes = form.dtype().bytes();
        long chunk = 16 / bytes;
        long tiles = (kernel.own * ROWS + 2L * form.others()) * (form.head() + chunk) * bytes;
        long known = kernel == Kernel.KEYS_GRAD ? 3L * Float.BYTES * form.others() : 0;
        boolean staged = biased || form.dtype() == DType.F32;
        return tiles + known + (staged ? ROWS * (form.others() + chunk) * bytes : 0);
    }

    private static int head(long features, long values) {
        int head = 0;
        while (HEADS[head] < Math.max(features, values)) {
            head++;
        }
        return head;
    }

    @Override
    public boolean takes(DType dtype, long[] q, long[] k, long[] v) {
        long tiles = (Math.max(q[2], k[2]) + ROWS - 1) / ROWS;
        return (dtype == DType.F32 || dtype == DType.F16 || dtype == DType.BF16)
                && Math.max(q[3], v[3]) <= HEADS[HEADS.length - 1]
                && Math.max(q[2], k[2]) <= MOST_ROWS
                && q[0] * q[1] <= Integer.MAX_VALUE / tiles
                && most(dtype) <= runtime.traits().warps().sharedBytes();
    }

    /** The most shared memory that a kernel of this type asks for. */
    static long most(DType dtype) {
        long most = 0;
        for (Kernel kernel : Kernel.values()) {
            most = Math.max(most, shared(kernel, form(kernel, HEADS.length - 1, dtype), true));
        }
        return most;
    }

    @Override
    public void forward(Attending attention, Strided out) {
        Launch launch = Launch.begin()
                .buffer(out)
                .buffer(attention.top())
                .buffer(attention.share())
                .buffer(attention.q())
                .buffer(attention.k())
                .buffer(attention.v());
        run(Kernel.FORWARD, masks(launch, attention), attention, null, out, 0, null, null, null);
    }

    @Override
    public void backward(Attending attention, Strided g, Strided out, Strided dq, Strided dk, Strided dv) {
        Buffer delta = allocator.allocate(attention.top().count() * Float.BYTES);
        try {
            long place = delta.base() / Float.BYTES;
            Launch launch = Launch.begin().buffer(delta).buffer(g).buffer(out);
            run(Kernel.DELTA, launch, attention, g, out, place, null, null, null);
            if (dq != null) {
                launch = known(Launch.begin().buffer(dq), attention, g, delta);
                run(Kernel.QUERIES_GRAD, launch, attention, g, out, place, dq, null, null);
            }
            if (dk != null) {
                launch = known(Launch.begin().buffer(dk).buffer(dv), attention, g, delta);
                run(Kernel.KEYS_GRAD, launch, attention, g, out, place, null, dk, dv);
            }
        } finally {
            allocator.free(delta);
        }
    }

    private static Launch known(Launch launch, Attending attention, Strided g, Buffer delta) {
        launch.buffer(g)
                .buffer(attention.q())
                .buffer(attention.k())
                .buffer(attention.v())
                .buffer(attention.top())
                .buffer(attention.share())
                .buffer(delta);
        return masks(launch, attention);
    }

    private static Launch masks(Launch launch, Attending attention) {
        Dropout dropout = attention.dropout();
        return launch.buffer(attention.allowed() == null ? attention.q() : attention.allowed())
                .buffer(attention.bias() == null ? attention.q() : attention.bias())
                .buffer(dropout == null || dropout.drawn() == null ? attention.q() : dropout.drawn());
    }

    private void run(
            Kernel kernel,
            Launch launch,
            Attending attention,
            Strided g,
            Strided out,
            long delta,
            Strided dq,
            Strided dk,
            Strided dv) {
        Strided q = attention.q();
        Strided k = attention.k();
        Strided v = attention.v();
        long pairs = q.sizes()[0] * q.sizes()[1];
        long queries = q.sizes()[2];
        long keys = k.sizes()[2];
        Dropout dropout = attention.dropout();
        boolean drawn = dropout != null && dropout.drawn() != null;
        launch.value(pairs)
                .value(q.sizes()[1])
                .value(queries)
                .value(keys)
                .value(q.sizes()[3])
                .value(v.sizes()[3])
                .value(Types.bits(DType.F32, attention.scale()))
                .value(attention.causal() ? 1 : 0)
                .value(attention.allowed() == null ? 0 : 1)
                .value(attention.bias() == null ? 0 : 1)
                .value(dropout == null ? 0 : 1)
                .value(drawn ? 1 : 0)
                .value(dropout == null ? 0 : Numbers.bound(1 - dropout.p()))
                .value(dropout == null ? 0 : Types.bits(DType.F32, dropout.rest()))
                .value(dropout == null ? 0 : dropout.seed())
                .value(dropout == null ? 0 : dropout.counter())
                .offset(out)
                .offset(q)
                .offset(k)
                .offset(v);
        launch.offsetOrZero(g)
                .offset(attention.top())
                .offset(attention.share())
                .value(delta)
                .offsetOrZero(attention.allowed())
                .offsetOrZero(attention.bias())
                .offsetOrZero(drawn ? dropout.drawn() : null)
                .offsetOrZero(dq)
                .offsetOrZero(dk)
                .offsetOrZero(dv);
        strides(launch, q, 3);
        strides(launch, k, 3);
        strides(launch, v, 3);
        strides(launch, g, 3);
        strides(launch, attention.allowed(), 4);
        strides(launch, attention.bias(), 4);
        if (kernel == Kernel.DELTA) {
            launch.run(runtime, kernel(kernel, 0, q.dtype()), blocks(pairs * queries, BLOCK / 32));
            return;
        }
        int head = head(q.sizes()[3], v.sizes()[3]);
        launch.shared(shared(kernel, form(kernel, head, q.dtype()), attention.bias() != null))
                .run(
                        runtime,
                        kernel(kernel, head, q.dtype()),
                        pairs * blocks(kernel == Kernel.KEYS_GRAD ? keys : queries, ROWS));
    }

    private static long blocks(long rows, int each) {
        return (rows + each - 1) / each;
    }

    private static void strides(Launch launch, Strided operand, int count) {
        for (int axis = 0; axis < count; axis++) {
            launch.value(operand == null ? 0 : operand.strides()[axis]);
        }
    }
}
