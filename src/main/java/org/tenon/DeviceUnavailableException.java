package org.tenon;

/** A device that was asked for by name is not there, or its driver is broken. The message has the reason and a hint. */
public final class DeviceUnavailableException extends TensorStateException {
    private static final long serialVersionUID = 1L;

    /** {@code device} as it was asked for. */
    public DeviceUnavailableException(String device, String problem) {
        super(device, problem);
    }

    /** As above, with the error that a provider met. */
    public DeviceUnavailableException(String device, String problem, Throwable cause) {
        super(device, problem);
        initCause(cause);
    }
}
