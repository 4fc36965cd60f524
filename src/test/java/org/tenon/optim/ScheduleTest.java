package org.tenon.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F32;
import org.tenon.R1;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;

/** Learning rates, step by step, beside the recursions and numbers of PyTorch's documentation. */
class ScheduleTest {
    private static double[] rates(Schedule schedule, int steps) {
        double[] rates = new double[steps];
        for (int i = 0; i < steps; i++) {
            rates[i] = schedule.rate(0.5, i);
        }
        return rates;
    }

    private static void close(double[] actual, double... expected) {
        assertThat(actual).hasSize(expected.length);
        for (int i = 0; i < expected.length; i++) {
            assertThat(actual[i]).as("step %d", i).isCloseTo(expected[i], within(1e-12));
        }
    }

    @Test
    void steps() {
        close(rates(Schedule.constant(), 3), 0.5, 0.5, 0.5);
        close(rates(Schedule.step(2, 0.1), 5), 0.5, 0.5, 0.05, 0.05, 0.005);
        close(rates(Schedule.multiStep(0.1, 3, 1), 5), 0.5, 0.05, 0.05, 0.005, 0.005);
        close(rates(Schedule.exponential(0.5), 4), 0.5, 0.25, 0.125, 0.0625);
        close(rates(Schedule.lambda(step -> 1.0 / (1 + step)), 3), 0.5, 0.25, 0.5 / 3);
        close(rates(Schedule.linear(0.2, 1, 4), 6), 0.1, 0.2, 0.3, 0.4, 0.5, 0.5);
        close(rates(Schedule.step(1, 0.5).times(Schedule.lambda(step -> 2)), 2), 1, 0.5);
    }

    /** The recursion of PyTorch's page: {@code (1 + cos(pi t / T)) / (1 + cos(pi (t - 1) / T)) (lr - least) + least}. */
    @Test
    void theCosineIsItsRecursion() {
        int steps = 37;
        double[] rates = rates(Schedule.cosine(steps, 0.01), steps + 3);
        double rate = 0.5;
        for (int t = 1; t < steps; t++) {
            rate = (1 + Math.cos(Math.PI * t / steps)) / (1 + Math.cos(Math.PI * (t - 1) / steps)) * (rate - 0.01)
                    + 0.01;
            assertThat(rates[t]).isCloseTo(rate, within(1e-12));
        }
        assertThat(rates[steps]).isEqualTo(0.01);
        assertThat(rates[steps + 2]).isEqualTo(0.01);
    }

    @Test
    void oneCycleGoesUpAndDown() {
        double[] rates = rates(Schedule.oneCycle(100), 101);
        assertThat(rates[0]).isCloseTo(0.5 / 25, within(1e-15));
        assertThat(rates[29]).isCloseTo(0.5, within(1e-15));
        assertThat(rates[99]).isCloseTo(0.5 / 250_000, within(1e-15));
        assertThat(rates[100]).isEqualTo(rates[99]);
        for (int i = 1; i < 100; i++) {
            assertThat(rates[i] > rates[i - 1]).as("step %d", i).isEqualTo(i <= 29);
        }
        double half = 0.5 / 25 + (0.5 - 0.5 / 25) * (1 - Math.cos(Math.PI * 10 / 29)) / 2;
        assertThat(rates[10]).isCloseTo(half, within(1e-12));
    }

    @Test
    void sequences() {
        Schedule schedule = Schedule.sequential(
                List.of(Schedule.linear(0, 1, 2), Schedule.step(2, 0.1), Schedule.constant()), 2, 5);
        close(rates(schedule, 7), 0, 0.25, 0.5, 0.5, 0.05, 0.5, 0.5);
        assertThatThrownBy(() -> Schedule.sequential(List.of(Schedule.constant()), 3))
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining("one milestone fewer");
        assertThatThrownBy(() -> Schedule.step(0, 1)).hasMessageContaining("step: size 0");
        assertThatThrownBy(() -> Schedule.oneCycle(10, 1.5, 1, 1)).hasMessageContaining("1.5");
    }

    private static void withOptimizer(Consumer<Optimizer<?, ?>> body) {
        Scope.run(() -> on(Devices.get("cpu"), body));
    }

    private static <Dev extends DeviceType> void on(Device<Dev> device, Consumer<Optimizer<?, ?>> body) {
        Tensor<R1<Dim>, F32, Dev> a = device.ones(R1.<Dim>of(2)).requireGrad();
        Tensor<R1<Dim>, F32, Dev> b = device.ones(R1.<Dim>of(2)).requireGrad();
        SGD<F32, Dev> sgd = new SGD<>(List.of(a), 0.5);
        sgd.addGroup(List.of(b)).lr(0.1);
        body.accept(sgd);
    }

    @Test
    void aSchedulerSetsEveryGroupAndGoesOn() {
        withOptimizer(sgd -> {
            LRScheduler scheduler = new LRScheduler(sgd, Schedule.linear(0, 1, 4));
            assertThat(sgd.lr()).isZero();
            scheduler.step();
            scheduler.step();
            assertThat(sgd.groups().get(0).lr()).isEqualTo(0.25);
            assertThat(sgd.groups().get(1).lr()).isEqualTo(0.05);
            var state = scheduler.state();
            assertThat(state).containsEntry("last_epoch", 2.0).containsEntry("base_lrs.1", 0.1);
            LRScheduler other = new LRScheduler(sgd, Schedule.linear(0, 1, 4));
            other.load(state);
            other.step();
            assertThat(other.steps()).isEqualTo(3);
            assertThat(sgd.lr()).isEqualTo(0.375);
            assertThatThrownBy(() -> other.load(java.util.Map.of())).isInstanceOf(TensorArgumentException.class);
        });
    }

    @Test
    void aPlateauLowersTheRate() {
        withOptimizer(sgd -> {
            var options = ReduceLROnPlateau.Options.DEFAULTS
                    .patience(1)
                    .factor(0.5)
                    .cooldown(1)
                    .least(0.2);
            ReduceLROnPlateau plateau = new ReduceLROnPlateau(sgd, options);
            double[] losses = {1, 0.9, 0.9, 0.89999, 0.95, 0.95, 0.95, 0.8, 1, Double.NaN, 1};
            double[] rates = {0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2, 0.2};
            for (int i = 0; i < losses.length; i++) {
                plateau.step(losses[i]);
                assertThat(sgd.lr()).as("after loss %d", i).isEqualTo(rates[i]);
            }
            ReduceLROnPlateau other = new ReduceLROnPlateau(sgd, options);
            other.load(plateau.state());
            assertThat(other.state()).isEqualTo(plateau.state()).containsEntry("best", 0.8);
            ReduceLROnPlateau climbing = new ReduceLROnPlateau(
                    sgd, options.mode(ReduceLROnPlateau.Mode.MAX).least(0).patience(0));
            climbing.step(0.1);
            climbing.step(0.2);
            assertThat(sgd.lr()).isEqualTo(0.2);
            climbing.step(0.15);
            assertThat(sgd.lr()).isEqualTo(0.1);
            assertThatThrownBy(() -> new ReduceLROnPlateau(sgd, options.factor(1)))
                    .hasMessageContaining("factor 1.0 is outside (0, 1)");
        });
    }
}
