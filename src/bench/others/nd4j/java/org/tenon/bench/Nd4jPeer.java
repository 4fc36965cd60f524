package org.tenon.bench;

import java.io.IOException;
import java.nio.file.Path;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.memory.enums.LearningPolicy;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.custom.LogSoftMax;
import org.nd4j.linalg.api.ops.impl.transforms.custom.SoftMax;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.tenon.bench.PeerServer.Function;
import org.tenon.bench.PeerServer.Library;
import org.tenon.bench.PeerServer.Op;

/**
 * ND4J on the CPU. Results are made in a workspace, which keeps its memory from call to call: one that is closed instead costs up to
 * fifty times as much where it is large.
 */
final class Nd4jPeer implements Library<INDArray> {
    private static final WorkspaceConfiguration WORKSPACE = WorkspaceConfiguration.builder()
            .policyLearning(LearningPolicy.FIRST_LOOP)
            .build();

    /** A workspace is as large as what was first made in it, so each op has one of its own. */
    private int ops;

    private String workspace;

    private Nd4jPeer() {}

    /** Serves who started it. */
    public static void main(String[] arguments) throws IOException {
        PeerServer.serve(new Nd4jPeer());
    }

    @Override
    public String version() {
        // The jar has no other trace of it.
        String jar =
                Nd4j.class.getProtectionDomain().getCodeSource().getLocation().getPath();
        return Path.of(jar).getFileName().toString().replace(".jar", "");
    }

    @Override
    public INDArray matrix(long rows, long columns, float[] values) {
        return Nd4j.createFromArray(values).reshape(rows, columns);
    }

    @Override
    public INDArray transposed(INDArray matrix) {
        return matrix.transpose();
    }

    @Override
    public Function<INDArray> function(Op op, int axis) {
        Nd4j.getWorkspaceManager().destroyAllWorkspacesForCurrentThread();
        workspace = "op " + ops++;
        return switch (op) {
            case LOG_SOFTMAX -> (x, y) -> Nd4j.exec(new LogSoftMax(x))[0];
            case SOFTMAX -> (x, y) -> Nd4j.exec(new SoftMax(x))[0];
            case EXP -> (x, y) -> Transforms.exp(x);
            case SUM -> axis < 0 ? (x, y) -> x.sum() : (x, y) -> x.sum(axis);
            case MAX -> (x, y) -> x.max(axis);
            case ADD -> (x, y) -> x.add(y);
            case MATMUL -> (x, y) -> x.mmul(y);
        };
    }

    @Override
    public float[] values(INDArray array) {
        return array.dup('c').data().asFloat();
    }

    @Override
    public void call(Function<INDArray> function, INDArray x, INDArray y) {
        try (MemoryWorkspace _ = Nd4j.getWorkspaceManager().getAndActivateWorkspace(WORKSPACE, workspace)) {
            function.apply(x, y);
        }
    }

    @Override
    public void free(INDArray array) {
        if (array.closeable()) {
            array.close();
        }
    }
}
