package org.tenon.cpu;

import org.tenon.spi.SoftmaxKind;
import org.tenon.spi.Strided;

/** Any element types, by way of arrays. */
record ChunkSoftmaxGrad(SoftmaxKind kind, Strided g, Strided y, Strided dx, boolean wide) implements SoftmaxGradSteps {
    @Override
    public double sum(long start, int n) {
        Chunk a = Chunk.of(wide);
        Chunk b = Chunk.of(wide);
        Reader gradients = new Reader(g, start);
        Reader results = new Reader(y, start);
        double sum = 0;
        for (int done = 0; done < n; done += Reader.CHUNK) {
            int length = Math.min(Reader.CHUNK, n - done);
            a.read(gradients, length);
            if (kind == SoftmaxKind.LOG_SOFTMAX) {
                sum += a.sum(0, length);
            } else {
                b.read(results, length);
                sum += a.dot(b, 0, length);
            }
        }
        return sum;
    }

    @Override
    public void write(long start, int n, double sum) {
        Chunk a = Chunk.of(wide);
        Chunk b = Chunk.of(wide);
        Reader gradients = new Reader(g, start);
        Reader results = new Reader(y, start);
        Writer writer = new Writer(dx, start);
        for (int done = 0; done < n; done += Reader.CHUNK) {
            int length = Math.min(Reader.CHUNK, n - done);
            a.read(gradients, length);
            b.read(results, length);
            if (kind == SoftmaxKind.LOG_SOFTMAX) {
                b.exp(length);
                a.subtractProduct(b, 0, length, sum);
            } else {
                a.differenceTimes(b, 0, length, sum);
            }
            a.write(writer, length);
        }
    }
}
