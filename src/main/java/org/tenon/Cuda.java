package org.tenon;

/** The device type of an NVIDIA GPU driven by CUDA. */
public abstract non-sealed class Cuda extends DeviceType {
    /** For brands of your own, which are abstract as well. */
    protected Cuda() {}
}
