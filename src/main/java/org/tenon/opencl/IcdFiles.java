package org.tenon.opencl;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The files that tell the loader where drivers are, on Linux: {@code /etc/OpenCL/vendors/*.icd}, each with the name of a
 * library in it. The loader passes over those it cannot use without a word, so they are looked at once it found nothing.
 */
final class IcdFiles {
    private static final Path FOLDER = Path.of("/etc/OpenCL/vendors");

    private IcdFiles() {}

    /** Where the loader looks: {@code OCL_ICD_VENDORS} or {@code OPENCL_VENDOR_PATH} in the environment, or the usual place. */
    static Path folder() {
        for (String name : List.of("OCL_ICD_VENDORS", "OPENCL_VENDOR_PATH")) {
            String set = System.getenv(name);
            if (set != null && !set.isBlank()) {
                return Path.of(set);
            }
        }
        return FOLDER;
    }

    /** A sentence for each file whose library does not load. */
    static List<String> troubles(Path folder, Predicate<String> loads) {
        List<String> troubles = new ArrayList<>();
        for (Path file : files(folder)) {
            String library = library(file);
            if (library.isEmpty()) {
                troubles.add(file + " names no library");
            } else if (!loads.test(library)) {
                troubles.add(file + " names " + library + ", which is missing or broken");
            }
        }
        return troubles;
    }

    private static List<Path> files(Path folder) {
        if (!Files.isDirectory(folder)) {
            return folder.toString().endsWith(".icd") && Files.isRegularFile(folder) ? List.of(folder) : List.of();
        }
        try (Stream<Path> all = Files.list(folder)) {
            return all.filter(file -> file.toString().endsWith(".icd")).sorted().toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    private static String library(Path file) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .findFirst()
                    .orElse("");
        } catch (IOException | java.io.UncheckedIOException e) {
            return "";
        }
    }
}
