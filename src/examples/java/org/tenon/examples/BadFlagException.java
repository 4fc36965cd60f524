package org.tenon.examples;

/** A flag of an example's command that cannot be as it is; the message is one line. */
final class BadFlagException extends Exception {
    private static final long serialVersionUID = 1L;

    BadFlagException(String message) {
        super(message.lines().map(String::strip).reduce((a, b) -> a + " " + b).orElse(message));
    }

    static void unless(boolean good, String problem) throws BadFlagException {
        if (!good) {
            throw new BadFlagException(problem);
        }
    }

    static void unlessAtLeast(int least, String option, int value) throws BadFlagException {
        unless(value >= least, option + " is " + value + "; it is " + least + " or more");
    }
}
