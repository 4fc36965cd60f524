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
        return new Availability.Ready(List.of(new CpuBackend()));
    }
}
