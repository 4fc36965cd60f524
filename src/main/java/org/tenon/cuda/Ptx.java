package org.tenon.cuda;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A text of PTX, cut into what stands at its top level: directives, variables, functions, kernels. A text holds hundreds of
 * kernels, and the driver compiles all it is given, so it is given one kernel with what that kernel needs.
 */
final class Ptx {
    private final String text;
    private final List<Item> items = new ArrayList<>();
    private final Map<String, Item> kernels = new HashMap<>();
    private final Map<String, List<Item>> shared = new HashMap<>();

    /** Part of the text; without a name it goes into every module, as the version does. */
    private record Item(String name, int start, int end) {}

    /** Cuts a text as nvcc writes it. */
    Ptx(String text) {
        this.text = text;
        int start = 0;
        while (start < text.length()) {
            start = item(start);
        }
    }

    /** The names of its kernels. */
    Set<String> kernels() {
        return new TreeSet<>(kernels.keySet());
    }

    /** A text with this kernel alone and what it needs, or null if it is not here. */
    String module(String kernel) {
        Item wanted = kernels.get(kernel);
        if (wanted == null) {
            return null;
        }
        Set<Item> needed = new LinkedHashSet<>();
        need(wanted, needed);
        StringBuilder module = new StringBuilder();
        for (Item each : items) {
            if (each.name() == null || needed.contains(each)) {
                module.append(text, each.start(), each.end()).append('\n');
            }
        }
        return module.toString();
    }

    private void need(Item item, Set<Item> needed) {
        if (!needed.add(item) || shared.isEmpty()) {
            return;
        }
        int at = item.start();
        while (at < item.end()) {
            int end = wordEnd(at);
            if (end == at) {
                at++;
                continue;
            }
            for (Item each : shared.getOrDefault(text.substring(at, end), List.of())) {
                need(each, needed);
            }
            at = end;
        }
    }

    /** Adds what stands at {@code from}, and gives where the next may start. */
    private int item(int from) {
        int start = skipSpace(from);
        if (start == text.length()) {
            return start;
        }
        int line = lineEnd(start);
        for (String directive : List.of(".version", ".target", ".address_size", ".file")) {
            if (text.startsWith(directive, start)) {
                items.add(new Item(null, start, line));
                return line;
            }
        }
        int end = itemEnd(start);
        Item item = new Item(name(start, end), start, end);
        items.add(item);
        if (startsWith(start, ".entry")) {
            kernels.put(item.name(), item);
        } else if (item.name() != null) {
            shared.computeIfAbsent(item.name(), _ -> new ArrayList<>()).add(item);
        }
        return end;
    }

    /** The semicolon that ends a declaration, or the brace that ends a body. */
    private int itemEnd(int start) {
        int depth = 0;
        boolean body = isFunction(start) || text.startsWith(".section", start);
        for (int at = start; at < text.length(); at++) {
            switch (text.charAt(at)) {
                case '/' -> at = Math.max(at, comment(at) - 1);
                case '"' -> at = text.indexOf('"', at + 1);
                case '{' -> depth++;
                case '}' -> {
                    if (--depth == 0 && body) {
                        return at + 1;
                    }
                }
                case ';' -> {
                    if (depth == 0) {
                        return at + 1;
                    }
                }
                default -> {}
            }
        }
        return text.length();
    }

    private boolean isFunction(int start) {
        return startsWith(start, ".entry") || startsWith(start, ".func");
    }

    /** Whether the first line holds this word. */
    private boolean startsWith(int start, String word) {
        return text.substring(start, lineEnd(start)).contains(word);
    }

    /** A function's word before its parameters, a variable's before its size, value or end. */
    private String name(int start, int end) {
        int at = start;
        if (text.startsWith(".section", start)) {
            return null;
        }
        if (isFunction(start)) {
            at = text.indexOf(startsWith(start, ".entry") ? ".entry" : ".func", start);
            at = skipSpace(wordEnd(at + 1));
            if (text.charAt(at) == '(') {
                at = skipSpace(text.indexOf(')', at) + 1);
            }
            return text.substring(at, wordEnd(at));
        }
        String last = null;
        while (at < end && "[=;{".indexOf(text.charAt(at)) < 0) {
            int next = wordEnd(at);
            if (next > at) {
                last = text.substring(at, next);
            }
            at = Math.max(next, at + 1);
        }
        return last;
    }

    private int wordEnd(int at) {
        int end = at;
        while (end < text.length()
                && (Character.isLetterOrDigit(text.charAt(end)) || "_$%".indexOf(text.charAt(end)) >= 0)) {
            end++;
        }
        return end;
    }

    /** Past space and comments. */
    private int skipSpace(int from) {
        int at = from;
        while (at < text.length()) {
            if (Character.isWhitespace(text.charAt(at))) {
                at++;
            } else if (comment(at) > at) {
                at = comment(at);
            } else {
                return at;
            }
        }
        return at;
    }

    /** The end of a comment that starts here; here, if none does. */
    private int comment(int at) {
        if (text.startsWith("//", at)) {
            return lineEnd(at);
        }
        if (text.startsWith("/*", at)) {
            int end = text.indexOf("*/", at + 2);
            return end < 0 ? text.length() : end + 2;
        }
        return at;
    }

    private int lineEnd(int at) {
        int end = text.indexOf('\n', at);
        return end < 0 ? text.length() : end;
    }
}
