package org.tenon.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The page of ops is that of the specs. */
class OpsPageTest {
    private static final List<OpSpec> SPECS = Specs.all();

    @Test
    void everyOpHasALine() throws IOException {
        String page = Files.readString(OpsPage.FILE);
        for (OpSpec spec : SPECS) {
            assertThat(page).contains("| " + OpsPage.title(spec).replace("|", "\\|") + " |");
        }
        assertThat(page)
                .as("docs/ops.md; mvn -q test-compile exec:exec@ops writes it anew")
                .isEqualTo(OpsPage.text());
    }

    /** The report of a GPU runs the suite in pieces, by the beginnings of names. */
    @Test
    void theReportRunsEveryOp() throws IOException {
        String report = Files.readString(Path.of("ci", "gpu", "report.sh"));
        String pieces = report.substring(report.indexOf("\ncontract() {"), report.indexOf("\nbackend() {"));
        for (OpSpec spec : SPECS) {
            String owner = spec.name.substring(0, spec.name.indexOf('.') + 1);
            if (owner.equals("F.")) {
                assertThat(spec.name).matches("F\\.[a-z].*");
                assertThat(pieces).contains("F.{a..h}", "F.{i..m}", "F.{n..z}");
            } else {
                assertThat(pieces).as(spec.name).containsPattern("[ \"]" + Pattern.quote(owner));
            }
        }
    }
}
