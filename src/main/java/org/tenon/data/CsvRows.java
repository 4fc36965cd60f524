package org.tenon.data;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tenon.io.FileFormatException;

/** The rows of a file, by FastCSV. Apart from {@link Csv}, which must load where that library is not. */
final class CsvRows {
    private CsvRows() {}

    static List<Csv.Row> parse(Path file, char separator) throws IOException {
        List<Csv.Row> rows = new ArrayList<>();
        try (CsvReader<CsvRecord> reader =
                CsvReader.builder().fieldSeparator(separator).ofCsvRecord(file, StandardCharsets.UTF_8)) {
            for (CsvRecord each : reader) {
                rows.add(new Csv.Row(each.getStartingLineNumber(), each.getFields()));
            }
            return rows;
        } catch (NoSuchFileException e) {
            throw new IOException(file + ": there is no such file", e);
        } catch (CsvParseException e) {
            String why = e.getCause() == null ? e.getMessage() : e.getCause().getMessage();
            FileFormatException failure = FileFormatException.atLine(
                    file, rows.isEmpty() ? 1 : rows.getLast().line() + 1, "here or after: " + why);
            failure.initCause(e);
            throw failure;
        } catch (IOException | UncheckedIOException e) {
            throw new IOException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
