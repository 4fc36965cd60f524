package org.tenon;

/** What {@link F#klDiv} is given as its target. */
public enum KlTarget {
    /** Probabilities: {@code log_target=False}. */
    PROBABILITIES,
    /** Their logarithms: {@code log_target=True}. */
    LOG_PROBABILITIES
}
