package org.tenon.io;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.tenon.DeviceType;
import org.tenon.Generator;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.nn.Module;
import org.tenon.optim.Optimizer;
import org.tenon.optim.OptimizerState;

/**
 * The state of a training in one safetensors file: parameters and buffers, optimizers, generators, the step. Name its parts
 * once, then {@link #save} them and {@link #load} them back; a training that loads goes on bit for bit as if it had never
 * stopped.
 *
 * <pre>{@code
 * Checkpoint checkpoint = new Checkpoint()
 *         .module("model", model)
 *         .optimizer("optimizer", optimizer)
 *         .generator("generator", generator);
 * long step = Files.exists(file) ? checkpoint.load(file).step() : 0;
 * ...
 * checkpoint.save(file, step);
 * }</pre>
 *
 * <p>The file is replaced in one step when the new one is whole and on the disk. It carries a checksum: one that is damaged
 * is refused. It may be loaded on another kind of device than it was saved on.
 */
public final class Checkpoint {
    private static final String OURS = "tenon.";
    private static final String VERSION = OURS + "checkpoint";
    private static final String STEP = OURS + "step";
    private static final String GENERATOR = OURS + "generator.";
    private static final String NUMBER = OURS + "number.";

    private final Map<String, Module<?, ?>> modules = new LinkedHashMap<>();
    private final Map<String, Optimizer<?, ?>> optimizers = new LinkedHashMap<>();
    private final Map<String, Generator> generators = new LinkedHashMap<>();
    private final Map<String, Numbers> numbers = new LinkedHashMap<>();

    /** A checkpoint of nothing so far. */
    public Checkpoint() {}

    private record Numbers(Supplier<Map<String, Double>> state, Consumer<Map<String, Double>> load) {}

    /**
     * What a file said besides the state.
     *
     * @param step the step it was saved after
     * @param metadata the texts it was saved with
     */
    public record Loaded(long step, Map<String, String> metadata) {}

    /** Adds the parameters and buffers of a module, under {@code name.} and their own names. */
    public Checkpoint module(String name, Module<?, ?> module) {
        modules.put(free(name), module);
        return this;
    }

    /** Adds the state of an optimizer. */
    public Checkpoint optimizer(String name, Optimizer<?, ?> optimizer) {
        optimizers.put(free(name), optimizer);
        return this;
    }

    /** Adds a generator: its seed, and how far it has drawn. */
    public Checkpoint generator(String name, Generator generator) {
        generators.put(free(name), generator);
        return this;
    }

    /** Adds numbers that something else remembers, a learning-rate schedule or a loss scale. */
    public Checkpoint numbers(String name, Supplier<Map<String, Double>> state, Consumer<Map<String, Double>> load) {
        numbers.put(free(name), new Numbers(state, load));
        return this;
    }

    private String free(String name) {
        if (name.isBlank() || name.contains(".")) {
            throw new TensorArgumentException(
                    "checkpoint", "name '" + name + "' is blank or has a dot; use a plain name");
        }
        if (modules.containsKey(name)
                || optimizers.containsKey(name)
                || generators.containsKey(name)
                || numbers.containsKey(name)) {
            throw new TensorArgumentException("checkpoint", "name '" + name + "' is taken; use another");
        }
        return name;
    }

    /** Replaces the file by the state after this step. */
    public void save(Path file, long step) throws IOException {
        save(file, step, Map.of());
    }

    /** As above, with texts to remember: settings, a version. */
    public void save(Path file, long step, Map<String, String> metadata) throws IOException {
        save(file, step, metadata, UnaryOperator.identity());
    }

    void save(Path file, long step, Map<String, String> metadata, UnaryOperator<AtomicFile.Sink> around)
            throws IOException {
        Map<String, String> texts = new TreeMap<>();
        metadata.forEach((name, text) -> {
            if (name.startsWith(OURS)) {
                throw new TensorArgumentException(
                        "checkpoint", "metadata '" + name + "' starts with " + OURS + "; use another name");
            }
            texts.put(name, text);
        });
        texts.put(VERSION, "1");
        texts.put(STEP, Long.toString(step));
        generators.forEach(
                (name, generator) -> texts.put(GENERATOR + name, generator.seed() + " " + generator.position()));
        allNumbers().forEach((name, number) -> texts.put(NUMBER + name, number.toString()));
        SafetensorsWriter.write(file, tensors(), texts, around);
    }

    private Map<String, Tensor<?, ?, ?>> tensors() {
        Map<String, Tensor<?, ?, ?>> all = new LinkedHashMap<>();
        modules.forEach((name, module) ->
                Weights.tensors(module).forEach((inner, tensor) -> all.put(name + "." + inner, tensor)));
        optimizers.forEach((name, optimizer) ->
                optimizer.state().tensors().forEach((inner, tensor) -> all.put(name + "." + inner, tensor)));
        return all;
    }

    private Map<String, Double> allNumbers() {
        Map<String, Double> all = new LinkedHashMap<>();
        optimizers.forEach((name, optimizer) ->
                optimizer.state().numbers().forEach((inner, number) -> all.put(name + "." + inner, number)));
        numbers.forEach(
                (name, each) -> each.state().get().forEach((inner, number) -> all.put(name + "." + inner, number)));
        return all;
    }

    /**
     * Loads what {@link #save} wrote. Everything is checked first: if the file is damaged a {@link FileFormatException} says
     * where, if it holds another state a {@link StateMismatchException} lists all that differs, and nothing changes.
     */
    public Loaded load(Path file) throws IOException {
        Map<String, Tensor<?, ?, ?>> wanted = tensors();
        try (Safetensors opened = Safetensors.open(file)) {
            opened.verify();
            CheckpointTexts texts = CheckpointTexts.read(opened, VERSION, STEP, GENERATOR, NUMBER, OURS);
            Differences differences = new Differences();
            differences.tensors(wanted, opened.entries());
            differences.names(
                    "generator", generators.keySet(), texts.generators().keySet());
            differences.names("number", allNumbers().keySet(), texts.numbers().keySet());
            differences.raise(file);
            opened.copyInto(wanted);
            generators.forEach((name, generator) -> {
                CheckpointTexts.Position position = texts.generators().get(name);
                generator.restore(position.seed(), position.counter());
            });
            optimizers.forEach((name, optimizer) -> restore(optimizer, texts.numbersOf(name)));
            numbers.forEach((name, each) -> each.load().accept(texts.numbersOf(name)));
            return new Loaded(texts.step(), texts.others());
        }
    }

    /** The tensors are already the file's; what is left are the numbers. */
    private static <Dev extends DeviceType> void restore(Optimizer<?, Dev> optimizer, Map<String, Double> numbers) {
        optimizer.load(new OptimizerState<>(optimizer.state().tensors(), numbers));
    }
}
