package org.tenon.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What others could have planted where libraries and built kernels are kept. */
@DisabledOnOs(OS.WINDOWS)
class PrivateFolderTest {
    private static final int SOMEBODY = 12345;

    @TempDir
    private Path folder;

    private static void mode(Path path, String permissions) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
    }

    /** Gives a file to another user, which only root can. */
    private static void giveAway(Path path) throws IOException {
        try {
            Files.setAttribute(path, "unix:uid", SOMEBODY);
        } catch (IOException e) {
            assumeTrue(false, "only root can give a file away");
        }
    }

    private void refused(Path root, String... texts) {
        assertThatThrownBy(() -> PrivateFolder.in(root, "natives"))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(texts)
                .hasMessageContaining("-Dtenon.cache=FOLDER");
    }

    @Test
    void isMadeForItsOwnerAlone() throws IOException {
        Path made = PrivateFolder.in(folder.resolve("a/b"), "natives");
        assertThat(made).isEqualTo(folder.toRealPath().resolve("a/b/natives")).isEmptyDirectory();
        for (Path each = made; !each.equals(folder.toRealPath()); each = each.getParent()) {
            assertThat(Files.getPosixFilePermissions(each))
                    .as(each.toString())
                    .isEqualTo(PosixFilePermissions.fromString("rwx------"));
        }
        assertThat(PrivateFolder.in(folder.resolve("a/b"), "natives")).isEqualTo(made);
    }

    @Test
    void aFolderThatOthersCanWrite() throws IOException {
        mode(Files.createDirectory(folder.resolve("natives")), "rwx-w----");
        refused(folder, "others than its owner can write the folder", "chmod go-w");
    }

    @Test
    void aFolderAboveThatOthersCanWrite() throws IOException {
        Path open = Files.createDirectories(folder.resolve("open/cache")).getParent();
        mode(open, "rwxrwxrwx");
        refused(open.resolve("cache"), "others than its owner can write the folder " + open.toRealPath() + ";");
    }

    /** There the bit sees that nobody takes away or puts in another's place what is not his. */
    @Test
    void aFolderAboveWithTheStickyBit() throws IOException {
        Path open = Files.createDirectory(folder.resolve("open"));
        Files.setAttribute(open, "unix:mode", 01777);
        assertThat(PrivateFolder.in(open.resolve("cache"), "natives")).isEmptyDirectory();
        refusedDirectly(open);
    }

    private void refusedDirectly(Path open) throws IOException {
        Path planted = Files.createDirectory(open.resolve("natives"));
        Files.setAttribute(planted, "unix:mode", 01777);
        refused(open, "others than its owner can write the folder");
    }

    @Test
    void aLinkInPlaceOfTheFolder() throws IOException {
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        Files.createSymbolicLink(folder.resolve("natives"), elsewhere);
        refused(folder, "is a symbolic link, which is not followed");
        assertThat(elsewhere).isEmptyDirectory();
    }

    @Test
    void aFileInPlaceOfTheFolder() throws IOException {
        Files.writeString(folder.resolve("natives"), "planted");
        refused(folder, "is no folder");
    }

    /** A link that the user made on the way there is followed once, and what it leads to is looked at. */
    @Test
    void aLinkAbove() throws IOException {
        Path disk = Files.createDirectory(folder.resolve("disk"));
        Path link = Files.createSymbolicLink(folder.resolve("cache"), disk);
        assertThat(PrivateFolder.in(link, "natives"))
                .isEqualTo(disk.toRealPath().resolve("natives"));
        Path open = Files.createDirectory(folder.resolve("open"));
        mode(open, "rwxrwxrwx");
        Files.createDirectory(open.resolve("inner"));
        refused(Files.createSymbolicLink(folder.resolve("trap"), open.resolve("inner")), "can write the folder");
    }

    @Test
    void anothersFolder() throws IOException {
        PrivateFolder.in(folder.resolve("own"), "natives");
        Path planted = Files.createDirectory(folder.resolve("natives"));
        mode(planted, "rwx------");
        giveAway(planted);
        refused(folder, "belongs to ", "not to this user; remove it");
        assertThat(planted).isEmptyDirectory();
    }

    @Test
    void anothersFolderAbove() throws IOException {
        Path above = Files.createDirectories(folder.resolve("above/cache/natives"))
                .getParent()
                .getParent();
        giveAway(above);
        refused(above.resolve("cache"), "above the cache, belongs to", "could replace what is in it");
    }

    @Test
    void filesThatAreNotTrusted() throws IOException {
        Path in = PrivateFolder.in(folder, "natives");
        Path good = Files.writeString(in.resolve("good"), "1234");
        mode(good, "rw-r--r--");
        assertThat(Caches.read(good, 4)).containsExactly("1234".getBytes());
        assertThat(Caches.read(good, 3)).as("longer than allowed").isNull();
        assertThat(Caches.read(in.resolve("none"), 4)).isNull();
        assertThat(Caches.read(Files.createSymbolicLink(in.resolve("link"), good), 4))
                .as("a link")
                .isNull();
        assertThat(Caches.read(Files.createSymbolicLink(in.resolve("zeros"), Path.of("/dev/zero")), 4))
                .isNull();
        Path open = Files.writeString(in.resolve("open"), "1234");
        mode(open, "rw-rw-rw-");
        assertThat(Caches.read(open, 4)).as("others can write it").isNull();
        Path given = Files.writeString(in.resolve("given"), "1234");
        giveAway(given);
        assertThat(Caches.read(given, 4)).as("another's").isNull();
    }

    /** To open a pipe would wait for whoever writes to it. */
    @Test
    void aPipeInPlaceOfAFile() throws Exception {
        Path pipe = PrivateFolder.in(folder, "natives").resolve("pipe");
        assumeTrue(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0, "no mkfifo");
        assertThat(Caches.read(pipe, 4)).isNull();
    }

    /** What is put in place takes the link's name and leaves alone what it led to. */
    @Test
    void aLinkInPlaceOfAFileIsReplaced() throws IOException {
        Path victim = Files.writeString(folder.resolve("victim"), "precious");
        Path file = Files.createSymbolicLink(PrivateFolder.in(folder, "natives").resolve("kernel"), victim);
        Caches.place(file, new byte[] {1, 2});
        assertThat(victim).hasContent("precious");
        assertThat(Files.isSymbolicLink(file)).isFalse();
        assertThat(Caches.read(file, 2)).containsExactly(1, 2);
        assertThat(Files.getPosixFilePermissions(file)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }
}
