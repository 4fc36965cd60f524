package org.tenon.cpu;

import java.util.List;
import org.tenon.spi.Availability;
import org.tenon.spi.BackendProvider;

/** Finds the CPU, which is always there. */
public final class CpuProvider implements BackendProvider {
    /** For the service loader. */
    public CpuProvider() {}

    @Override
    public String kind() {
        return "cpu";
    }

    @Override
    public Availability probe() {
        try {
            Settings.threads();
            return new Availability.Ready(List.of(new CpuBackend()));
        } catch (IllegalArgumentException e) {
            return new Availability.Broken(e.getMessage(), "correct that system property", e);
        }
    }
}
