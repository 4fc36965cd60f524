package org.tenon.io;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a checkpoint's texts say.
 *
 * @param step the step
 * @param generators how far each generator had drawn
 * @param numbers those of optimizers and others, by full names
 * @param others the texts that are the user's
 */
record CheckpointTexts(
        long step, Map<String, Position> generators, Map<String, Double> numbers, Map<String, String> others) {
    /** Where a generator was. */
    record Position(long seed, long counter) {}

    static CheckpointTexts read(
            Safetensors file, String version, String step, String generator, String number, String ours)
            throws IOException {
        Map<String, String> texts = file.metadata();
        if (!"1".equals(texts.get(version))) {
            throw new FileFormatException(
                    file.file(),
                    SafetensorsHeader.PREFIX,
                    texts.containsKey(version)
                            ? "the checkpoint is of version " + SafetensorsHeader.brief(texts.get(version))
                                    + "; this Tenon reads version 1"
                            : "the file holds tensors but is no checkpoint; load it with Weights or Safetensors");
        }
        Map<String, Position> generators = new LinkedHashMap<>();
        Map<String, Double> numbers = new LinkedHashMap<>();
        Map<String, String> others = new LinkedHashMap<>();
        try {
            for (Map.Entry<String, String> each : texts.entrySet()) {
                String name = each.getKey();
                String text = each.getValue();
                if (name.startsWith(generator)) {
                    int space = text.indexOf(' ');
                    generators.put(
                            name.substring(generator.length()),
                            new Position(
                                    Long.parseLong(text.substring(0, Math.max(0, space))),
                                    Long.parseLong(text.substring(space + 1))));
                } else if (name.startsWith(number)) {
                    numbers.put(name.substring(number.length()), Double.valueOf(text));
                } else if (!name.startsWith(ours)) {
                    others.put(name, text);
                }
            }
            return new CheckpointTexts(Long.parseLong(texts.get(step)), generators, numbers, others);
        } catch (NumberFormatException e) {
            throw new FileFormatException(
                    file.file(), SafetensorsHeader.PREFIX, "a number among the texts is none: " + e.getMessage(), e);
        }
    }

    Map<String, Double> numbersOf(String part) {
        String prefix = part + ".";
        Map<String, Double> own = new LinkedHashMap<>();
        numbers.forEach((name, number) -> {
            if (name.startsWith(prefix)) {
                own.put(name.substring(prefix.length()), number);
            }
        });
        return own;
    }
}
