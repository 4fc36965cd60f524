package org.tenon.gpu;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The texts of kernels, which lie in the jar beside this package. */
public final class Sources {
    private static final Map<String, String> TEXTS = new ConcurrentHashMap<>();
    private static final Pattern INCLUDE = Pattern.compile("(?m)^#include \"([^\"]*)\"\n");

    private Sources() {}

    /** A whole program: the header of a language, what all kernels share, and the kernels of {@code file}. */
    public static String program(String header, String file) {
        return part(header) + part("common.h") + part(file + ".k");
    }

    /** A user's program: its lines are counted from 1 under the op's name. */
    public static String custom(String header, String preamble, String name, String source) {
        return part(header) + part("common.h") + "#line 1 \"arguments of " + name + "\"\n" + preamble + "#line 1 \""
                + name + "\"\n" + source;
    }

    /** With what it includes, and with the line numbers of its own file, for the messages of compilers. */
    private static String part(String name) {
        String text = TEXTS.computeIfAbsent(name, Sources::read);
        StringBuilder whole = new StringBuilder("#line 1 \"kernels/" + name + "\"\n");
        int done = 0;
        for (Matcher include = INCLUDE.matcher(text); include.find(); done = include.end()) {
            long next = text.substring(0, include.end()).lines().count() + 1;
            whole.append(text, done, include.start())
                    .append(part(include.group(1)))
                    .append("#line " + next + " \"kernels/" + name + "\"\n");
        }
        return whole.append(text, done, text.length()).toString();
    }

    private static String read(String name) {
        try (InputStream in = Sources.class.getResourceAsStream("/org/tenon/kernels/" + name)) {
            if (in == null) {
                throw new IllegalStateException("the kernel source " + name + " is not in the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
