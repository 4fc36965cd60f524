package org.tenon;

/** The device type of an OpenCL device. */
public abstract non-sealed class OpenCl extends DeviceType {
    /** For brands of your own, which are abstract as well. */
    protected OpenCl() {}
}
