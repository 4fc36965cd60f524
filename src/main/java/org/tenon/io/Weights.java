package org.tenon.io;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tenon.Tensor;
import org.tenon.nn.Module;

/**
 * The parameters and buffers of a module as a safetensors file, by the module's names: the form in which weights are
 * exchanged. PyTorch: {@code safetensors.torch.save_model} and {@code load_model}. For a training that is to go on see
 * {@link Checkpoint}.
 */
public final class Weights {
    private Weights() {}

    /** Replaces the file by the module's parameters and buffers. */
    public static void save(Module<?, ?> module, Path file) throws IOException {
        Safetensors.write(file, tensors(module), Map.of());
    }

    /**
     * Copies a file's tensors into the module's, on whatever device they are. Names, shapes and element types must agree, or
     * a {@link StateMismatchException} lists all that differ and nothing changes. A file without Tenon's checksum, as other
     * programs write them, is taken as it is.
     */
    public static void load(Module<?, ?> module, Path file) throws IOException {
        Map<String, Tensor<?, ?, ?>> wanted = tensors(module);
        try (Safetensors opened = Safetensors.open(file)) {
            if (opened.metadata().containsKey(SafetensorsWriter.CHECKSUM)) {
                opened.verify();
            }
            Differences differences = new Differences();
            differences.tensors(wanted, opened.entries());
            differences.raise(file);
            opened.copyInto(wanted);
        }
    }

    static Map<String, Tensor<?, ?, ?>> tensors(Module<?, ?> module) {
        Map<String, Tensor<?, ?, ?>> all = new LinkedHashMap<>(module.namedParameters());
        all.putAll(module.namedBuffers());
        return all;
    }
}
