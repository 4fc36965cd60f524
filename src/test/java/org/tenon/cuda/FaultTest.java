package org.tenon.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tenon.support.ChildJvm;

/**
 * Each kind of driver call that training makes fails once at each position: there is a clear exception or it is made good,
 * nothing leaks, and the device is usable or known to be lost. {@link Faults} does it.
 */
class FaultTest {
    @BeforeAll
    static void standIn() {
        OnStandIn.assumeThere();
    }

    @ParameterizedTest
    @ValueSource(strings = {"warm", "cold", "lost"})
    void everyCallFailsOnce(String when) throws IOException {
        ChildJvm child = OnStandIn.child(Faults.class, Map.of(), List.of(), when);
        child.output()
                .lines()
                .filter(line -> line.startsWith(when))
                .forEach(line -> System.out.println("faults: " + line));
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output()).contains("damage 0\n", "wrong 0\n").doesNotContain("WRONG");
        assertThat(child.output()).contains(when.equals("cold") ? "cold cuModuleLoadDataEx" : when + " cuLaunchKernel");
    }
}
