package org.tenon.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.tenon.CapturedStep;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.R0;
import org.tenon.R1;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.TensorStateException;
import org.tenon.junit.DeviceTest;
import org.tenon.optim.LRScheduler;
import org.tenon.optim.SGD;
import org.tenon.optim.Schedule;

/** Captured steps: the same bits as op by op, and the same refusals, on every device. */
@Tag("plain")
class CapturedStepTest {
    private static final int STEPS = 8;

    @DeviceTest
    void aCapturedTrainingHasTheBitsOfOneThatIsNot(Device<?> device) {
        for (String rule : CapturedTraining.RULES) {
            assertThat(CapturedTraining.captured(device, rule, STEPS))
                    .as(rule)
                    .isEqualTo(CapturedTraining.eager(device, rule, STEPS));
        }
    }

    @DeviceTest
    void memoryComesBack(Device<?> device) {
        long buffers = device.memory().liveBuffers();
        long bytes = device.memory().liveBytes();
        CapturedTraining.captured(device, "AdamW", 3);
        assertThat(device.memory().liveBuffers()).isEqualTo(buffers);
        assertThat(device.memory().liveBytes()).isEqualTo(bytes);
    }

    /** Each run does what is asked with what the inputs hold then. */
    @DeviceTest
    void inputsAreOverwrittenAndResultsToo(Device<?> device) {
        inputs(device);
    }

    private static <Dev extends DeviceType> void inputs(Device<Dev> device) {
        Scope.run(() -> {
            Tensor<R1<Dim>, F32, Dev> x = device.<Dim>tensor(1f, 2f);
            Tensor<R1<Dim>, F32, Dev> two = device.<Dim>tensor(2f, 2f);
            CapturedStep<List<Tensor<R1<Dim>, F32, Dev>>> step = device.capture(() -> List.of(x.mul(two), x.add(two)));
            for (int i = 0; i < 5; i++) {
                float value = i;
                Scope.run(() -> x.copyFrom(device.<Dim>tensor(value, -value)));
                var both = step.run();
                assertThat(both.get(0).toFloatArray()).containsExactly(2 * value, -2 * value);
                assertThat(both.get(1).toFloatArray()).containsExactly(value + 2, 2 - value);
            }
            Tensor<?, ?, ?> last = step.run().get(0);
            step.close();
            assertThatThrownBy(() -> last.toDoubleArray()).isInstanceOf(TensorStateException.class);
            assertThatThrownBy(step::run)
                    .isInstanceOf(TensorStateException.class)
                    .hasMessage("capture: the captured step was closed; capture it anew");
            step.close();
        });
    }

    @DeviceTest
    void whatCannotBeCapturedIsRefused(Device<?> device) {
        refusals(device);
    }

    private static <Dev extends DeviceType> void refusals(Device<Dev> device) {
        Scope.run(() -> {
            Tensor<R1<Dim>, F32, Dev> x = device.<Dim>tensor(1f, 2f);
            Tensor<R1<Dim>, F32, Dev> p = device.<Dim>tensor(1f, 2f).requireGrad();
            SGD<F32, Dev> optimizer = new SGD<>(List.of(p), 0.1);
            Generator generator = new Generator(1);
            CapturedStep<Tensor<R0, F32, Dev>> other = device.capture(() -> x.sum());
            Map<Supplier<Object>, String> bad = new LinkedHashMap<>();
            String step = "a step captured on " + device + " cannot ";
            bad.put(() -> x.sum().item(), "copyTo: " + step + "read a result, as item(),");
            bad.put(() -> x.toFloatArray(), "copyTo: " + step + "read a result");
            bad.put(() -> device.<Dim>tensor(1f), "tensor: " + step + "copy from host memory; make the tensor before");
            bad.put(() -> device.permutation(5, generator), "permutation: " + step + "draw on the host");
            bad.put(() -> generator.stream(1), "stream: " + step + "draw on the host");
            bad.put(
                    () -> {
                        device.synchronize();
                        return null;
                    },
                    "synchronize: " + step + "wait for the device");
            bad.put(
                    () -> {
                        device.trimMemory();
                        return null;
                    },
                    "trimMemory: " + step + "give memory back");
            bad.put(
                    () -> {
                        generator.reseed(2);
                        return null;
                    },
                    "reseed: " + step + "set a seed");
            bad.put(
                    () -> {
                        optimizer.lr(0.2);
                        return null;
                    },
                    "SGD: " + step + "set a learning rate");
            bad.put(other::run, "capture: " + step + "run another one");
            bad.forEach((body, message) -> {
                // In the first run and where the device records: in the second.
                int[] runs = {0};
                CapturedStep<Object> first = device.capture(() -> {
                    x.add(x);
                    return body.get();
                });
                assertThatThrownBy(first::run)
                        .isInstanceOf(TensorStateException.class)
                        .hasMessageStartingWith(message);
                first.close();
                CapturedStep<Object> second = device.capture(() -> {
                    x.add(x);
                    return runs[0]++ > 0 ? body.get() : null;
                });
                second.run();
                assertThatThrownBy(second::run)
                        .isInstanceOf(TensorStateException.class)
                        .hasMessageStartingWith(message);
                second.close();
                assertThat(x.add(x).toFloatArray()).containsExactly(2, 4);
            });
            other.close();
        });
    }

    @DeviceTest
    void anotherDevicesTensorsAreRefused(Device<?> device) {
        Device<Cpu> cpu = Devices.cpu();
        if (!device.name().equals("cpu")) {
            foreign(device, cpu);
        }
    }

    private static <Dev extends DeviceType> void foreign(Device<Dev> device, Device<Cpu> cpu) {
        Scope.run(() -> {
            Tensor<R1<Dim>, F32, Cpu> x = cpu.<Dim>tensor(1f, 2f);
            List<Supplier<Object>> bad = List.of(() -> F.exp(x), () -> x.to(device), () -> cpu.zeros(R1.of(2)));
            for (Supplier<Object> each : bad) {
                try (CapturedStep<Object> step = device.capture(each)) {
                    assertThatThrownBy(step::run)
                            .isInstanceOf(TensorStateException.class)
                            .hasMessageContaining(": a step captured on " + device
                                    + " works on that device alone, and this is on cpu;"
                                    + " move it before the step runs");
                }
            }
        });
    }

    /** It comes when the device is waited for, and what was captured works on. */
    @DeviceTest
    void aBadIndexInARunIsTold(Device<?> device) {
        badIndex(device);
    }

    private static <Dev extends DeviceType> void badIndex(Device<Dev> device) {
        Scope.run(() -> {
            CapturedTraining<Dev> training = new CapturedTraining<>(device, "SGD");
            try (var step = training.captured()) {
                for (int i = 0; i < 6; i++) {
                    training.batch(i);
                    if (i % 3 == 2) {
                        training.badBatch();
                        assertThatThrownBy(() -> step.run().item())
                                .isInstanceOf(TensorArgumentException.class)
                                .hasMessageContaining("target 7 at position 0 is outside [0, 5)");
                    } else {
                        assertThat(step.run().item()).isBetween(0.0, 20.0);
                    }
                }
                // Of a step that is closed before.
                training.badBatch();
                try {
                    step.run();
                } catch (TensorArgumentException e) {
                    // The CPU tells at once.
                    assertThat(device.name()).isEqualTo("cpu");
                    return;
                }
            }
            assertThatThrownBy(device::synchronize)
                    .isInstanceOf(TensorArgumentException.class)
                    .hasMessageContaining("target 7 at position 0 is outside [0, 5)");
            device.synchronize();
        });
    }

    /** A schedule within the step, and one that is called between runs. */
    @DeviceTest
    void aScheduleMayBeOutsideTheStep(Device<?> device) {
        assertThat(scheduled(device, true)).isEqualTo(scheduled(device, false)).hasSize(5);
    }

    private static <Dev extends DeviceType> List<Double> scheduled(Device<Dev> device, boolean within) {
        return Scope.call(() -> {
            Tensor<R1<Dim>, F32, Dev> p = device.<Dim>tensor(1f, 2f).requireGrad();
            SGD<F32, Dev> optimizer = new SGD<>(List.of(p), 1);
            LRScheduler scheduler = new LRScheduler(optimizer, Schedule.exponential(0.5));
            List<Double> sums = new java.util.ArrayList<>();
            try (CapturedStep<Object> step = device.capture(() -> {
                optimizer.step(p.sum().backward());
                if (within) {
                    scheduler.step();
                }
                return null;
            })) {
                for (int i = 0; i < 5; i++) {
                    step.run();
                    if (!within) {
                        scheduler.step();
                    }
                    sums.add(p.sum().item());
                }
            }
            return sums;
        });
    }

    @DeviceTest
    void whatAFailingStepThrowsIsThrown(Device<?> device) {
        try (CapturedStep<Object> step = device.capture(() -> {
            device.zeros(R1.of(3), DType.F32);
            throw new IllegalStateException("mine");
        })) {
            assertThatThrownBy(step::run)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("mine");
            assertThatThrownBy(step::run)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("mine");
        }
    }
}
