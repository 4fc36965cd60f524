package org.tenon.data;

import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import org.tenon.Dim;
import org.tenon.F32;
import org.tenon.HostArray;
import org.tenon.R3;
import org.tenon.TensorArgumentException;
import org.tenon.io.FileFormatException;

/**
 * Pictures in the formats that the JDK's ImageIO reads (PNG, JPEG, GIF, BMP, TIFF): [channels, height, width], float32 of
 * [0, 1]. Their size is looked at before anything is decoded. Needs the JDK's module {@code java.desktop}.
 */
public final class Images {
    private static final long LARGEST = 100_000_000;

    /** Pixels that may be packed however densely, and how many a byte holds at most where there are more. */
    private static final long UNSUSPECTED = 25_000_000;

    private static final long USUAL_DENSITY = 400;

    private Images() {}

    /** What becomes of colours. */
    public enum Colors {
        /** One channel, the luma of ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B. */
        GRAY(1),
        /** Red, green and blue; what is transparent shows black. */
        RGB(3);

        private final int channels;

        Colors(int channels) {
            this.channels = channels;
        }

        /** The number of channels. */
        public int channels() {
            return channels;
        }
    }

    /** Reads a picture in its own size. */
    public static <C extends Dim, H extends Dim, W extends Dim> HostArray<R3<C, H, W>, F32> read(
            Path file, Colors colors) throws IOException {
        return pixels(decode(file), colors);
    }

    /** Reads a picture and scales it, by bilinear interpolation, to this size. */
    public static <C extends Dim, H extends Dim, W extends Dim> HostArray<R3<C, H, W>, F32> read(
            Path file, Colors colors, int height, int width) throws IOException {
        if (height < 1 || width < 1) {
            throw new TensorArgumentException("images", "size " + height + " by " + width + " is not 1 by 1 or more");
        }
        BufferedImage image = decode(file);
        return pixels(
                image.getHeight() == height && image.getWidth() == width ? image : scaled(image, height, width),
                colors);
    }

    private static BufferedImage decode(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + ": there is no such file");
        }
        try (ImageInputStream in = ImageIO.createImageInputStream(file.toFile())) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (!readers.hasNext()) {
                throw new FileFormatException(
                        file, 0, "this is no picture of a format that is read: png, jpeg, gif, bmp, tiff");
            }
            ImageReader reader = readers.next();
            try {
                reader.setInput(in, true, true);
                long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
                if (pixels > LARGEST) {
                    throw new FileFormatException(
                            file,
                            in.getStreamPosition(),
                            "the picture would be " + reader.getWidth(0) + " by " + reader.getHeight(0) + "; at most "
                                    + LARGEST + " pixels are read");
                }
                if (pixels > UNSUSPECTED && pixels / USUAL_DENSITY > Files.size(file)) {
                    throw new FileFormatException(
                            file,
                            in.getStreamPosition(),
                            "the picture would unpack " + Files.size(file) + " bytes to " + reader.getWidth(0) + " by "
                                    + reader.getHeight(0)
                                    + ", which is what a trap does; if you trust it, save it less densely packed");
                }
                return reader.read(0);
            } catch (FileFormatException e) {
                throw e;
            } catch (IOException | RuntimeException e) {
                throw new FileFormatException(
                        file,
                        Math.max(0, in.getStreamPosition()),
                        "the picture cannot be decoded: " + e.getMessage(),
                        e);
            } finally {
                reader.dispose();
            }
        }
    }

    private static BufferedImage scaled(BufferedImage image, int height, int width) {
        BufferedImage scaled = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = scaled.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        graphics.drawImage(image, 0, 0, width, height, null);
        graphics.dispose();
        return scaled;
    }

    private static <C extends Dim, H extends Dim, W extends Dim> HostArray<R3<C, H, W>, F32> pixels(
            BufferedImage image, Colors colors) {
        int height = image.getHeight();
        int width = image.getWidth();
        int area = height * width;
        float[] out = new float[colors.channels * area];
        int[] row = new int[width];
        for (int y = 0; y < height; y++) {
            image.getRGB(0, y, width, 1, row, 0, width);
            for (int x = 0; x < width; x++) {
                int alpha = row[x] >>> 24;
                float scale = alpha / (255f * 255f);
                float red = (row[x] >> 16 & 0xFF) * scale;
                float green = (row[x] >> 8 & 0xFF) * scale;
                float blue = (row[x] & 0xFF) * scale;
                int at = y * width + x;
                switch (colors) {
                    case GRAY -> out[at] = 0.299f * red + 0.587f * green + 0.114f * blue;
                    case RGB -> {
                        out[at] = red;
                        out[area + at] = green;
                        out[2 * area + at] = blue;
                    }
                }
            }
        }
        return HostArray.of(out, R3.of(colors.channels, height, width));
    }
}
