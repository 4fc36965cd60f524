package org.tenon.metrics;

import java.io.IOException;
import java.util.List;

/** Several outputs as one. One that fails does not keep the others from being flushed and closed. */
record Fan(List<Metrics> outputs) implements Metrics {
    @FunctionalInterface
    private interface Action {
        void on(Metrics output) throws IOException;
    }

    @Override
    public void scalar(long step, String name, double value) {
        outputs.forEach(output -> output.scalar(step, name, value));
    }

    @Override
    public void text(long step, String name, String value) {
        outputs.forEach(output -> output.text(step, name, value));
    }

    @Override
    public void flush() throws IOException {
        each(Metrics::flush);
    }

    @Override
    public void close() throws IOException {
        each(Metrics::close);
    }

    private void each(Action action) throws IOException {
        IOException failure = null;
        for (Metrics output : outputs) {
            try {
                action.on(output);
            } catch (IOException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
