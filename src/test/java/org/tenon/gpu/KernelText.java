package org.tenon.gpu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the text of a kernel says of its arguments: the names of its buffers, and the fields of its structure of longs. */
final class KernelText {
    private static final Pattern CHOICE = Pattern.compile("(?s)#ifdef (MOVING|LOSS)\n(.*?)(?:#else\n(.*?))?#endif\n");
    private static final Pattern MORE = Pattern.compile("#define (MORE|RULE|TARGET)( *,.*|)\n");
    private static final Pattern STRUCTURE = Pattern.compile("typedef struct \\{([^}]*)} (\\w+);");
    private static final Pattern FIELD = Pattern.compile("(\\w+)(?:\\[(\\w+)])?");
    private static final Pattern LAST = Pattern.compile("const (\\w+) \\w+");

    /** As many buffers as there are slots. */
    private static final Pattern SLOTS = Pattern.compile("ALL(?:_CONST)?\\((\\w+)\\)");

    private final List<String> buffers = new ArrayList<>();
    private final Map<String, Integer> fields = new LinkedHashMap<>();

    /** Of {@code KERNEL void kernel(...)} in a whole program, with what the options define. */
    static KernelText of(String whole, String kernel, String options) {
        String program = CHOICE.matcher(whole)
                .replaceAll(choice -> Matcher.quoteReplacement(
                        options.contains(" -D" + choice.group(1))
                                ? choice.group(2)
                                : Objects.requireNonNullElse(choice.group(3), "")));
        Matcher more = MORE.matcher(program);
        if (more.find()) {
            program = program.replace(" " + more.group(1) + ", const", more.group(2) + ", const");
        }
        String head = "KERNEL void " + kernel + "(";
        int at = program.indexOf(head);
        if (at < 0) {
            throw new AssertionError("there is no " + head);
        }
        return new KernelText(program, insideParentheses(program, at + head.length()));
    }

    /** Of {@code #define ARGUMENTS ...} in what precedes a user's kernel. */
    static KernelText ofArguments(String preamble) {
        String head = "#define ARGUMENTS ";
        int at = preamble.indexOf(head) + head.length();
        return new KernelText(preamble, preamble.substring(at, preamble.indexOf('\n', at)));
    }

    private KernelText(String program, String parameters) {
        List<String> all = new ArrayList<>();
        for (String each : parameters.split(",(?![^(]*\\))")) {
            all.add(each.strip());
        }
        Matcher last = LAST.matcher(all.removeLast());
        if (!last.matches()) {
            throw new AssertionError("the last argument is no structure: " + parameters);
        }
        for (String each : all) {
            Matcher slots = SLOTS.matcher(each);
            if (slots.matches()) {
                for (int slot = 0; slot < constant(program, "SLOTS"); slot++) {
                    buffers.add(slots.group(1) + slot);
                }
            } else {
                buffers.add(each.replaceAll(".*\\W", ""));
            }
        }
        parse(program, last.group(1));
    }

    private static String insideParentheses(String text, int from) {
        int open = 1;
        int to = from;
        while (open > 0) {
            char c = text.charAt(to++);
            open += c == '(' ? 1 : c == ')' ? -1 : 0;
        }
        return text.substring(from, to - 1);
    }

    private void parse(String program, String structure) {
        Matcher structures = STRUCTURE.matcher(program);
        while (structures.find()) {
            if (structures.group(2).equals(structure)) {
                declarations(structures.group(1), program);
                return;
            }
        }
        throw new AssertionError("there is no structure " + structure);
    }

    /** What a name is defined as, 0 where it is not. */
    private static int constant(String program, String name) {
        Matcher defined = Pattern.compile("#define " + name + " (\\d+)").matcher(program);
        return defined.find() ? Integer.parseInt(defined.group(1)) : 0;
    }

    private void declarations(String body, String program) {
        for (String declaration : body.strip().split(";\\s*")) {
            if (!declaration.startsWith("long ") && declaration.matches("[A-Z]\\w+ \\w+")) {
                // A structure within it.
                parse(program, declaration.substring(0, declaration.indexOf(' ')));
                continue;
            }
            if (!declaration.startsWith("long ")) {
                throw new AssertionError("only longs are packed, not " + declaration);
            }
            for (String each : declaration.substring("long ".length()).split(",")) {
                Matcher field = FIELD.matcher(each.strip());
                if (!field.matches()) {
                    throw new AssertionError("not a field: " + each);
                }
                fields.put(field.group(1), longs(program, field.group(2)));
            }
        }
    }

    private static int longs(String program, String size) {
        if (size == null) {
            return 0;
        }
        return Character.isDigit(size.charAt(0)) ? Integer.parseInt(size) : constant(program, size);
    }

    /** The names of the buffers. */
    List<String> buffers() {
        return buffers;
    }

    /** The structure's fields in their order, with how many longs an array has, or 0 where it is none. */
    Map<String, Integer> fields() {
        return fields;
    }

    /** The structure's size. */
    long bytes() {
        return fields.values().stream().mapToLong(longs -> Math.max(1, longs)).sum() * Long.BYTES;
    }
}
