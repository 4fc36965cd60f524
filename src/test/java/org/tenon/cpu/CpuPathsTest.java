package org.tenon.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;
import org.tenon.support.ChildJvm;

/** Every width of vectors that this machine has, and plain Java, compute the same within rounding. */
class CpuPathsTest {
    @Test
    void everyWidthIsRight() throws IOException {
        for (int bits : new int[] {128, 256, 512}) {
            ChildJvm child = ChildJvm.run(PathChecks.class, List.of("-Dtenon.cpu.vector=" + bits));
            if (bits <= FloatVector.SPECIES_PREFERRED.vectorBitSize()) {
                assertThat(child.exitCode()).as(child.output()).isZero();
                assertThat(child.output())
                        .contains("Vector API, " + bits + " bits")
                        .containsPattern("checks \\d{5,}");
            } else {
                assertThat(child.exitCode()).isEqualTo(1);
                assertThat(child.output()).contains("tenon.cpu.vector is '" + bits + "'; this machine has vectors of");
            }
        }
    }

    @Test
    void plainJavaIsRight() throws IOException {
        ChildJvm child = ChildJvm.run(PathChecks.class, List.of("-Dtenon.cpu.vector=off"));
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output()).contains("plain Java").containsPattern("checks \\d{5,}");
    }

    @Test
    void anotherWidthIsRefused() throws IOException {
        ChildJvm child = ChildJvm.run(PathChecks.class, List.of("-Dtenon.cpu.vector=wide"));
        assertThat(child.exitCode()).isEqualTo(1);
        assertThat(child.output()).contains("tenon.cpu.vector is 'wide'; give 128, 256, 512 or off");
    }

    @Test
    void ordinaryPagesDo() throws IOException {
        ChildJvm child = ChildJvm.run(PathChecks.class, List.of("-Dtenon.cpu.hugepages=off"));
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output()).containsPattern("checks \\d{5,}");
    }

    @Test
    void otherPagesAreRefused() throws IOException {
        ChildJvm child = ChildJvm.run(PathChecks.class, List.of("-Dtenon.cpu.hugepages=some"));
        assertThat(child.exitCode()).isEqualTo(1);
        assertThat(child.output()).contains("tenon.cpu.hugepages is 'some'; give on or off");
    }
}
