/**
 * The CUDA backend: the one package that knows JCuda. A runtime under {@code org.tenon.gpu}, which knows the kernels. Needs
 * the NVIDIA driver and nothing else; cuBLAS multiplies matrices where it is there.
 */
package org.tenon.cuda;
