package org.tenon.metrics;

import java.io.IOException;
import java.util.List;

/**
 * Where a training's numbers go. Names have groups as TensorBoard has them: {@code loss/train} and {@code loss/validation}
 * are shown together. PyTorch: {@code SummaryWriter}. Outputs may be called from several threads.
 *
 * <pre>{@code
 * try (Metrics metrics = Metrics.all(
 *         ConsoleMetrics.to(System.out), TensorBoard.in(Path.of("runs/1")), HtmlReport.at(Path.of("report.html"), "GPT"))) {
 *     metrics.scalar(step, "loss/train", loss.item());
 *     metrics.scalar(step, "tokens per second", tokens / seconds);
 * }
 * }</pre>
 */
public interface Metrics extends AutoCloseable {
    /** A number at a step. It may be NaN or infinite: a training that diverges should be seen. */
    void scalar(long step, String name, double value);

    /** A text at a step: settings, a sample. */
    void text(long step, String name, String value);

    /** Makes what was told so far visible to readers. */
    void flush() throws IOException;

    /** Flushes, and lets go of files. */
    @Override
    void close() throws IOException;

    /** To each of these. */
    static Metrics all(Metrics... outputs) {
        return new Fan(List.of(outputs));
    }
}
