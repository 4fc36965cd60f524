package org.tenon;

/**
 * The kind of device that a tensor lives on, as a type: {@link Cpu}, {@link OpenCl} or {@link Cuda}. Never instantiated.
 *
 * <p>These are abstract classes, not interfaces, since an interface {@code Both extends Cpu, Cuda} would make one tensor
 * fit two devices. A second GPU is branded by a subclass: {@code abstract class Gpu1 extends Cuda}.
 */
public abstract sealed class DeviceType permits Cpu, OpenCl, Cuda {
    DeviceType() {}
}
