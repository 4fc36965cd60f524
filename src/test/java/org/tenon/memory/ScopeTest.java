package org.tenon.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.Gradients;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.TensorStateException;
import org.tenon.junit.Buffers;
import org.tenon.junit.DeviceTest;
import org.tenon.nn.Linear;

/** What lives how long. */
class ScopeTest {
    private static <Dev extends DeviceType> Tensor<R1<Dim>, F32, Dev> some(Device<Dev> device) {
        return device.ones(R1.of(10));
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void aScopeFreesWhatItsBodyMade(Device<?> device) {
        long before = device.memory().liveBuffers();
        Scope.run(() -> {
            F.exp(some(device)).sum();
            assertThat(device.memory().liveBuffers()).isEqualTo(before + 3);
        });
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void soDoesOneThatThrows(Device<?> device) {
        long before = device.memory().liveBuffers();
        assertThatThrownBy(() -> Scope.run(() -> {
                    some(device);
                    throw new IllegalStateException("stop");
                }))
                .hasMessage("stop");
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void anOpThatRefusesLeavesNothing(Device<?> device) {
        refused(device);
    }

    private static <Dev extends DeviceType> void refused(Device<Dev> device) {
        long before = device.memory().liveBuffers();
        Scope.run(() -> {
            Tensor<R2<Dim, Dim>, F32, Dev> x = device.ones(R2.of(4, 5));
            Tensor<R1<Dim>, F32, Dev> y = device.ones(R1.of(3));
            Tensor<R1<Dim>, org.tenon.I64, Dev> bad = device.tensor(7L, 0L, 0L, 0L);
            long made = device.memory().liveBuffers();
            assertThat(catchThrowable(() -> F.add(x, y))).isInstanceOf(TensorArgumentException.class);
            assertThat(catchThrowable(() -> F.logSoftmax(x, 2))).isInstanceOf(TensorArgumentException.class);
            assertThat(catchThrowable(() -> x.reshape(R2.of(3, 7)))).isInstanceOf(TensorArgumentException.class);
            assertThat(device.memory().liveBuffers()).isEqualTo(made);
            assertThat(catchThrowable(() -> F.crossEntropy(x, bad).item())).isInstanceOf(TensorArgumentException.class);
            assertThat(x.sum().item()).isEqualTo(20);
        });
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void whatTheBodyReturnsOutlivesIt(Device<?> device) {
        long before = device.memory().liveBuffers();
        Scope.run(() -> {
            Tensor<?, F32, ?> inner = Scope.call(() -> Scope.call(() -> F.exp(some(device))));
            assertThat(inner.sum().item()).isCloseTo(10 * Math.E, org.assertj.core.api.Assertions.within(1e-4));
            assertThat(device.memory().liveBuffers()).isEqualTo(before + 2);
        });
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void soDoAllTensorsOfACollection(Device<?> device) {
        long before = device.memory().liveBuffers();
        Scope.run(() -> {
            var list = Scope.call(() -> List.of(some(device), some(device)));
            var map = Scope.call(() -> Map.of("a", some(device)));
            var array = Scope.call(() -> new Tensor<?, ?, ?>[] {some(device), null});
            var optional = Scope.call(() -> Optional.of(some(device)));
            var nested = Scope.call(() -> Map.of("b", List.of(some(device))));
            assertThat(device.memory().liveBuffers()).isEqualTo(before + 6);
            assertThat(list.get(1).sum().item()).isEqualTo(10);
            assertThat(map.get("a").sum().item()).isEqualTo(10);
            assertThat(array[0].numel()).isEqualTo(10);
            assertThat(optional.orElseThrow().sum().item()).isEqualTo(10);
            assertThat(nested.get("b").getFirst().sum().item()).isEqualTo(10);
        });
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void soDoGradientsAndModules(Device<?> device) {
        group(device);
    }

    private static <Dev extends DeviceType> void group(Device<Dev> device) {
        long before = device.memory().liveBuffers();
        Scope.run(() -> {
            Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> layer =
                    Scope.call(() -> Linear.of(device, org.tenon.DType.F32, 3, 2, new Generator(1)));
            assertThat(device.memory().liveBuffers()).isEqualTo(before + 2);
            Gradients gradients = Scope.call(
                    () -> layer.forward(device.ones(R2.of(4, 3))).sum().backward());
            assertThat(device.memory().liveBuffers()).isEqualTo(before + 4);
            assertThat(gradients.get(layer.bias()).toDoubleArray()).containsOnly(4);
        });
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void keepHandsOnWhatIsNotReturned(Device<?> device) {
        Scope.run(() -> {
            List<Tensor<?, F32, ?>> kept = new ArrayList<>();
            Tensor<?, F32, ?> mine = some(device);
            double sum = Scope.callWith(scope -> {
                kept.add(scope.keep(some(device)));
                scope.keep(mine);
                return some(device).sum().item();
            });
            assertThat(sum).isEqualTo(10);
            assertThat(kept.getFirst().sum().item()).isEqualTo(10);
            assertThat(mine.sum().item()).isEqualTo(10);
        });
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void aViewKeepsItsMemory(Device<?> device) {
        long before = device.memory().liveBuffers();
        Scope.run(() -> {
            Tensor<?, F32, ?> view = Scope.call(() -> some(device).slice(0, 2, 5));
            assertThat(device.memory().liveBuffers()).isEqualTo(before + 1);
            assertThat(view.sum().item()).isEqualTo(3);
        });
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void whatAGraphSavedIsFreedWithItsResult(Device<?> device) {
        saved(device);
    }

    private static <Dev extends DeviceType> void saved(Device<Dev> device) {
        long before = device.memory().liveBuffers();
        Scope.run(() -> {
            Tensor<R1<Dim>, F32, Dev> x = some(device).requireGrad();
            Tensor<R1<Dim>, F32, Dev> y = Scope.call(() -> F.log(F.exp(F.sin(x))));
            assertThat(y.requiresGrad()).isTrue();
            y.close();
            assertThat(device.memory().liveBuffers()).isEqualTo(before + 1);
        });
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void useAfterCloseSaysWhatToDo(Device<?> device) {
        closed(device);
    }

    private static <Dev extends DeviceType> void closed(Device<Dev> device) {
        Tensor<R1<Dim>, F32, Dev> x = some(device);
        x.close();
        x.close();
        for (Runnable use : List.<Runnable>of(
                () -> F.exp(x),
                () -> x.add(1),
                () -> F.logSoftmax(x, 0),
                () -> x.slice(0, 1, 2),
                x::sum,
                x::toFloatArray,
                x::contiguous,
                x::requireGrad)) {
            assertThatThrownBy(use::run)
                    .isInstanceOf(TensorStateException.class)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("tensor used after it was closed (created by ones; run with -Dtenon.leaks=trace to see"
                            + " where)");
        }
        assertThat(x.toString()).contains("closed");
        List<Tensor<R1<Dim>, F32, Dev>> escaped = new ArrayList<>();
        Scope.run(() -> escaped.add(F.exp(some(device))));
        assertThatThrownBy(() -> escaped.getFirst().sum())
                .hasMessage("tensor used after its scope closed (created by exp; run with -Dtenon.leaks=trace to see"
                        + " where)");
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void aScopeOfAnotherThreadIsNotThisOnes(Device<?> device) throws InterruptedException {
        List<Tensor<?, F32, ?>> made = new ArrayList<>();
        Scope.run(() -> {
            Thread other = Thread.ofPlatform().start(() -> made.add(some(device)));
            try {
                other.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Scope.run(() -> assertThat(made.getFirst().sum().item()).isEqualTo(10));
        made.getFirst().close();
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void aLongScopeForgetsWhatWasClosedByHand(Device<?> device) {
        long before = device.memory().liveBuffers();
        Scope.run(() -> {
            for (int i = 0; i < 10_000; i++) {
                try (Tensor<?, F32, ?> x = some(device)) {
                    assertThat(x.numel()).isEqualTo(10);
                }
            }
            assertThat(device.memory().liveBuffers()).isEqualTo(before);
        });
    }
}
