package org.tenon.gpu;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The texts of kernels, which lie in the jar beside this package. */
public final class Sources {
    private static final Map<String, String> TEXTS = new ConcurrentHashMap<>();

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

    /** With the line numbers of its own file, for the messages of compilers. */
    private static String part(String name) {
        return "#line 1 \"kernels/" + name + "\"\n" + TEXTS.computeIfAbsent(name, Sources::read);
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
