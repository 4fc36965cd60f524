package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import org.tenon.spi.SoftmaxKind;

/**
 * Softmax of rows one after another, three things at a time: while one piece of a row is added up, the maximum of the next piece is
 * sought, and the piece a row before is written. So the processor computes while memory is read and written. A piece is
 * added up under its own maximum, and the sums of a row's pieces are brought to the row's maximum at its end (Milakov and Gimelshein 2018,
 * "Online normalizer calculation for softmax"), so a row is read from memory once for both. What is computed for a row depends
 * on its length alone.
 */
final class SoftmaxStream {
    private static final int PIECE = MemorySoftmax.PIECE;

    /** So many elements may wait to be written. */
    private static final int WAITING = 4096;

    /** For as many logarithms a vector is worth its while. */
    private static final int MANY = 8;

    private final SoftmaxKind kind;
    private final FloatRows steps;
    private final MemorySegment x;
    private final MemorySegment out;
    private final int length;
    /** Pieces of a row. */
    private final int pieces;
    /** Rows that are ended together; a row is written when so many more have been added up. */
    private final int batch;

    /** For each piece of the last three batches its maximum, once the row has ended what is subtracted from it. */
    private final float[] tops;
    /** Its sum, once the row has ended the logarithm of the row's sum, or for softmax the piece's factor. */
    private final float[] sums;

    private final float[] found = new float[2];

    SoftmaxStream(SoftmaxKind kind, FloatRows steps, MemorySegment x, MemorySegment out, int length) {
        this.kind = kind;
        this.steps = steps;
        this.x = x;
        this.out = out;
        this.length = length;
        pieces = pieces(length, steps.least());
        batch = Math.clamp(WAITING / length, 1, steps.least());
        tops = new float[3 * batch * pieces];
        sums = new float[3 * batch * pieces];
    }

    /** A row has so many pieces of {@link #PIECE} elements; the last takes what is too short for a piece of its own. */
    private static int pieces(int length, int least) {
        return 1 + (length - least) / PIECE;
    }

    private int length(int piece) {
        return piece < pieces - 1 ? PIECE : length - piece * PIECE;
    }

    /** Rows {@code from} to {@code to}. */
    void run(long from, long to) {
        int third = batch * pieces;
        int now = 0;
        tops[0] = steps.max(x, from * length, length(0));
        for (long row = from; row < to; row += batch) {
            int rows = (int) Math.min(batch, to - row);
            int before = now == 0 ? 2 * third : now - third;
            int after = now == 2 * third ? 0 : now + third;
            for (int i = 0; i < rows; i++) {
                int late = row == from ? -1 : before + i * pieces;
                int next = i < batch - 1 ? now + (i + 1) * pieces : after;
                row((row + i) * length, now + i * pieces, late, next, row + i == to - 1);
            }
            end(now, now + rows * pieces);
            now = after;
        }
        for (long row = Math.max(from, to - batch); row < to; row++) {
            int slot = (int) ((row - from) % (3 * batch)) * pieces;
            for (int piece = 0; piece < pieces; piece++) {
                write(row * length + (long) piece * PIECE, length(piece), slot + piece);
            }
        }
    }

    /** Adds up a row; the pieces of the row a batch before are written meanwhile, unless {@code late} is negative. */
    private void row(long at, int slot, int late, int next, boolean last) {
        for (int piece = 0; piece < pieces; piece++) {
            boolean ends = piece == pieces - 1;
            step(
                    at + (long) piece * PIECE,
                    length(piece),
                    slot + piece,
                    late < 0 ? -1 : late + piece,
                    ends ? next : slot + piece + 1,
                    !ends ? length(piece + 1) : last ? 0 : length(0));
        }
    }

    private void step(long at, int n, int slot, int late, int next, int nextLength) {
        float shift = MemorySoftmax.shift(tops[slot]);
        long lateAt = at - (long) batch * length;
        if (late >= 0 && n == nextLength) {
            if (kind == SoftmaxKind.LOG_SOFTMAX) {
                steps.logSoftmaxStep(x, out, at, lateAt, at + n, n, shift, tops[late], sums[late], found);
            } else {
                steps.softmaxStep(x, out, at, lateAt, at + n, n, shift, sums[late], found);
            }
            sums[slot] = found[0];
            tops[next] = found[1];
            return;
        }
        sums[slot] = kind == SoftmaxKind.LOG_SOFTMAX ? steps.sumExp(x, at, n, shift) : steps.exp(x, out, at, n, shift);
        if (nextLength > 0) {
            tops[next] = steps.max(x, at + n, nextLength);
        }
        if (late >= 0) {
            write(lateAt, n, late);
        }
    }

    private void write(long at, int n, int slot) {
        if (kind == SoftmaxKind.LOG_SOFTMAX) {
            steps.shift(x, out, at, n, tops[slot], sums[slot]);
        } else {
            steps.scale(out, at, n, sums[slot]);
        }
    }

    /** The rows of one batch, whose slots are these: their sums are known. */
    private void end(int begin, int end) {
        if (pieces > 1) {
            for (int slot = begin; slot < end; slot += pieces) {
                join(slot);
            }
        } else if (kind == SoftmaxKind.SOFTMAX) {
            for (int slot = begin; slot < end; slot++) {
                sums[slot] = 1 / sums[slot];
            }
        } else if (batch >= MANY) {
            steps.log(sums, begin, end);
        } else {
            for (int slot = begin; slot < end; slot++) {
                sums[slot] = (float) Math.log(sums[slot]);
            }
        }
    }

    private void join(int slot) {
        double top = Double.NEGATIVE_INFINITY;
        for (int i = slot; i < slot + pieces; i++) {
            top = Math.max(top, tops[i]);
        }
        top = MemorySoftmax.shift(top);
        double total = 0;
        for (int i = slot; i < slot + pieces; i++) {
            total += sums[i] * Math.exp(tops[i] - top);
        }
        for (int i = slot; i < slot + pieces; i++) {
            sums[i] = (float) (kind == SoftmaxKind.LOG_SOFTMAX ? Math.log(total) : Math.exp(tops[i] - top) / total);
            tops[i] = (float) top;
        }
    }
}
