package org.tenon.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.TreeSet;
import org.tenon.DType;
import org.tenon.Dim;
import org.tenon.F32;
import org.tenon.F64;
import org.tenon.HostArray;
import org.tenon.I64;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.TensorArgumentException;
import org.tenon.TensorStateException;
import org.tenon.io.FileFormatException;

/**
 * A table of comma-separated values as RFC 4180 has them: a line of column names, then rows of as many fields, in UTF-8.
 * Parsing is that of the library FastCSV, {@code de.siegmar:fastcsv}, which a program that uses this class adds to its own
 * dependencies.
 *
 * <pre>{@code
 * Csv table = Csv.read(Path.of("iris.csv"));
 * var data = TensorDataset.of(
 *         table.floats("sepal_length", "sepal_width"), table.labels("species"));
 * }</pre>
 */
public final class Csv {
    private final Path file;
    private final List<String> names;
    private final List<Row> rows;

    /** A row and the line where it starts. */
    record Row(long line, List<String> fields) {}

    private Csv(Path file, List<String> names, List<Row> rows) {
        this.file = file;
        this.names = names;
        this.rows = rows;
    }

    /** Reads a file whose fields are parted by commas. */
    public static Csv read(Path file) throws IOException {
        return read(file, ',');
    }

    /** Reads a file whose fields are parted by this character: a semicolon, a tab. */
    public static Csv read(Path file, char separator) throws IOException {
        try {
            return checked(file, CsvRows.parse(file, separator));
        } catch (NoClassDefFoundError e) {
            TensorStateException failure = new TensorStateException(
                    "csv", "the library de.siegmar:fastcsv is not in the class path; add it to your dependencies");
            failure.initCause(e);
            throw failure;
        }
    }

    private static Csv checked(Path file, List<Row> rows) throws IOException {
        if (rows.isEmpty()) {
            throw FileFormatException.atLine(file, 1, "the file is empty; its first line names the columns");
        }
        List<String> names = rows.getFirst().fields();
        if (new LinkedHashSet<>(names).size() != names.size()) {
            throw FileFormatException.atLine(file, 1, "two columns have one name: " + names);
        }
        return new Csv(file, names, rows.subList(1, rows.size()));
    }

    /** The names of the columns. */
    public List<String> names() {
        return names;
    }

    /** The number of rows, the names not among them. */
    public int size() {
        return rows.size();
    }

    /** The texts of a column. */
    public List<String> texts(String column) {
        int at = position(column);
        return rows.stream().map(row -> row.fields().get(at)).toList();
    }

    /** The numbers of these columns, all where none are named: [rows, columns]. */
    public HostArray<R2<Dim, Dim>, F32> floats(String... columns) throws IOException {
        double[] numbers = numbers(columns);
        float[] narrow = new float[numbers.length];
        for (int i = 0; i < narrow.length; i++) {
            narrow[i] = (float) numbers[i];
        }
        return HostArray.of(narrow, R2.of(size(), wanted(columns).length));
    }

    /** The same in double precision. */
    public HostArray<R2<Dim, Dim>, F64> doubles(String... columns) throws IOException {
        return HostArray.of(
                java.lang.foreign.MemorySegment.ofArray(numbers(columns)),
                R2.of(size(), wanted(columns).length),
                DType.F64);
    }

    /** The classes that occur in a column, in alphabetical order. */
    public List<String> classes(String column) {
        return List.copyOf(new TreeSet<>(texts(column)));
    }

    /** For each row the position of a column's text among its {@link #classes}. */
    public HostArray<R1<Dim>, I64> labels(String column) {
        List<String> classes = classes(column);
        return HostArray.of(texts(column).stream().mapToLong(classes::indexOf).toArray(), R1.of(size()));
    }

    private int[] wanted(String... columns) {
        return columns.length == 0
                ? java.util.stream.IntStream.range(0, names.size()).toArray()
                : Arrays.stream(columns).mapToInt(this::position).toArray();
    }

    private int position(String column) {
        int at = names.indexOf(column);
        if (at < 0) {
            throw new TensorArgumentException("csv", file + " has no column '" + column + "'; it has " + names);
        }
        return at;
    }

    private double[] numbers(String... columns) throws IOException {
        int[] wanted = wanted(columns);
        double[] numbers = new double[Math.multiplyExact(size(), wanted.length)];
        int next = 0;
        for (Row row : rows) {
            for (int column : wanted) {
                String text = row.fields().get(column).strip();
                try {
                    numbers[next++] = Double.parseDouble(text);
                } catch (NumberFormatException e) {
                    throw FileFormatException.atLine(
                            file, row.line(), "'" + text + "' in column " + names.get(column) + " is no number");
                }
            }
        }
        return numbers;
    }
}
