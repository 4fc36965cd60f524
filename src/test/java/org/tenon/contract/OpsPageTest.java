package org.tenon.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;

/** The page of ops is that of the specs. */
class OpsPageTest {
    @Test
    void everyOpHasALine() throws IOException {
        String page = Files.readString(OpsPage.FILE);
        for (OpSpec spec : Specs.all()) {
            assertThat(page).contains("| " + OpsPage.title(spec).replace("|", "\\|") + " |");
        }
        assertThat(page)
                .as("docs/ops.md; mvn -q test-compile exec:exec@ops writes it anew")
                .isEqualTo(OpsPage.text());
    }
}
