package org.tenon.metrics;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.tenon.TensorStateException;
import org.tenon.metrics.HtmlReport.Note;

/**
 * The text of a report.
 *
 * @param title of the page
 * @param seconds how long the training has run
 * @param series the numbers by name
 * @param notes the texts
 */
record HtmlPage(String title, double seconds, Map<String, Series> series, List<Note> notes) {
    private static final String UPLOT = "/META-INF/resources/webjars/uplot/1.6.30/";
    private static final JsonFactory JSON = new JsonFactory();

    String format() throws IOException {
        return template()
                .replace("@TITLE@", escaped(title))
                .replace("@SUMMARY@", summary())
                .replace("@TABLE@", table())
                .replace("@NOTES@", texts())
                .replace("@LICENSE@", part(UPLOT + "LICENSE").replace("--", "- -"))
                .replace("@STYLE@", part(UPLOT + "dist/uPlot.min.css"))
                .replace("@UPLOT@", part(UPLOT + "dist/uPlot.iife.min.js"))
                .replace("@DATA@", data());
    }

    private static String template() throws IOException {
        return part("/org/tenon/metrics/report.html");
    }

    private static String part(String name) throws IOException {
        try (InputStream in = HtmlPage.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new TensorStateException(
                        "htmlReport",
                        name + " is not in the class path; add org.webjars.npm:uplot:1.6.30 to your dependencies");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private String summary() {
        long last = series.values().stream()
                .mapToLong(each -> each.step(each.size() - 1))
                .max()
                .orElse(0);
        long whole = (long) seconds;
        return "step " + last + ", " + String.format("%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60) + " h";
    }

    private String table() {
        StringBuilder rows = new StringBuilder();
        series.forEach((name, each) -> rows.append("<tr><th>")
                .append(escaped(name))
                .append("</th><td>")
                .append(ConsoleMetrics.format(each.last()))
                .append("</td><td>")
                .append(ConsoleMetrics.format(each.least()))
                .append("</td><td>")
                .append(each.leastStep())
                .append("</td><td>")
                .append(ConsoleMetrics.format(each.most()))
                .append("</td></tr>\n"));
        return rows.toString();
    }

    private String texts() {
        StringBuilder all = new StringBuilder();
        notes.forEach(note -> all.append("<h3>")
                .append(escaped(note.name()))
                .append(" <small>step ")
                .append(note.step())
                .append("</small></h3>\n<pre>")
                .append(escaped(note.text()))
                .append("</pre>\n"));
        return all.toString();
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("@", "&#64;");
    }

    /** The charts: for each group its steps, and for each of its series a number or null at each step. */
    private String data() throws IOException {
        Map<String, List<String>> groups = new LinkedHashMap<>();
        for (String name : series.keySet()) {
            int slash = name.indexOf('/');
            groups.computeIfAbsent(slash > 0 ? name.substring(0, slash) : name, _ -> new ArrayList<>())
                    .add(name);
        }
        StringWriter out = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(out)) {
            json.writeStartArray();
            for (Map.Entry<String, List<String>> group : groups.entrySet()) {
                json.writeStartObject();
                json.writeStringField("title", group.getKey());
                json.writeArrayFieldStart("names");
                for (String name : group.getValue()) {
                    json.writeString(name);
                }
                json.writeEndArray();
                json.writeArrayFieldStart("data");
                columns(json, group.getValue());
                json.writeEndArray();
                json.writeEndObject();
            }
            json.writeEndArray();
        }
        // Nothing in a text may end the script.
        return out.toString().replace("<", "\\u003c").replace("@", "\\u0040");
    }

    private void columns(JsonGenerator json, List<String> names) throws IOException {
        TreeSet<Long> steps = new TreeSet<>();
        for (String name : names) {
            Series each = series.get(name);
            for (int i = 0; i < each.size(); i++) {
                steps.add(each.step(i));
            }
        }
        json.writeStartArray();
        for (long step : steps) {
            json.writeNumber(step);
        }
        json.writeEndArray();
        for (String name : names) {
            Series each = series.get(name);
            Map<Long, Double> byStep = new LinkedHashMap<>();
            for (int i = 0; i < each.size(); i++) {
                byStep.put(each.step(i), each.value(i));
            }
            json.writeStartArray();
            for (long step : steps) {
                Double value = byStep.get(step);
                if (value == null || !Double.isFinite(value)) {
                    json.writeNull();
                } else {
                    json.writeNumber(value);
                }
            }
            json.writeEndArray();
        }
    }
}
