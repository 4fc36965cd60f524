package org.tenon.examples;

import java.util.concurrent.Callable;
import org.tenon.Device;
import org.tenon.DeviceUnavailableException;
import org.tenon.Devices;
import picocli.CommandLine;

/** What the examples' commands share: bad input is one line, {@code NAME: what is wrong}, and exit code 2. */
final class ExampleCommand {
    private ExampleCommand() {}

    /** Runs a command; the result is the exit code. */
    static int run(Callable<Integer> command, String... arguments) {
        String name = command.getClass().getSimpleName();
        return new CommandLine(command)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler((error, rejected) -> refuse(error.getCommandLine(), name, error))
                .setExecutionExceptionHandler((error, line, parsed) -> {
                    if (error instanceof BadFlagException) {
                        return refuse(line, name, error);
                    }
                    throw error;
                })
                .execute(arguments);
    }

    private static int refuse(CommandLine line, String name, Exception error) {
        line.getErr().println(name + ": " + error.getMessage());
        return CommandLine.ExitCode.USAGE;
    }

    /** The device of this name. */
    static Device<?> device(String name) throws BadFlagException {
        try {
            return Devices.get(name);
        } catch (DeviceUnavailableException e) {
            throw new BadFlagException("--device " + e.getMessage());
        }
    }
}
