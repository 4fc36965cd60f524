package org.tenon.devicetest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tenon.Cpu;
import org.tenon.Cuda;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F32;
import org.tenon.R1;
import org.tenon.Tensor;
import org.tenon.junit.Buffers;
import org.tenon.junit.DeviceTest;

/** Tests that {@link DeviceTestTest} runs and looks at. Nested, so that nobody else finds them. */
final class DeviceTestFixtures {
    static final List<Tensor<?, ?, ?>> KEPT = new ArrayList<>();

    private DeviceTestFixtures() {}

    static final class Sums {
        @DeviceTest
        <Dev extends DeviceType> void sum(Device<Dev> device) {
            Tensor<R1<Dim>, F32, Dev> x = device.tensor(1, 2, 3f);
            assertThat(x.sum().item()).isEqualTo(6);
        }
    }

    static final class OnTheCpu {
        @DeviceTest
        void one(Device<Cpu> device) {
            assertThat(device.name()).isEqualTo("cpu");
        }
    }

    static final class OnCuda {
        @DeviceTest
        <Dev extends Cuda> void one(Device<Dev> device) {
            assertThat(device.name()).startsWith("cuda");
        }
    }

    /** Another thread has no scope of this test. */
    static final class Leaks {
        @DeviceTest
        void keeps(Device<?> device) {
            CompletableFuture.runAsync(() -> KEPT.add(device.tensor(1f, 2f)), task -> {
                        Thread thread = new Thread(task);
                        thread.start();
                    })
                    .join();
        }
    }

    static final class LeavesToTheCollector {
        @DeviceTest(buffers = Buffers.CLOSED)
        void open(Device<?> device) {
            KEPT.add(device.tensor(1f, 2f));
        }

        @DeviceTest(buffers = Buffers.CLOSED)
        void closed(Device<?> device) {
            device.tensor(1f, 2f).close();
        }

        @DeviceTest(buffers = Buffers.UNCHECKED)
        void unchecked(Device<?> device) {
            KEPT.add(device.tensor(1f, 2f));
        }
    }

    @DeviceTest
    static final class WholeClass {
        private final Device<?> device;
        private Device<?> again;

        WholeClass(Device<?> device) {
            this.device = device;
        }

        @BeforeEach
        void before(Device<?> each) {
            again = each;
        }

        @Test
        void one() {
            assertThat(again).isEqualTo(device);
            assertThat(device.tensor(1f, 2f).sum().item()).isEqualTo(3);
        }

        @ParameterizedTest
        @ValueSource(ints = {1, 5})
        void sizes(int size) {
            assertThat(device.ones(R1.of(size)).sum().item()).isEqualTo(size);
        }
    }

    static final class NoDevice {
        @DeviceTest
        void none() {
            throw new AssertionError("ran");
        }
    }

    static final class TwoDevices {
        @DeviceTest
        void both(Device<?> one, Device<?> other) {
            throw new AssertionError("ran on " + one + " and " + other);
        }
    }

    @DeviceTest
    static final class Twice {
        @DeviceTest
        void method(Device<?> device) {
            throw new AssertionError("ran on " + device);
        }
    }
}
