package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Allocator;
import org.tenon.spi.RandomOp;
import org.tenon.spi.Recording;
import org.tenon.spi.Reserve;
import org.tenon.spi.Strided;
import org.tenon.spi.UpdateStep;

/** A runtime's graph with what belongs to it: memory, index checks, numbers that move from run to run. */
final class GpuRecording implements Recording {
    private static final int DRAW_LONGS = 2;

    private final GpuRuntime runtime;
    private final Allocator allocator;
    private final IndexFlag flag;
    private final GpuKernels kernels;
    private final GpuRuntime.Graph graph;
    private final MovingNumbers moving;
    private Reserve reserve;
    private IndexFlag.Recorded checks;

    GpuRecording(GpuRuntime runtime, Allocator allocator, IndexFlag flag, GpuKernels kernels, GpuRuntime.Graph graph) {
        this.runtime = runtime;
        this.allocator = allocator;
        this.flag = flag;
        this.kernels = kernels;
        this.graph = graph;
        moving = new MovingNumbers(runtime.name(), allocator);
    }

    @Override
    public void prepare(RandomOp op, DType dtype) {
        kernels.numbers().prepare(op, dtype);
        moving.expect(DRAW_LONGS);
    }

    @Override
    public void prepareDraw(DType dtype) {
        prepare(RandomOp.BERNOULLI, dtype);
        kernels.prepareCopy(DType.I64);
    }

    @Override
    public void prepare(UpdateStep step, Strided[] row) {
        kernels.updates().prepare(step, row);
        moving.expect(RuleNumbers.COUNT);
    }

    /** The flag's lock comes before the queue's, as in launches that check; both are held to the end. */
    @Override
    public void record(Runnable body) {
        try {
            moving.open();
            synchronized (flag) {
                checks = flag.record();
                try {
                    graph.record(() -> {
                        reserve = allocator.record();
                        try {
                            body.run();
                        } finally {
                            reserve.stop();
                        }
                    });
                } finally {
                    flag.recorded();
                }
            }
            reserve.freeLate();
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    @Override
    public Draw random(RandomOp op, double p0, double p1, Strided out) {
        MovingNumbers.Place place = moving.take(DRAW_LONGS);
        kernels.numbers().random(op, place.strided(DRAW_LONGS), p0, p1, out);
        return from(place);
    }

    @Override
    public Draw draw(Strided out) {
        MovingNumbers.Place place = moving.take(DRAW_LONGS);
        kernels.copy(place.strided(DRAW_LONGS), out);
        return from(place);
    }

    private static Draw from(MovingNumbers.Place place) {
        return (seed, counter) -> place.begin().value(seed).value(counter);
    }

    @Override
    public Change update(UpdateStep step, Strided[][] rows) {
        MovingNumbers.Place place = moving.take(RuleNumbers.COUNT);
        kernels.updates().update(step, place, rows);
        Strided[] row = rows[0];
        return rule -> RuleNumbers.write(rule, row, place.begin());
    }

    @Override
    public void run() {
        moving.send(runtime);
        flag.launch(checks, graph);
    }

    @Override
    public void close() {
        graph.close();
        moving.close();
        if (checks != null) {
            flag.forget(checks);
            checks = null;
        }
        if (reserve != null) {
            reserve.freeLate();
            reserve.close();
            reserve = null;
        }
    }
}
