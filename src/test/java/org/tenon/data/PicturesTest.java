package org.tenon.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F32;
import org.tenon.HostArray;
import org.tenon.R3;
import org.tenon.io.FileFormatException;

/** Readers of pictures. Needs the module java.desktop. */
class PicturesTest {
    @TempDir
    private Path folder;

    private Path write(String name, byte... bytes) throws IOException {
        return Files.write(folder.resolve(name), bytes);
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private Path picture(String name, int width, int height, int... argb) throws IOException {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_ARGB);
        image.setRGB(0, 0, width, height, argb, 0, width);
        ImageIO.write(image, "png", folder.resolve(name).toFile());
        return folder.resolve(name);
    }

    @Test
    void pictures() throws IOException {
        Path file = picture("x.png", 2, 1, 0xFFFF0000, 0xFF3366CC);
        HostArray<R3<Dim, Dim, Dim>, F32> rgb = Images.read(file, Images.Colors.RGB);
        assertThat(rgb.shape()).containsExactly(3, 1, 2);
        assertThat(rgb.on(Devices.cpu()).toFloatArray())
                .containsExactly(new float[] {1, 0.2f, 0, 0.4f, 0, 0.8f}, within(1e-6f));
        HostArray<R3<Dim, Dim, Dim>, F32> gray = Images.read(file, Images.Colors.GRAY);
        assertThat(gray.shape()).containsExactly(1, 1, 2);
        assertThat(gray.on(Devices.cpu()).toFloatArray())
                .containsExactly(new float[] {0.299f, 0.299f * 0.2f + 0.587f * 0.4f + 0.114f * 0.8f}, within(1e-6f));
        HostArray<R3<Dim, Dim, Dim>, F32> scaled = Images.read(
                picture("y.png", 2, 2, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF), Images.Colors.GRAY, 5, 3);
        assertThat(scaled.shape()).containsExactly(1, 5, 3);
        assertThat(scaled.on(Devices.cpu()).toFloatArray()).containsOnly(1);
    }

    @Test
    void badPicturesAreRefused() throws IOException {
        assertThatThrownBy(() -> Images.read(write("x.png", "no picture"), Images.Colors.RGB))
                .isInstanceOf(FileFormatException.class)
                .hasMessageContaining("this is no picture");
        byte[] whole = Files.readAllBytes(picture("x.png", 8, 8, new int[64]));
        write("cut.png", Arrays.copyOf(whole, 40));
        assertThatThrownBy(() -> Images.read(folder.resolve("cut.png"), Images.Colors.RGB))
                .isInstanceOf(FileFormatException.class)
                .hasMessageContaining("cannot be decoded");
        ByteBuffer.wrap(whole).putInt(16, 60000).putInt(20, 60000);
        assertThatThrownBy(() -> Images.read(write("huge.png", whole), Images.Colors.RGB))
                .isInstanceOf(FileFormatException.class)
                .hasMessageContaining("60000 by 60000");
        assertThatThrownBy(() -> Images.read(folder.resolve("no"), Images.Colors.RGB))
                .hasMessageContaining("no such file");
    }

    @Test
    void foldersOfPictures() throws IOException {
        Files.createDirectories(folder.resolve("set/b"));
        Files.createDirectories(folder.resolve("set/a"));
        picture("set/b/1.png", 1, 1, 0xFF000000);
        picture("set/a/2.png", 1, 1, 0xFFFFFFFF);
        picture("set/a/1.PNG", 1, 1, 0xFFFFFFFF);
        Files.write(folder.resolve("set/a/notes.txt"), "x".getBytes(StandardCharsets.UTF_8));
        ImageFolder pictures = ImageFolder.of(folder.resolve("set"));
        assertThat(pictures.classes()).containsExactly("a", "b");
        assertThat(pictures.size()).isEqualTo(3);
        assertThat(pictures.get(2).label()).isEqualTo(1);
        Dataset<Float> brightness = pictures.map(each -> (float)
                Images.read(each.file(), Images.Colors.GRAY).on(Devices.cpu()).item());
        assertThat(List.of(brightness.get(0), brightness.get(1), brightness.get(2)))
                .containsExactly(1f, 1f, 0f);
        assertThatThrownBy(() -> ImageFolder.of(folder.resolve("set/a")))
                .hasMessageContaining("no folders with pictures");
    }
}
