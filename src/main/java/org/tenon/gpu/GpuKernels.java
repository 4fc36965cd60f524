package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Allocator;
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

/** The kernels of GPUs: which class launches which. */
final class GpuKernels implements Kernels {
    private final Elementwise elementwise;
    private final Reductions reductions;
    private final SoftmaxKernels softmax;
    private final Norms norms;
    private final WarpAttention attention;
    private final Losses losses;
    private final ElementLosses elementLosses;
    private final Indexing indexing;
    private final Products products;
    private final ProductLibrary library;
    private final Numbers numbers;
    private final Epilogues epilogues;
    private final Updates updates;
    private final CustomLaunches customs;

    GpuKernels(GpuRuntime runtime, Allocator allocator, IndexFlag flag) {
        elementwise = new Elementwise(runtime);
        reductions = new Reductions(runtime, allocator, elementwise);
        softmax = SoftmaxKernels.of(runtime);
        norms = new Norms(runtime, allocator);
        losses = new Losses(runtime, allocator, flag, softmax);
        elementLosses = new ElementLosses(runtime, reductions);
        indexing = new Indexing(runtime, flag);
        products = new Products(runtime);
        library = runtime.products();
        numbers = new Numbers(runtime);
        epilogues = new Epilogues(runtime);
        updates = new Updates(runtime);
        customs = new CustomLaunches(runtime);
        attention = runtime.traits().warps() == null ? null : new WarpAttention(runtime, allocator);
    }

    Numbers numbers() {
        return numbers;
    }

    Updates updates() {
        return updates;
    }

    /** Builds the kernel that copies neighbours of this type. */
    void prepareCopy(DType dtype) {
        elementwise.prepareCopy(dtype);
    }

    /** Builds every kernel that a launch may ask for. */
    void buildAll() {
        elementwise.buildAll();
        reductions.buildAll();
        softmax.buildAll();
        norms.buildAll();
        if (attention != null) {
            attention.buildAll();
        }
        losses.buildAll();
        elementLosses.buildAll();
        indexing.buildAll();
        products.buildAll();
        numbers.buildAll();
        epilogues.buildAll();
        updates.buildAll();
    }

    @Override
    public void fill(Strided out, double value) {
        elementwise.fill(out, value);
    }

    @Override
    public void arange(Strided out, double start, double step) {
        elementwise.arange(out, start, step);
    }

    @Override
    public void copy(Strided in, Strided out) {
        elementwise.copy(in, out);
    }

    @Override
    public void unary(UnaryOp op, Strided in, double p0, double p1, Strided out) {
        elementwise.unary(op, in, p0, p1, out);
    }

    @Override
    public void binary(BinaryOp op, Strided a, Strided b, Strided out) {
        elementwise.binary(op, a, b, out);
    }

    @Override
    public void where(Strided condition, Strided a, Strided b, Strided out) {
        elementwise.where(condition, a, b, out);
    }

    @Override
    public void reduce(ReduceOp op, Strided in, int kept, Strided out) {
        reductions.reduce(op, in, kept, out);
    }

    @Override
    public void softmax(SoftmaxKind kind, Strided in, Rows rows, Strided out) {
        softmax.softmax(kind, in, rows, out);
    }

    @Override
    public void softmaxGrad(SoftmaxKind kind, Strided g, Strided y, Rows rows, Strided dx) {
        softmax.softmaxGrad(kind, g, y, rows, dx);
    }

    @Override
    public void norm(Norm norm, Strided x, Strided out) {
        norms.norm(norm, x, out);
    }

    @Override
    public void normGrad(Norm norm, Strided g, Strided x, Strided dx, Strided dweight, Strided dbias) {
        norms.normGrad(norm, g, x, dx, dweight, dbias);
    }

    @Override
    public AttentionKernels attention() {
        return attention;
    }

    @Override
    public void nll(ClassLoss loss, Strided logp, Strided out) {
        losses.nll(loss, logp, out);
    }

    @Override
    public void nllGrad(ClassLoss loss, Strided g, Strided dx) {
        losses.nllGrad(loss, g, dx);
    }

    @Override
    public void elementLoss(ElementLoss loss, Strided x, Strided out) {
        elementLosses.loss(loss, x, out);
    }

    @Override
    public void elementLossGrad(ElementLoss loss, Strided g, Strided x, Strided dx, Strided dtarget) {
        elementLosses.grad(loss, g, x, dx, dtarget);
    }

    @Override
    public void crossEntropy(ClassLoss loss, Strided x, Strided known, Strided out) {
        losses.crossEntropy(loss, x, known, out);
    }

    @Override
    public void crossEntropyGrad(ClassLoss loss, Strided g, Strided x, Strided known, Strided dx) {
        losses.crossEntropyGrad(loss, g, x, known, dx);
    }

    @Override
    public void gather(Strided in, int dim, Strided index, IndexCheck check, Strided out) {
        indexing.gather(in, dim, index, check, out);
    }

    @Override
    public void scatterAdd(Strided src, int dim, Strided index, IndexCheck check, Strided out) {
        indexing.scatterAdd(src, dim, index, check, out);
    }

    @Override
    public void indexSelect(Strided in, Rows rows, Strided index, IndexCheck check, Strided out) {
        indexing.indexSelect(in, rows, index, check, out);
    }

    @Override
    public void indexAdd(Strided src, Rows rows, Strided index, IndexCheck check, Strided out) {
        indexing.indexAdd(src, rows, index, check, out);
    }

    @Override
    public void matmul(Strided x, Strided y, Strided out) {
        if (!library.multiply(x, y, out)) {
            products.matmul(x, y, out);
        }
    }

    @Override
    public void cumsum(Strided in, Rows rows, Order order, Strided out) {
        reductions.cumsum(in, rows, order, out);
    }

    @Override
    public void topk(Strided in, Rows rows, long k, Extreme extreme, Strided values, Strided indices) {
        reductions.topk(in, rows, k, extreme, values, indices);
    }

    @Override
    public void random(RandomOp op, long seed, long offset, double p0, double p1, Strided out) {
        numbers.random(op, seed, offset, p0, p1, out);
    }

    @Override
    public void dropout(Dropout dropout, Strided in, Strided out) {
        numbers.dropout(dropout, in, out);
    }

    @Override
    public void epilogue(Epilogue epilogue, Strided x, Strided out) {
        epilogues.epilogue(epilogue, x, out);
    }

    @Override
    public void epilogueGrad(Epilogue epilogue, Strided g, Strided x, Strided dx) {
        epilogues.epilogueGrad(epilogue, g, x, dx);
    }

    @Override
    public void update(UpdateStep step, Strided[][] rows) {
        updates.update(step, rows);
    }

    @Override
    public void custom(CustomKernel kernel, Strided out, Strided[] inputs, double[] parameters, long items) {
        customs.run(kernel, out, inputs, parameters, items);
    }
}
