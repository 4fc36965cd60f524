package org.tenon.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.junit.DeviceTest;

/** Groups of parameters, and states that are read out and loaded. */
@Tag("plain")
class OptimizerStateTest {
    private interface Make<Dev extends DeviceType>
            extends Function<List<Tensor<R1<Dim>, F32, Dev>>, Optimizer<F32, Dev>> {}

    private static <Dev extends DeviceType> Map<String, Make<Dev>> kinds() {
        Map<String, Make<Dev>> kinds = new LinkedHashMap<>();
        kinds.put("SGD", p -> new SGD<>(p, 0.1));
        kinds.put("SGD momentum", p -> new SGD<>(p, 0.1, SGD.Options.DEFAULTS.momentum(0.9)));
        kinds.put("Adam", p -> new Adam<>(p, 0.1));
        kinds.put("AdamW", p -> new AdamW<>(p, 0.1));
        kinds.put(
                "RMSprop",
                p -> new RMSprop<>(p, 0.1, RMSprop.DEFAULTS.momentum(0.5).withCentring()));
        kinds.put("Adagrad", p -> new Adagrad<>(p, 0.1, new Adagrad.Options(0.1, 0, 0, 1e-10)));
        kinds.put("Lion", p -> new Lion<>(p, 0.1));
        return kinds;
    }

    @DeviceTest
    void aLoadedStateGoesOnBitForBit(Device<?> device) {
        resume(device);
    }

    private static <Dev extends DeviceType> void resume(Device<Dev> device) {
        OptimizerStateTest.<Dev>kinds()
                .forEach((name, make) -> Scope.run(() -> {
                    Tensor<R1<Dim>, F32, Dev> a = start(device);
                    Optimizer<F32, Dev> whole = make.apply(List.of(a));
                    steps(whole, a, 3);
                    Map<String, Tensor<?, ?, Dev>> copies = new LinkedHashMap<>();
                    OptimizerState<Dev> live = whole.state();
                    live.tensors().forEach((key, tensor) -> copies.put(key, tensor.copy()));
                    OptimizerState<Dev> saved = new OptimizerState<>(copies, live.numbers());
                    Tensor<R1<Dim>, F32, Dev> b = a.detach().copy().requireGrad();
                    steps(whole, a, 4);
                    Optimizer<F32, Dev> resumed = make.apply(List.of(b));
                    resumed.lr(7);
                    resumed.load(saved);
                    assertThat(resumed.lr()).isEqualTo(0.1);
                    steps(resumed, b, 4);
                    assertThat(b.toFloatArray()).as(name).isEqualTo(a.toFloatArray());
                    assertThat(saved.numbers())
                            .containsEntry("state.0.step", 3.0)
                            .containsEntry("param_groups.0.lr", 0.1);
                    assertThat(resumed.state().numbers()).containsEntry("state.0.step", 7.0);
                }));
    }

    private static <Dev extends DeviceType> Tensor<R1<Dim>, F32, Dev> start(Device<Dev> device) {
        return device.randn(R1.<Dim>of(17), DType.F32, new Generator(5)).requireGrad();
    }

    private static <Dev extends DeviceType> void steps(
            Optimizer<F32, Dev> optimizer, Tensor<R1<Dim>, F32, Dev> p, int count) {
        for (int i = 0; i < count; i++) {
            Scope.run(() -> optimizer.step(F.exp(p).sub(p).sum().backward()));
        }
    }

    @DeviceTest
    void aStateOfSomethingElseIsRefusedAndChangesNothing(Device<?> device) {
        Scope.run(() -> strange(device));
    }

    private static <Dev extends DeviceType> void strange(Device<Dev> device) {
        Tensor<R1<Dim>, F32, Dev> p = start(device);
        Adam<F32, Dev> adam = new Adam<>(List.of(p), 0.1);
        steps(adam, p, 2);
        float[] before = adam.state().tensors().get("state.0.exp_avg").toFloatArray();
        Tensor<R1<Dim>, F32, Dev> q = device.ones(R1.<Dim>of(17)).requireGrad();
        refused(
                () -> adam.load(new SGD<>(List.of(q), 1).state()),
                "Adam: the state is of another optimizer or model: missing [state.0.exp_avg, state.0.exp_avg_sq]");
        Tensor<R1<Dim>, F32, Dev> longer = device.ones(R1.<Dim>of(18)).requireGrad();
        refused(() -> adam.load(new Adam<>(List.of(longer), 1).state()), "float32[17]");
        refused(() -> adam.load(new Adam<>(List.of(q, longer), 1).state()), "unknown [state.1.exp_avg");
        OptimizerState<Dev> state = adam.state();
        Map<String, Double> numbers = new HashMap<>(state.numbers());
        numbers.put("param_groups.0.lr", Double.NaN);
        refused(() -> adam.load(new OptimizerState<>(state.tensors(), numbers)), "param_groups.0.lr is NaN");
        assertThat(adam.state().tensors().get("state.0.exp_avg").toFloatArray()).isEqualTo(before);
        assertThat(adam.state().numbers()).containsEntry("state.0.step", 2.0);
    }

    private static void refused(Runnable call, String fragment) {
        assertThatThrownBy(call::run)
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining(fragment);
    }

    @DeviceTest
    void groupsHaveTheirOwnRates(Device<?> device) {
        Scope.run(() -> groups(device));
    }

    private static <Dev extends DeviceType> void groups(Device<Dev> device) {
        Tensor<R2<Dim, Dim>, F32, Dev> weight =
                device.ones(R2.<Dim, Dim>of(2, 2)).requireGrad();
        Tensor<R1<Dim>, F32, Dev> bias = device.ones(R1.<Dim>of(2)).requireGrad();
        SGD<F32, Dev> sgd = new SGD<>(List.of(weight, weight), 0.5, SGD.Options.DEFAULTS.weightDecay(0.5));
        sgd.addGroup(List.of(bias)).lr(0.25).weightDecay(0);
        assertThat(sgd.groups()).hasSize(2);
        assertThat(sgd.groups().getFirst().parameters())
                .as("a tensor given twice")
                .hasSize(1);
        assertThat(sgd.lr()).isEqualTo(0.5);
        sgd.step(weight.sum().add(bias.sum()).backward());
        assertThat(weight.toFloatArray()).containsOnly(0.25f);
        assertThat(bias.toFloatArray()).containsOnly(0.75f);
        assertThat(sgd.state().numbers())
                .containsEntry("param_groups.0.weight_decay", 0.5)
                .containsEntry("param_groups.1.lr", 0.25)
                .containsEntry("state.1.step", 1.0);
        sgd.lr(0.125);
        assertThat(sgd.groups()).allMatch(group -> group.lr() == 0.125);
        refused(() -> sgd.groups().getFirst().lr(-1), "SGD: lr is -1.0");
    }
}
