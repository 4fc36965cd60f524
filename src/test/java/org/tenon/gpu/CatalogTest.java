package org.tenon.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The list that kernels are built from ahead of time is that of the launch code. */
class CatalogTest {
    @Test
    void theListIsThatOfTheLaunchCode() {
        String wanted = Catalog.text();
        assertThat(wanted.lines().count()).isGreaterThan(1000);
        assertThat(Catalog.file())
                .as("kernels/catalog.tsv; write it anew with mvn -q test-compile exec:exec@catalog, then ci/ptx.sh")
                .isEqualTo(wanted);
    }
}
