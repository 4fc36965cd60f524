package org.tenon;

/** The device type of the CPU that the JVM runs on. */
public abstract non-sealed class Cpu extends DeviceType {
    /** For brands of your own, which are abstract as well. */
    protected Cpu() {}
}
