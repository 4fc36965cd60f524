package org.tenon.cuda;

import jcuda.driver.CUdeviceptr;

/** An address in a device's memory. */
final class DevicePointer extends CUdeviceptr {
    /** To be set by the driver. */
    DevicePointer() {}

    DevicePointer(long address) {
        super(new CUdeviceptr(), address);
    }

    long address() {
        return getNativePointer() + getByteOffset();
    }
}
