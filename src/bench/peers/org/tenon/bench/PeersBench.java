package org.tenon.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.global.torch;
import org.tenon.Devices;
import org.tenon.bench.PeerCases.PeerCase;

/**
 * Ops on the CPU beside a copy of the bytes that they must move, PyTorch, and PyTorch into a tensor that is there already; all in
 * one JVM, with as many threads, by turns. Arguments: {@code --case REGEX} (part of a name), {@code --threads N},
 * {@code --rounds N}, {@code --with NAME,...} (some of copy, torch, torch out), {@code --out FOLDER}. Prints a table as it goes, and writes {@code peers.md}, {@code peers.tsv} and, where
 * python3 has matplotlib, {@code peers.svg}.
 */
public final class PeersBench {
    private static final List<String> CONTENDERS = List.of("copy", "tenon", "torch", "torch out");
    private static final List<String> OPTIONS = List.of("--case", "--threads", "--rounds", "--with", "--out");
    private static final String HEAD = """
        | case | copy, us | Tenon, us | of copy | PyTorch, us | ratio | PyTorch out, us | ratio |
        |---|---|---|---|---|---|---|---|
        """;

    private PeersBench() {}

    /** Runs what is asked for. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Locale.setDefault(Locale.ROOT);
        Pattern wanted = Pattern.compile(option(arguments, "--case", ""));
        int threads = Integer.parseInt(
                option(arguments, "--threads", "" + Runtime.getRuntime().availableProcessors()));
        int rounds = Integer.parseInt(option(arguments, "--rounds", "31"));
        List<String> beside =
                List.of(option(arguments, "--with", "copy,torch,torch out").split(","));
        Path folder = Files.createDirectories(Path.of(option(arguments, "--out", "target/peers")));
        System.setProperty("tenon.cpu.threads", "" + threads);
        torch.set_num_threads(threads);
        String machine =
                Devices.cpu().description() + ", " + threads + " threads, JDK " + Runtime.version() + "; " + version();
        System.out.print(machine + "\n\n" + HEAD);
        StringBuilder table = new StringBuilder(machine + "\n\n" + HEAD);
        StringBuilder lines = new StringBuilder();
        for (PeerCase each : PeerCases.all()) {
            if (wanted.matcher(each.name()).find()) {
                Map<String, Double> nanos;
                try (Operands operands = new Operands(each.bytes(), threads)) {
                    each.build().accept(operands);
                    nanos = Turns.medians(operands.contenders(beside), each.warmSeconds(), rounds);
                }
                String row = row(each.name(), nanos);
                System.out.print(row);
                table.append(row);
                nanos.forEach((name, time) -> lines.append(each.name())
                        .append('\t')
                        .append(name)
                        .append('\t')
                        .append(time)
                        .append('\n'));
            }
        }
        Files.writeString(folder.resolve("peers.md"), table);
        Files.writeString(folder.resolve("peers.tsv"), lines);
        plot(folder);
    }

    /** The version of the jar, which has no other trace of it. */
    private static String version() {
        return Path.of(torch.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .getPath())
                .getFileName()
                .toString()
                .replace(".jar", "");
    }

    private static String option(String[] arguments, String name, String otherwise) {
        String value = otherwise;
        for (int i = 0; i < arguments.length; i += 2) {
            if (!OPTIONS.contains(arguments[i]) || i + 1 == arguments.length) {
                throw new IllegalArgumentException(
                        "bench: " + arguments[i] + "; give a value after one of " + String.join(" ", OPTIONS));
            }
            if (arguments[i].equals(name)) {
                value = arguments[i + 1];
            }
        }
        return value;
    }

    private static String row(String name, Map<String, Double> nanos) {
        StringJoiner cells = new StringJoiner(" | ", "| " + name + " | ", " |\n");
        double mine = nanos.get("tenon");
        for (String each : CONTENDERS) {
            Double time = nanos.get(each);
            cells.add(time == null ? "-" : String.format("%.2f", time / 1e3));
            if (each.equals("tenon")) {
                Double copy = nanos.get("copy");
                cells.add(copy == null ? "-" : String.format("%.0f %%", 100 * copy / mine));
            } else if (!each.equals("copy")) {
                cells.add(time == null ? "-" : String.format("%.2f", time / mine));
            }
        }
        return cells.toString();
    }

    private static void plot(Path folder) throws IOException, InterruptedException {
        ProcessBuilder python = new ProcessBuilder("python3", "src/bench/python/peers.py", folder.toString());
        try {
            python.inheritIO().start().waitFor();
        } catch (IOException e) {
            System.err.println("there is no python3: peers.svg is not drawn");
        }
    }
}
