package org.tenon.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.StringJoiner;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.global.torch;
import org.tenon.Devices;
import org.tenon.bench.PeerCases.PeerCase;

/**
 * Ops on the CPU beside a copy of the bytes that they must move, PyTorch, PyTorch into a tensor that is there already, and ND4J and
 * DJL in JVMs of their own; all with as many threads, by turns. Arguments: {@code --case REGEX} (part of a name), {@code --threads N},
 * {@code --rounds N}, {@code --with NAME,...} (some of copy, torch, torch out, nd4j, djl), {@code --out FOLDER}. Prints a table as it
 * goes, and writes {@code peers.md}, {@code peers.tsv} and, where python3 has matplotlib, {@code peers.svg}.
 */
public final class PeersBench {
    /** Columns by their contenders' names, in order. */
    private static final Map<String, String> COLUMNS = columns();

    private static final Set<String> OTHERS = Set.of("nd4j", "djl");
    private static final List<String> OPTIONS = List.of("--case", "--threads", "--rounds", "--with", "--out");

    private PeersBench() {}

    private static Map<String, String> columns() {
        Map<String, String> columns = new LinkedHashMap<>();
        columns.put("copy", "copy");
        columns.put("tenon", "Tenon");
        columns.put("torch", "PyTorch");
        columns.put("torch out", "PyTorch out");
        columns.put("nd4j", "ND4J");
        columns.put("djl", "DJL");
        return columns;
    }

    /** Runs what is asked for. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Locale.setDefault(Locale.ROOT);
        Pattern wanted = Pattern.compile(option(arguments, "--case", ""));
        int threads = Integer.parseInt(
                option(arguments, "--threads", "" + Runtime.getRuntime().availableProcessors()));
        int rounds = Integer.parseInt(option(arguments, "--rounds", "31"));
        List<String> beside = new ArrayList<>(List.of(
                option(arguments, "--with", "copy,torch,torch out,nd4j,djl").split(",")));
        Path folder = Files.createDirectories(Path.of(option(arguments, "--out", "target/peers")));
        System.setProperty("tenon.cpu.threads", "" + threads);
        torch.set_num_threads(threads);
        List<PeerProcess> others = new ArrayList<>();
        try {
            start(beside, threads, others);
            StringBuilder machine = new StringBuilder(Devices.cpu().description() + ", " + threads + " threads, JDK "
                    + Runtime.version() + "; " + version());
            others.forEach(each -> machine.append("; ").append(each.version()));
            run(machine.toString(), wanted, threads, rounds, beside, others, folder);
        } finally {
            for (PeerProcess each : others) {
                each.close();
            }
        }
        plot(folder);
    }

    /** Starts the JVMs of others; those that were not built are told and have no column. */
    private static void start(List<String> beside, int threads, List<PeerProcess> others) throws IOException {
        for (String name : List.copyOf(beside)) {
            if (OTHERS.contains(name)) {
                Optional<PeerProcess> peer = PeerProcess.start(name, threads);
                peer.ifPresent(others::add);
                if (peer.isEmpty()) {
                    beside.remove(name);
                    System.err.println(name + " is left out: build it by mvn -q -f src/bench/others compile");
                }
            }
        }
    }

    private static void run(
            String machine,
            Pattern wanted,
            int threads,
            int rounds,
            List<String> beside,
            List<PeerProcess> others,
            Path folder)
            throws IOException {
        List<String> shown = COLUMNS.keySet().stream()
                .filter(each -> each.equals("tenon") || beside.contains(each))
                .toList();
        String head = machine + "\n\n" + head(shown);
        System.out.print(head);
        StringBuilder table = new StringBuilder(head);
        StringBuilder lines = new StringBuilder();
        for (PeerCase each : PeerCases.all()) {
            if (wanted.matcher(each.name()).find()) {
                Map<String, Double> nanos;
                try (Operands operands = new Operands(each.bytes(), threads, others)) {
                    each.build().accept(operands);
                    nanos = Turns.medians(
                            operands.contenders(beside),
                            each.warmSeconds(),
                            rounds,
                            () -> PeerProcess.cpuNanos(others));
                }
                String row = row(each.name(), shown, nanos);
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

    private static String head(List<String> shown) {
        StringJoiner titles = new StringJoiner(" | ", "| case | ", " |\n");
        StringBuilder rule = new StringBuilder("|---|");
        for (String each : shown) {
            titles.add(COLUMNS.get(each) + ", us");
            rule.append("---|");
            if (!each.equals("copy")) {
                titles.add(each.equals("tenon") ? "of copy" : "ratio");
                rule.append("---|");
            }
        }
        return titles + rule.append('\n').toString();
    }

    private static String row(String name, List<String> shown, Map<String, Double> nanos) {
        StringJoiner cells = new StringJoiner(" | ", "| " + name + " | ", " |\n");
        double mine = nanos.get("tenon");
        for (String each : shown) {
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
