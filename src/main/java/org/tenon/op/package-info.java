/**
 * The ops, untyped: each checks its operands, lays out its result, launches kernels and records its backward. A
 * {@link org.tenon.op.Value} is what a {@link org.tenon.Tensor} wraps; the types are the tensor's business, so nothing here
 * is generic and nothing is cast. Depends on {@code org.tenon.spi} and on the element types, generator and exceptions of
 * {@code org.tenon}. For those who write ops; everyone else uses {@link org.tenon.F} and {@link org.tenon.Tensor}.
 */
package org.tenon.op;
