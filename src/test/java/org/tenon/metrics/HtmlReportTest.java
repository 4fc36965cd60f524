package org.tenon.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page, in a real browser where there is one. Needs the module java.desktop, to look at a screenshot. */
class HtmlReportTest {
    private static final int BLUE = 0x3E63DD;
    private static final int RED = 0xE5484D;
    private static final int WIDTH = 1200;
    private static final int HEIGHT = 1500;

    @TempDir
    private Path folder;

    private Path report() throws IOException {
        Path file = folder.resolve("report.html");
        try (HtmlReport report = HtmlReport.at(file, "A <training> & more")) {
            for (int step = 1; step <= 400; step++) {
                report.scalar(step, "loss/train", 1.4 + 2.6 * Math.exp(-step / 60.0) + 0.05 * Math.sin(step * 1.7));
                if (step % 40 == 0) {
                    report.scalar(step, "loss/validation", 1.55 + 2.5 * Math.exp(-step / 60.0));
                }
                report.scalar(
                        step, "tokens per second", step == 200 ? Double.NaN : 50_000 + 3000 * Math.sin(step / 9.0));
            }
            report.text(400, "sample", "</script><script>document.title = 'taken'</script> @DATA@");
        }
        return file;
    }

    @Test
    void thePageHasEverythingInIt() throws IOException {
        String page = Files.readString(report());
        assertThat(page)
                .contains("<title>A &lt;training&gt; &amp; more</title>")
                .contains("Permission is hereby granted")
                .contains("\"title\":\"loss\",\"names\":[\"loss/train\",\"loss/validation\"]")
                .contains("&lt;/script&gt;&lt;script&gt;document.title")
                .doesNotContain("src=\"http")
                .doesNotContain("@TABLE@");
    }

    @Test
    void aBrowserDrawsIt() throws IOException {
        Path file = report();
        String dom = chromium("--dump-dom", file.toUri().toString());
        assertThat(dom).contains("data-charts=\"3\"").contains("<title>A &lt;training&gt; &amp; more</title>");
        assertThat(dom.split("<canvas", -1)).hasSize(4);
        assertThat(dom)
                .contains("class=\"u-label\">loss/validation</")
                .contains("class=\"u-title\">steps per second</");
        Path picture = screenshot(file);
        BufferedImage image = ImageIO.read(picture.toFile());
        assertThat(image.getWidth()).isEqualTo(WIDTH);
        // A curve over a plot of some 950 pixels is in most of its columns; the legend's squares are in few.
        assertThat(columns(image, BLUE)).isGreaterThan(700);
        assertThat(columns(image, RED)).isGreaterThan(600);
    }

    private Path screenshot(Path file) throws IOException {
        String wanted = System.getProperty("tenon.test.screenshot");
        Path picture =
                wanted == null ? folder.resolve("report.png") : Path.of(wanted).toAbsolutePath();
        chromium(
                "--screenshot=" + picture,
                "--window-size=" + WIDTH + "," + HEIGHT,
                "--hide-scrollbars",
                file.toUri().toString());
        return picture;
    }

    private static long columns(BufferedImage image, int colour) {
        long columns = 0;
        for (int x = 0; x < image.getWidth(); x++) {
            for (int y = 0; y < image.getHeight(); y++) {
                if (near(image.getRGB(x, y), colour)) {
                    columns++;
                    break;
                }
            }
        }
        return columns;
    }

    private static boolean near(int rgb, int colour) {
        for (int shift = 0; shift <= 16; shift += 8) {
            if (Math.abs((rgb >> shift & 0xFF) - (colour >> shift & 0xFF)) > 24) {
                return false;
            }
        }
        return true;
    }

    private String chromium(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                browser(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--force-device-scale-factor=1",
                "--user-data-dir=" + folder.resolve("profile"),
                "--virtual-time-budget=2000"));
        command.addAll(List.of(arguments));
        Path errors = folder.resolve("errors.txt");
        Process process =
                new ProcessBuilder(command).redirectError(errors.toFile()).start();
        try {
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor(2, TimeUnit.MINUTES))
                    .as("the browser ended")
                    .isTrue();
            assertThat(process.exitValue()).as(Files.readString(errors)).isZero();
            return output;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            process.destroyForcibly();
        }
    }

    private static String browser() {
        for (String name : List.of("chromium", "chromium-browser", "google-chrome")) {
            for (String place : System.getenv("PATH").split(java.io.File.pathSeparator)) {
                Path program = Path.of(place, name);
                if (Files.isExecutable(program)) {
                    return program.toString();
                }
            }
        }
        Assumptions.abort("there is no chromium here: apt-get install chromium");
        throw new AssertionError();
    }
}
