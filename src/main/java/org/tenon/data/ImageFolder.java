package org.tenon.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A folder with one folder of pictures for each class. Torchvision: {@code ImageFolder}. Classes are numbered in the
 * alphabetical order of their folders, pictures in that of their names.
 */
public final class ImageFolder implements Dataset<ImageFolder.Labelled> {
    private static final Set<String> ENDINGS = Set.of("png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff");

    private final List<String> classes;
    private final List<Labelled> pictures;

    /**
     * A picture and its class.
     *
     * @param file the picture
     * @param label the number of its class
     */
    public record Labelled(Path file, int label) {}

    private ImageFolder(List<String> classes, List<Labelled> pictures) {
        this.classes = classes;
        this.pictures = pictures;
    }

    /** The pictures below a folder; they are read when they are asked for. */
    public static ImageFolder of(Path root) throws IOException {
        List<String> classes = new ArrayList<>();
        List<Labelled> pictures = new ArrayList<>();
        for (Path folder : sorted(root)) {
            if (Files.isDirectory(folder)) {
                int label = classes.size();
                classes.add(folder.getFileName().toString());
                sorted(folder).stream()
                        .filter(file -> ENDINGS.contains(ending(file)))
                        .forEach(file -> pictures.add(new Labelled(file, label)));
            }
        }
        if (pictures.isEmpty()) {
            throw new IOException(root + " has no folders with pictures in them; one for each class is wanted");
        }
        return new ImageFolder(List.copyOf(classes), List.copyOf(pictures));
    }

    private static List<Path> sorted(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.sorted().toList();
        }
    }

    private static String ending(Path file) {
        String name = file.getFileName().toString();
        return name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    }

    /** The names of the classes. */
    public List<String> classes() {
        return classes;
    }

    @Override
    public int size() {
        return pictures.size();
    }

    @Override
    public Labelled get(int index) {
        return pictures.get(index);
    }
}
