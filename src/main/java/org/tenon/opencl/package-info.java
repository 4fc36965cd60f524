/**
 * The OpenCL backend: the one package that knows JOCL. A runtime under {@code org.tenon.gpu}, which knows the kernels.
 */
package org.tenon.opencl;
