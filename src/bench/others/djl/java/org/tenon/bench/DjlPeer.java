package org.tenon.bench;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import org.tenon.bench.PeerServer.Function;
import org.tenon.bench.PeerServer.Library;
import org.tenon.bench.PeerServer.Op;

/** DJL on the CPU with its engine PyTorch, which it takes out of a jar. Results are closed at once. */
final class DjlPeer implements Library<NDArray> {
    private final Engine engine = Engine.getEngine("PyTorch");
    private final NDManager manager = engine.newBaseManager(Device.cpu());

    private DjlPeer() {}

    /** Serves who started it; the argument is a folder for what comes out of the jar. */
    public static void main(String[] arguments) throws IOException {
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("DJL_CACHE_DIR", arguments[0]);
        PeerServer.serve(new DjlPeer());
    }

    @Override
    public String version() {
        return "DJL " + Engine.getDjlVersion() + " with PyTorch " + engine.getVersion();
    }

    @Override
    public NDArray matrix(long rows, long columns, float[] values) {
        return manager.create(values, new Shape(rows, columns));
    }

    @Override
    public NDArray transposed(NDArray matrix) {
        return matrix.transpose();
    }

    @Override
    public Function<NDArray> function(Op op, int axis) {
        int[] axes = {axis};
        return switch (op) {
            case LOG_SOFTMAX -> (x, y) -> x.logSoftmax(-1);
            case SOFTMAX -> (x, y) -> x.softmax(-1);
            case EXP -> (x, y) -> x.exp();
            case SUM -> axis < 0 ? (x, y) -> x.sum() : (x, y) -> x.sum(axes);
            case MAX -> (x, y) -> x.max(axes);
            case ADD -> (x, y) -> x.add(y);
            case MATMUL -> (x, y) -> x.matMul(y);
        };
    }

    @Override
    public float[] values(NDArray array) {
        try (NDArray floats = array.toType(DataType.FLOAT32, true)) {
            return floats.toFloatArray();
        }
    }

    @Override
    public void call(Function<NDArray> function, NDArray x, NDArray y) {
        function.apply(x, y).close();
    }

    @Override
    public void free(NDArray array) {
        array.close();
    }
}
