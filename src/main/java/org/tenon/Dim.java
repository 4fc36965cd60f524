package org.tenon;

/**
 * The unlabelled axis. Labels of your own extend it, and are never instantiated:
 *
 * <pre>{@code
 * interface Batch extends Dim {}
 * interface Classes extends Dim {}
 * Tensor<R2<Batch, Classes>, F32, Cpu> logits = ...
 * }</pre>
 *
 * A label names what an axis means; its size stays a run-time value.
 */
public interface Dim {}
