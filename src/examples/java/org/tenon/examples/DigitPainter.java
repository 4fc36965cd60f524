package org.tenon.examples;

import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.HostArray;
import org.tenon.I64;
import org.tenon.R1;
import org.tenon.R4;
import org.tenon.data.TensorDataset;
import org.tenon.examples.DigitModel.Channels;
import org.tenon.examples.DigitModel.Columns;
import org.tenon.examples.DigitModel.Images;
import org.tenon.examples.DigitModel.Rows;

/** Paints digits of five by seven blocks, each turned, slanted, stretched and moved a little, with noise. */
final class DigitPainter {
    private static final int SIDE = DigitModel.SIDE;
    private static final int WIDTH = 5;
    private static final int HEIGHT = 7;

    private static final String[] FONT = {
        ".###.#...##..###.#.###..##...#.###.",
        "..#...##....#....#....#....#...###.",
        ".###.#...#....#...#...#...#...#####",
        "#####...#...#.....#.....##...#.###.",
        "...#...##..#.#.#..#.#####...#....#.",
        "######....####.....#....##...#.###.",
        "..##..#...#....####.#...##...#.###.",
        "#####....#...#...#...#...#....#....",
        ".###.#...##...#.###.#...##...#.###.",
        ".###.#...##...#.####....#...#..##..",
    };

    private final Generator generator;

    DigitPainter(Generator generator) {
        this.generator = generator;
    }

    /** So many pictures, each digit as often as the others. */
    TensorDataset<R4<Images, Channels, Rows, Columns>, F32, R1<Images>, I64> paint(int count) {
        float[] pixels = new float[count * SIDE * SIDE];
        long[] labels = new long[count];
        Generator.HostStream chance = generator.stream(count * (SIDE * SIDE + 8L));
        for (int i = 0; i < count; i++) {
            labels[i] = i % DigitModel.CLASSES;
            paint(FONT[(int) labels[i]], chance, pixels, i * SIDE * SIDE);
        }
        return TensorDataset.of(HostArray.of(pixels, R4.of(count, 1, SIDE, SIDE)), HostArray.of(labels, R1.of(count)));
    }

    private static void paint(String glyph, Generator.HostStream chance, float[] pixels, int at) {
        double angle = around(chance, 0.2);
        double slant = around(chance, 0.2);
        double wide = 3.4 + around(chance, 0.9);
        double high = 3.1 + around(chance, 0.7);
        double right = around(chance, 2.5);
        double down = around(chance, 2);
        double ink = 0.8 + around(chance, 0.2);
        for (int row = 0; row < SIDE; row++) {
            for (int column = 0; column < SIDE; column++) {
                double x = column - (SIDE - 1) / 2.0 - right;
                double y = row - (SIDE - 1) / 2.0 - down;
                double u = x * Math.cos(angle) + y * Math.sin(angle);
                double v = y * Math.cos(angle) - x * Math.sin(angle);
                double shade = ink * shade(glyph, (u + slant * v) / wide + WIDTH / 2.0, v / high + HEIGHT / 2.0);
                pixels[at++] = (float) Math.clamp(shade + around(chance, 0.35), 0, 1);
            }
        }
    }

    private static double around(Generator.HostStream chance, double size) {
        return size * (chance.below(1L << 30) * 0x1p-29 - 1);
    }

    /** How much ink there is at a place, between those of the four blocks around it. */
    private static double shade(String glyph, double x, double y) {
        int left = (int) Math.floor(x - 0.5);
        int top = (int) Math.floor(y - 0.5);
        double toRight = x - 0.5 - left;
        double toBottom = y - 0.5 - top;
        double upper = block(glyph, left, top) * (1 - toRight) + block(glyph, left + 1, top) * toRight;
        double lower = block(glyph, left, top + 1) * (1 - toRight) + block(glyph, left + 1, top + 1) * toRight;
        return upper * (1 - toBottom) + lower * toBottom;
    }

    private static double block(String glyph, int column, int row) {
        boolean inside = column >= 0 && column < WIDTH && row >= 0 && row < HEIGHT;
        return inside && glyph.charAt(row * WIDTH + column) == '#' ? 1 : 0;
    }
}
