package org.tenon.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Each reason why there is no device, as the sources have it, is on the page that says what to do about it. */
class TroubleshootingTest {
    private static final Pattern REASON = Pattern.compile("new Availability\\.(?:Absent|Broken)\\(");
    private static final Pattern TEXT = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"");
    private static final int FEWEST = 24;
    private static final int SHORT = 5;

    @Test
    void everyReasonIsOnThePage() throws IOException {
        String page = Files.readString(Path.of("docs", "troubleshooting.md"));
        int seen = 0;
        int silent = 0;
        try (Stream<Path> sources = Files.walk(Path.of("src", "main", "java"))) {
            for (Path source :
                    sources.filter(file -> file.toString().endsWith(".java")).toList()) {
                String code = Files.readString(source);
                Matcher reason = REASON.matcher(code);
                while (reason.find()) {
                    seen++;
                    String text = longest(arguments(code, reason.end()));
                    if (text.length() < SHORT) {
                        silent++;
                        continue;
                    }
                    assertThat(page)
                            .as("docs/troubleshooting.md, for %s", source)
                            .contains(text);
                }
            }
        }
        assertThat(seen).as("reasons in the sources").isGreaterThanOrEqualTo(FEWEST);
        assertThat(silent).as("reasons without a text of their own").isLessThanOrEqualTo(1);
    }

    /** Up to the parenthesis that closes; texts may hold others. */
    private static String arguments(String code, int from) {
        int depth = 1;
        boolean text = false;
        for (int at = from; at < code.length(); at++) {
            char c = code.charAt(at);
            if (c == '"' && code.charAt(at - 1) != '\\') {
                text = !text;
            } else if (!text && c == '(') {
                depth++;
            } else if (!text && c == ')' && --depth == 0) {
                return code.substring(from, at);
            }
        }
        return code.substring(from);
    }

    private static String longest(String arguments) {
        List<String> texts = TEXT.matcher(arguments)
                .results()
                .map((MatchResult each) -> each.group(1).strip().replaceAll("[;,]$", ""))
                .toList();
        return texts.stream().max(Comparator.comparingInt(String::length)).orElse("");
    }
}
