package org.tenon.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tenon.bench.PeerServer.Function;
import org.tenon.bench.PeerServer.Library;
import org.tenon.bench.PeerServer.Op;

/** What a benchmark asks of a library in another process arrives there, and the answers come back. */
@Timeout(20)
class PeerProtocolTest {
    /** More than a block of what is sent at once. */
    private static final int LONG = 50_000;

    /** Sums, and keeps what it was told. */
    private static final class Recorder implements Library<float[]> {
        final List<String> told = new ArrayList<>();
        int open;

        @Override
        public String version() {
            return "recorder 1";
        }

        @Override
        public float[] matrix(long rows, long columns, float[] values) {
            open++;
            told.add(rows + " by " + columns);
            return values;
        }

        @Override
        public float[] transposed(float[] matrix) {
            open++;
            told.add("transposed");
            return matrix.clone();
        }

        @Override
        public Function<float[]> function(Op op, int axis) {
            told.add(op + " " + axis);
            if (op == Op.MAX) {
                throw new UnsupportedOperationException("no maximum");
            }
            return (x, y) -> {
                open++;
                float[] sum = x.clone();
                for (int i = 0; y != null && i < sum.length; i++) {
                    sum[i] += y[i];
                }
                return sum;
            };
        }

        @Override
        public float[] values(float[] array) {
            return array;
        }

        @Override
        public void call(Function<float[]> function, float[] x, float[] y) {
            told.add("call with " + x[0] + " and " + y[0]);
        }

        @Override
        public void free(float[] array) {
            open--;
        }
    }

    private final Recorder library = new Recorder();

    /** What it does with the other side of a server that serves until it is closed. */
    private void served(java.util.function.Consumer<PeerProcess> asks) throws IOException, InterruptedException {
        PipedOutputStream requests = new PipedOutputStream();
        PipedInputStream answers = new PipedInputStream();
        PipedInputStream in = new PipedInputStream(requests);
        PipedOutputStream out = new PipedOutputStream(answers);
        Thread server = Thread.ofPlatform().start(() -> {
            try {
                PeerServer.serve(library, in, out);
            } catch (IOException e) {
                library.told.add(e.toString());
            }
        });
        try (PeerProcess peer = new PeerProcess("recorder", null, requests, answers)) {
            asks.accept(peer);
        }
        server.join();
    }

    @Test
    void operandsArriveAndResultsReturn() throws IOException, InterruptedException {
        float[] x = new float[LONG];
        float[] y = new float[LONG];
        float[] sum = new float[LONG];
        for (int i = 0; i < LONG; i++) {
            x[i] = i - 0.25f;
            y[i] = 3 * i;
            sum[i] = x[i] + y[i];
        }
        x[1] = Float.NEGATIVE_INFINITY;
        sum[1] = Float.NEGATIVE_INFINITY;
        served(peer -> {
            assertThat(peer.version()).isEqualTo("recorder 1");
            peer.matrix(0, 5, LONG / 5, false, x);
            peer.matrix(1, LONG / 5, 5, true, y);
            peer.op(Op.ADD, -1);
            assertThat(peer.result()).isEqualTo(sum);
            assertThat(library.open).isEqualTo(3);
            peer.end();
        });
        assertThat(library.told).containsExactly("5 by 10000", "10000 by 5", "transposed", "ADD -1");
        assertThat(library.open).isZero();
    }

    @Test
    void callsTakeOperandsInTurn() throws IOException, InterruptedException {
        served(peer -> {
            peer.matrix(0, 1, 1, false, new float[] {1});
            peer.matrix(0, 1, 1, false, new float[] {2});
            peer.matrix(1, 1, 1, false, new float[] {7});
            peer.op(Op.ADD, -1);
            library.told.clear();
            assertThat(peer.nanos(1, 3)).isPositive();
            // Numbers of calls wrap around.
            peer.nanos(Integer.MAX_VALUE, 2);
        });
        assertThat(library.told)
                .containsExactly(
                        "call with 2.0 and 7.0",
                        "call with 1.0 and 7.0",
                        "call with 2.0 and 7.0",
                        "call with 2.0 and 7.0",
                        "call with 1.0 and 7.0");
    }

    @Test
    void aFailureIsToldAndTheNextRequestAnswered() throws IOException, InterruptedException {
        served(peer -> {
            assertThatThrownBy(() -> peer.op(Op.MAX, 1))
                    .hasMessageContaining("recorder: ")
                    .hasMessageContaining("no maximum");
            assertThat(peer.version()).isEqualTo("recorder 1");
        });
    }
}
