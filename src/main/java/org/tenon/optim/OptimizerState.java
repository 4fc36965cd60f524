package org.tenon.optim;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tenon.DeviceType;
import org.tenon.Tensor;

/**
 * What an optimizer remembers between steps, by names as PyTorch's {@code state_dict} has them: tensors such as
 * {@code state.0.exp_avg}, numbers such as {@code state.0.step}, {@code param_groups.0.lr} and
 * {@code param_groups.0.weight_decay}. Parameters are counted through all groups, in order. The rates and decays that an
 * optimizer was made with otherwise, such as Adam's betas, are its options and no state.
 *
 * @param tensors by name
 * @param numbers by name
 * @param <Dev> device type
 */
public record OptimizerState<Dev extends DeviceType>(
        Map<String, Tensor<?, ?, Dev>> tensors, Map<String, Double> numbers) {
    /** A copy of the maps, in their order; the tensors are not copied. */
    public OptimizerState {
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
        numbers = Collections.unmodifiableMap(new LinkedHashMap<>(numbers));
    }
}
