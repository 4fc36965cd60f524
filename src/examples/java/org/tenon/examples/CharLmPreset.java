package org.tenon.examples;

/** Sizes and settings of a training that go together. */
enum CharLmPreset {
    /** For source code on two CPU cores, in about a minute. */
    QUICK(3, 4, 96, 32, 0, 32, 1000, 3e-3, 100, 500, 20),
    /** The setting of nanoGPT for tinyshakespeare on a CPU. */
    CPU(4, 4, 128, 64, 0, 12, 2000, 1e-3, 100, 250, 100),
    /** Its setting on a GPU. */
    GPU(6, 6, 384, 256, 0.2, 64, 5000, 1e-3, 100, 250, 100);

    final int layers;
    final int heads;
    final int embedding;
    final int context;
    final double dropout;
    final int batch;
    final int steps;
    final double rate;
    final int warmup;
    final int evalEvery;
    final int evalBatches;

    CharLmPreset(
            int layers,
            int heads,
            int embedding,
            int context,
            double dropout,
            int batch,
            int steps,
            double rate,
            int warmup,
            int evalEvery,
            int evalBatches) {
        this.layers = layers;
        this.heads = heads;
        this.embedding = embedding;
        this.context = context;
        this.dropout = dropout;
        this.batch = batch;
        this.steps = steps;
        this.rate = rate;
        this.warmup = warmup;
        this.evalEvery = evalEvery;
        this.evalBatches = evalBatches;
    }
}
