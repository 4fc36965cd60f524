package org.tenon.opencl;

import org.junit.jupiter.api.Assumptions;
import org.tenon.Device;
import org.tenon.DeviceUnavailableException;
import org.tenon.Devices;
import org.tenon.OpenCl;

/** The OpenCL device that these tests need; they are skipped with the reason where there is none. */
final class Present {
    private Present() {}

    static Device<OpenCl> device() {
        try {
            return Devices.openCl(0);
        } catch (DeviceUnavailableException e) {
            return Assumptions.abort(e.getMessage());
        }
    }

    /** The same device as the platform names it, for a runtime of a test's own. */
    static Found found() {
        device();
        return Discovery.run().devices().getFirst();
    }

    /** A runtime with this system property set while it starts. */
    static OpenClRuntime runtime(String property, String value) {
        return runtime(property, value, new Status("opencl:test"));
    }

    /** The same with what calls answer changed. */
    static OpenClRuntime runtime(String property, String value, Status status) {
        Found found = found();
        String before = System.getProperty(property);
        System.setProperty(property, value);
        try {
            return new OpenClRuntime("opencl:test", found, status);
        } finally {
            if (before == null) {
                System.clearProperty(property);
            } else {
                System.setProperty(property, before);
            }
        }
    }
}
