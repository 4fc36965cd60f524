package org.tenon;

/**
 * The options of {@link F#ctcLoss}. Defaults: blank 0, infinite losses stay.
 *
 * @param blank the class that stands for no label
 * @param zeroInfinity whether infinite losses, of targets too long for their input, count as 0
 */
public record CtcOptions(long blank, boolean zeroInfinity) {
    /** The defaults. */
    public static CtcOptions defaults() {
        return new CtcOptions(0, false);
    }

    /** With another blank. */
    public CtcOptions blank(long newBlank) {
        return new CtcOptions(newBlank, zeroInfinity);
    }

    /** With 0 in place of infinite losses. */
    public CtcOptions withZeroInfinity() {
        return new CtcOptions(blank, true);
    }
}
