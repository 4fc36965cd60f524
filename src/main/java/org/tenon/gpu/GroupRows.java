package org.tenon.gpu;

import org.tenon.DType;

/**
 * How groups without warps do a row of neighbours: how many threads it has, what they keep of it in registers, and whether they go
 * on in turns of which some stay in local memory. It follows from the length of a row, the element types and the device alone.
 *
 * @param across the threads of a row, a power of two
 * @param keep the elements of a thread in registers
 * @param turns whether it has more than these
 */
record GroupRows(int across, int keep, boolean turns) {
    /** What a thread may keep, but for numbers that take too many registers for the most. */
    private static final int[] KEEPS = {8, 16, 32};
    /** The kernels of a pair of types: one for each of these, and one for rows with more turns. */
    static final int SHAPES = KEEPS.length + 1;
    /** The most registers for what a thread keeps. */
    private static final int REGISTERS = 64;

    private static final int SLOT_BYTES = 16;
    /** The most slots that a thread has in local memory. */
    private static final long MOST_SLOTS = 8;
    /** What the kernels need of local memory for other things. */
    private static final long OWN = 4 << 10;

    /**
     * For a row.
     *
     * @param operands the tensors that are kept
     * @param most the threads of a group
     */
    static GroupRows of(long length, DType in, DType out, int operands, int most) {
        int chunk = SoftmaxForm.chunk(in, out);
        int across = Math.clamp(Launch.powerAbove((length + KEEPS[0] - 1) / KEEPS[0]), 1, most);
        long each = ((length + chunk - 1) / chunk + across - 1) / across * chunk;
        int keep = mostKept(in, out, operands);
        return each > keep
                ? new GroupRows(across, keep, true)
                : new GroupRows(across, (int) Math.max(KEEPS[0], Launch.powerAbove(each)), false);
    }

    private static int mostKept(DType in, DType out, int operands) {
        int registers = operands * (in == DType.F64 || out == DType.F64 ? 2 : 1);
        return Math.min(KEEPS[SHAPES - 2], REGISTERS / registers);
    }

    /** The number of this shape among the kernels of its types. */
    int shape() {
        return turns ? SHAPES - 1 : Integer.numberOfTrailingZeros(keep / KEEPS[0]);
    }

    /** Whether kernels of these types have a shape. */
    static boolean exists(int shape, DType in, DType out, int operands) {
        return shape == SHAPES - 1 || KEEPS[shape] <= mostKept(in, out, operands);
    }

    /** The options of a shape: half of local memory, so that two groups have room, is for the turns that stay there. */
    static String options(int shape, DType in, DType out, int operands, int most, long localBytes) {
        boolean turns = shape == SHAPES - 1;
        long slots = Math.clamp((localBytes / 2 - OWN) / ((long) SLOT_BYTES * most), 0, MOST_SLOTS);
        int chunkSlots = SoftmaxForm.chunk(in, out) * in.bytes() / SLOT_BYTES;
        return " -DKEEP=" + (turns ? mostKept(in, out, operands) : KEEPS[shape])
                + (turns ? " -DHOLD=" + slots / operands / chunkSlots : "") + backward(operands - 1) + " -DBLOCK="
                + most;
    }

    /** The option that leaves out the kernel which is not asked for: a build takes half the time. */
    static String backward(int backward) {
        return " -DBACKWARD=" + backward;
    }

    /** The groups of a launch over so many rows. */
    long groups(long rows, int most) {
        long together = most / across;
        return (rows + together - 1) / together;
    }
}
