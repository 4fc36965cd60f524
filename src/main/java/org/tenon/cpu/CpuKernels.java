package org.tenon.cpu;

import org.tenon.spi.AttentionKernels;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.ClassLoss;
import org.tenon.spi.CustomKernel;
import org.tenon.spi.Dropout;
import org.tenon.spi.ElementLoss;
import org.tenon.spi.Epilogue;
import org.tenon.spi.Extreme;
import org.tenon.spi.IndexCheck;
import org.tenon.spi.Kernels;
import org.tenon.spi.Norm;
import org.tenon.spi.Order;
import org.tenon.spi.RandomOp;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.Rows;
import org.tenon.spi.SoftmaxKind;
import org.tenon.spi.Strided;
import org.tenon.spi.UnaryOp;
import org.tenon.spi.UpdateStep;

/** The CPU's kernels: which class has which. */
final class CpuKernels implements Kernels {
    @Override
    public void fill(Strided out, double value) {
        Copies.fill(out, value);
    }

    @Override
    public void arange(Strided out, double start, double step) {
        Copies.arange(out, start, step);
    }

    @Override
    public void copy(Strided in, Strided out) {
        Copies.copy(in, out);
    }

    @Override
    public void unary(UnaryOp op, Strided in, double p0, double p1, Strided out) {
        Elementwise.unary(op, in, p0, p1, out);
    }

    @Override
    public void binary(BinaryOp op, Strided a, Strided b, Strided out) {
        Elementwise.binary(op, a, b, out);
    }

    @Override
    public void where(Strided condition, Strided a, Strided b, Strided out) {
        Elementwise.where(condition, a, b, out);
    }

    @Override
    public void reduce(ReduceOp op, Strided in, int kept, Strided out) {
        Reductions.reduce(op, in, kept, out);
    }

    @Override
    public void softmax(SoftmaxKind kind, Strided in, Rows rows, Strided out) {
        CpuSoftmax.softmax(kind, in, rows, out);
    }

    @Override
    public void softmaxGrad(SoftmaxKind kind, Strided g, Strided y, Rows rows, Strided dx) {
        CpuSoftmax.softmaxGrad(kind, g, y, rows, dx);
    }

    @Override
    public void norm(Norm norm, Strided x, Strided out) {
        CpuNorm.norm(norm, x, out);
    }

    @Override
    public void normGrad(Norm norm, Strided g, Strided x, Strided dx, Strided dweight, Strided dbias) {
        CpuNorm.normGrad(norm, g, x, dx, dweight, dbias);
    }

    @Override
    public AttentionKernels attention() {
        return null;
    }

    @Override
    public void nll(ClassLoss loss, Strided logp, Strided out) {
        Nll.forward(loss, logp, out);
    }

    @Override
    public void nllGrad(ClassLoss loss, Strided g, Strided dx) {
        Nll.backward(loss, g, dx);
    }

    @Override
    public void elementLoss(ElementLoss loss, Strided x, Strided out) {
        ElementLosses.loss(loss, x, out);
    }

    @Override
    public void elementLossGrad(ElementLoss loss, Strided g, Strided x, Strided dx, Strided dtarget) {
        ElementLosses.grad(loss, g, x, dx, dtarget);
    }

    @Override
    public void crossEntropy(ClassLoss loss, Strided x, Strided known, Strided out) {
        CrossEntropy.forward(loss, x, known, out);
    }

    @Override
    public void crossEntropyGrad(ClassLoss loss, Strided g, Strided x, Strided known, Strided dx) {
        CrossEntropy.backward(loss, g, x, known, dx);
    }

    @Override
    public void gather(Strided in, int dim, Strided index, IndexCheck check, Strided out) {
        Indexing.gather(in, dim, index, check, out);
    }

    @Override
    public void scatterAdd(Strided src, int dim, Strided index, IndexCheck check, Strided out) {
        Indexing.scatterAdd(src, dim, index, check, out);
    }

    @Override
    public void indexSelect(Strided in, Rows rows, Strided index, IndexCheck check, Strided out) {
        Indexing.indexSelect(in, rows, index, check, out);
    }

    @Override
    public void indexAdd(Strided src, Rows rows, Strided index, IndexCheck check, Strided out) {
        Indexing.indexAdd(src, rows, index, check, out);
    }

    @Override
    public void matmul(Strided x, Strided y, Strided out) {
        CpuMatMul.matmul(x, y, out);
    }

    @Override
    public void cumsum(Strided in, Rows rows, Order order, Strided out) {
        Scans.cumsum(in, rows, order, out);
    }

    @Override
    public void topk(Strided in, Rows rows, long k, Extreme extreme, Strided values, Strided indices) {
        Selection.topk(in, rows, k, extreme, values, indices);
    }

    @Override
    public void random(RandomOp op, long seed, long offset, double p0, double p1, Strided out) {
        Randoms.random(op, seed, offset, p0, p1, out);
    }

    @Override
    public void dropout(Dropout dropout, Strided in, Strided out) {
        Randoms.dropout(dropout, in, out);
    }

    @Override
    public void epilogue(Epilogue epilogue, Strided x, Strided out) {
        Epilogues.epilogue(epilogue, x, out);
    }

    @Override
    public void epilogueGrad(Epilogue epilogue, Strided g, Strided x, Strided dx) {
        Epilogues.epilogueGrad(epilogue, g, x, dx);
    }

    @Override
    public void update(UpdateStep step, Strided[][] rows) {
        Updates.update(step, rows);
    }

    @Override
    public void custom(CustomKernel kernel, Strided out, Strided[] inputs, double[] parameters, long items) {
        CpuCustom.run(kernel, out, inputs, parameters, items);
    }
}
