/**
 * Everything that the OpenCL and CUDA backends share: which kernel an op launches, with which shape and arguments. Under it
 * is a {@link org.tenon.gpu.GpuRuntime}, above it the interface of {@code org.tenon.spi}. Depends on {@code org.tenon.spi}
 * and the element and device types.
 */
package org.tenon.gpu;
