package org.tenon.spi;

/**
 * A device's memory at one moment.
 *
 * @param liveBytes held by tensors and what their gradients need
 * @param liveBuffers how many buffers that is
 * @param cachedBytes freed, kept for reuse
 * @param peakBytes the most that was live at once
 * @param limitBytes what the device has
 * @param largestBytes the most that one buffer may have
 */
public record MemoryStats(
        long liveBytes, long liveBuffers, long cachedBytes, long peakBytes, long limitBytes, long largestBytes) {}
