package org.tenon;

/**
 * A device has no room for a tensor, after its cache was emptied and the collector was asked. The device stays usable:
 * close something, or ask for less.
 */
public final class OutOfDeviceMemoryException extends TensorStateException {
    private static final long serialVersionUID = 1L;

    private final String device;
    private final long requestedBytes;

    /** {@code message} says what was asked, what is live and what the device has. */
    public OutOfDeviceMemoryException(String device, long requestedBytes, String message) {
        super(device, message);
        this.device = device;
        this.requestedBytes = requestedBytes;
    }

    /** The device's name, such as {@code cuda:0}. */
    public String device() {
        return device;
    }

    /** What was asked for. */
    public long requestedBytes() {
        return requestedBytes;
    }
}
