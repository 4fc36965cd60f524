/** Optimizers: they change a module's parameters in place, from the gradients of a loss. Depends on {@code org.tenon} and the update kernels of {@code org.tenon.op}. */
package org.tenon.optim;
