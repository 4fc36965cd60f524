package org.tenon.cpu;

import org.tenon.spi.SoftmaxKind;
import org.tenon.spi.Strided;

/** Any element types, by way of arrays. */
record ChunkSoftmax(SoftmaxKind kind, Strided in, Strided out, boolean wide) implements SoftmaxSteps {
    @Override
    public double max(long start, int n) {
        Chunk x = Chunk.of(wide);
        Reader reader = new Reader(in, start);
        double max = Double.NEGATIVE_INFINITY;
        for (int done = 0; done < n; done += Reader.CHUNK) {
            int length = Math.min(Reader.CHUNK, n - done);
            x.read(reader, length);
            max = Math.max(max, x.max(0, length));
        }
        return max;
    }

    @Override
    public double sum(long start, int n, double max) {
        Chunk x = Chunk.of(wide);
        Reader reader = new Reader(in, start);
        double sum = 0;
        for (int done = 0; done < n; done += Reader.CHUNK) {
            int length = Math.min(Reader.CHUNK, n - done);
            x.read(reader, length);
            x.subtract(0, length, max);
            x.exp(length);
            sum += x.sum(0, length);
        }
        return sum;
    }

    @Override
    public void write(long start, int n, double max, double sum) {
        Chunk x = Chunk.of(wide);
        Reader reader = new Reader(in, start);
        Writer writer = new Writer(out, start);
        for (int done = 0; done < n; done += Reader.CHUNK) {
            int length = Math.min(Reader.CHUNK, n - done);
            x.read(reader, length);
            x.subtract(0, length, max);
            if (kind == SoftmaxKind.LOG_SOFTMAX) {
                x.subtract(0, length, x.log(sum));
            } else {
                x.exp(length);
                x.divide(0, length, sum);
            }
            x.write(writer, length);
        }
    }
}
