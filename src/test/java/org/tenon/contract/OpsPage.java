package org.tenon.contract;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.tenon.DType;
import org.tenon.Devices;

/** {@code docs/ops.md}: what the contract suite runs of each op, out of its specs. Run it after a change of them. */
public final class OpsPage {
    /** Where the page lies. */
    static final Path FILE = Path.of("docs", "ops.md");

    private static final String HEAD = """
        # Ops, element types and devices

        Made from the specs of the contract suite by `mvn -q test-compile exec:exec@ops`; a test compares this file with them.
        A line says what that suite runs of an op, the same on every device that it finds, against a reference in float64; it
        says nothing of a device on which nobody has run it (see *Devices* in the README for those).

        - **Element types**: how many samples of input have it, each in several memory layouts, dense, strided and offset among
          them (large ones in two); of an op without inputs the result counts. `.` is none: mostly the op is not of that type.
        - **Gradient**: against differences in float64, and the gradient of the gradient too; how many samples. `.` is an op
          that has none, or that gets its gradient from ops that have it.
        - **Refuses**: how many wrong calls are tried, with their messages.
        - **Devices**: `all`, or the kinds on which it is tried, and why not on the others. A device that lacks float64, as
          OpenCL devices without `cl_khr_fp64` do, skips the samples of float64 and the gradients. CUDA devices have all types.

        """;

    private OpsPage() {}

    /** Writes the page. */
    public static void main(String[] args) throws IOException {
        Files.createDirectories(FILE.getParent());
        Files.writeString(FILE, text());
        System.out.println(FILE + ": " + Specs.all().size() + " ops");
    }

    static String text() {
        StringBuilder page = new StringBuilder(HEAD);
        List<String> columns = new ArrayList<>(List.of("op"));
        Specs.ALL.forEach(dtype -> columns.add(name(dtype)));
        columns.addAll(List.of("gradient", "refuses", "devices"));
        page.append(line(columns)).append("|---".repeat(columns.size())).append("|\n");
        List<OpSpec> specs = new ArrayList<>(Specs.all());
        specs.sort(Comparator.comparing((OpSpec spec) -> spec.name));
        specs.forEach(spec -> page.append(line(cells(spec))));
        return page.append("\nOps: ").append(specs.size()).append(".\n").toString();
    }

    static String title(OpSpec spec) {
        return "`" + spec.name + "`";
    }

    private static List<String> cells(OpSpec spec) {
        List<String> cells = new ArrayList<>(List.of(title(spec)));
        List<DType> types = spec.samples.stream().map(OpsPage::dtype).toList();
        for (DType dtype : Specs.ALL) {
            cells.add(number(types.stream().filter(dtype::equals).count()));
        }
        cells.add(number(spec.smooth.size()));
        cells.add(number(spec.bad.size()));
        Set<String> kinds = new TreeSet<>(Devices.kinds());
        kinds.removeIf(kind -> !spec.runsOn(kind));
        cells.add(
                kinds.size() == Devices.kinds().size()
                        ? "all"
                        : String.join(", ", new LinkedHashSet<>(kinds)) + ": " + spec.elsewhere);
        return cells;
    }

    private static DType dtype(OpSpec.Sample sample) {
        return sample.dtype() != null
                ? sample.dtype()
                : sample.ref().apply(List.of()).dtype();
    }

    private static String name(DType dtype) {
        return dtype.toString();
    }

    private static String number(long count) {
        return count == 0 ? "." : Long.toString(count);
    }

    private static String line(List<String> cells) {
        return cells.stream().map(cell -> cell.replace("|", "\\|")).collect(Collectors.joining(" | ", "| ", " |\n"));
    }
}
