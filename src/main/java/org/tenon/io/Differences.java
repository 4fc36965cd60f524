package org.tenon.io;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tenon.Tensor;

/** How a file differs from the state that is to be loaded from it. */
final class Differences {
    private final List<String> missing = new ArrayList<>();
    private final List<String> unexpected = new ArrayList<>();
    private final List<String> mismatched = new ArrayList<>();

    /** Compares names, element types and shapes. */
    void tensors(Map<String, Tensor<?, ?, ?>> wanted, Map<String, Safetensors.Entry> found) {
        wanted.forEach((name, tensor) -> {
            Safetensors.Entry entry = found.get(name);
            if (entry == null) {
                missing.add(name);
            } else if (entry.dtype() != tensor.dtype() || !Arrays.equals(entry.shape(), tensor.shape())) {
                mismatched.add(name + " (the file has " + entry.describe() + ", wanted is "
                        + StoredType.of(tensor.dtype()) + Arrays.toString(tensor.shape()) + ")");
            }
        });
        found.keySet().stream()
                .filter(name -> !wanted.containsKey(name))
                .map(SafetensorsHeader::brief)
                .forEach(unexpected::add);
    }

    /** Compares names of things that are no tensors, {@code what} in front of each. */
    void names(String what, Set<String> wanted, Set<String> found) {
        wanted.stream().filter(name -> !found.contains(name)).forEach(name -> missing.add(what + " " + name));
        found.stream()
                .filter(name -> !wanted.contains(name))
                .forEach(name -> unexpected.add(what + " " + SafetensorsHeader.brief(name)));
    }

    void raise(Path file) {
        if (!missing.isEmpty() || !unexpected.isEmpty() || !mismatched.isEmpty()) {
            throw new StateMismatchException(file, missing, unexpected, mismatched);
        }
    }
}
