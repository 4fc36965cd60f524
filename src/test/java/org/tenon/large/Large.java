package org.tenon.large;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.tenon.Device;
import org.tenon.support.Simulated;

/** What tests of tensors of more than 2^31 bytes or elements share. */
public final class Large {
    /** The first number that an int does not hold. */
    public static final long BEYOND = 1L << 31;

    private static final long GIB = 1L << 30;

    private Large() {}

    /** On request only. */
    @Target(ElementType.TYPE)
    @Retention(RetentionPolicy.RUNTIME)
    @EnabledIfSystemProperty(
            named = "tenon.test.large",
            matches = "true",
            disabledReason = "it takes gigabytes of memory; run with -Dtenon.test.large=true")
    public @interface OnRequest {}

    /** Whether the device can have a buffer of that size. */
    public static boolean hasBuffers(Device<?> device, int bufferGib) {
        return device.memory().largestBytes() >= bufferGib * GIB;
    }

    /**
     * Skips a test where the device has less memory than it takes or shorter buffers, or the host less than both take
     * together.
     */
    public static void assumeMemory(Device<?> device, int bufferGib, int deviceGib, int hostGib) {
        device.trimMemory();
        Assumptions.assumeTrue(
                hasBuffers(device, bufferGib),
                () -> "it takes a buffer of " + bufferGib + " GiB, and " + device + " has none longer than "
                        + device.memory().largestBytes() + " bytes");
        long limit = device.memory().limitBytes();
        Assumptions.assumeTrue(
                limit >= deviceGib * GIB,
                () -> "it takes " + deviceGib + " GiB of " + device + ", which has " + limit / GIB
                        + "; the stand-in driver has more with SIMCUDA_MEMORY=" + deviceGib * GIB);
        long available = available();
        Assumptions.assumeTrue(
                available >= (deviceGib + hostGib) * GIB,
                () -> "it may take " + (deviceGib + hostGib) + " GiB of memory, and " + available / GIB + " are free");
    }

    /** As {@link #assumeMemory} where each of more than 2^31 elements has its turn: a simulated GPU would take hours. */
    public static void assumeKernels(Device<?> device, int bufferGib, int deviceGib, int hostGib) {
        Assumptions.assumeFalse(
                Simulated.is(device), () -> device + " is simulated: 2^31 elements would take it hours");
        assumeMemory(device, bufferGib, deviceGib, hostGib);
    }

    private static long available() {
        try (var lines = Files.lines(Path.of("/proc/meminfo"))) {
            return lines.filter(line -> line.startsWith("MemAvailable:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                    .findFirst()
                    .orElse(Long.MAX_VALUE);
        } catch (NoSuchFileException e) {
            // Elsewhere than on Linux who asks for the test must know.
            return Long.MAX_VALUE;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
