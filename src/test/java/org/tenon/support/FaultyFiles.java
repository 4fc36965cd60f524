package org.tenon.support;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.StandardOpenOption;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.spi.FileSystemProvider;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The machine's files, of which one call fails: the {@code n}th of opening, reading, writing, forcing, locking, mapping,
 * moving, listing, deleting and asking about. A write that fails has written half.
 */
public final class FaultyFiles extends FileSystemProvider {
    /** What the system says of a call that fails. */
    public static final String SAID = "Input/output error";

    private final FileSystemProvider real = FileSystems.getDefault().provider();
    private final FileSystem system = new System();
    private final List<String> calls = new ArrayList<>();
    private int failing;

    /** A file or folder of the machine, to be used through this. */
    public Path path(Path path) {
        return wrap(path.toAbsolutePath());
    }

    /** Begins to count anew, and lets the {@code nth} call fail; 0 for none. */
    public void fail(int nth) {
        calls.clear();
        failing = nth;
    }

    /** The calls since then, by name. */
    public List<String> calls() {
        return List.copyOf(calls);
    }

    private boolean isFault(String call) {
        calls.add(call);
        return calls.size() == failing;
    }

    private void call(String name) throws IOException {
        if (isFault(name)) {
            throw new IOException(SAID);
        }
    }

    /** As the system does it, which names the file where it was asked for by name. */
    private void call(String name, Path path) throws IOException {
        if (isFault(name)) {
            throw new FileSystemException(path.toString(), null, SAID);
        }
    }

    /** A path that answers all as the real one does, but belongs to this. */
    private Path wrap(Path path) {
        InvocationHandler handler = (_, method, arguments) -> {
            if (method.getName().equals("getFileSystem")) {
                return system;
            }
            Object[] plain = arguments == null ? new Object[0] : arguments.clone();
            for (int i = 0; i < plain.length; i++) {
                plain[i] = plain[i] instanceof Path other ? unwrap(other) : plain[i];
            }
            if (method.getName().equals("unwrapped")) {
                return path;
            }
            try {
                Object result = method.invoke(path, plain);
                return result instanceof Path other ? wrap(other) : result;
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        };
        return (Path)
                Proxy.newProxyInstance(FaultyFiles.class.getClassLoader(), new Class<?>[] {Wrapped.class}, handler);
    }

    /** Of this class's own. */
    public interface Wrapped extends Path {
        /** The real one. */
        Path unwrapped();
    }

    private static Path unwrap(Path path) {
        return path instanceof Wrapped wrapped ? wrapped.unwrapped() : path;
    }

    private final class System extends FileSystem {
        private final FileSystem under = FileSystems.getDefault();

        @Override
        public FileSystemProvider provider() {
            return FaultyFiles.this;
        }

        @Override
        public void close() {}

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public boolean isReadOnly() {
            return false;
        }

        @Override
        public String getSeparator() {
            return under.getSeparator();
        }

        @Override
        public Iterable<Path> getRootDirectories() {
            return under.getRootDirectories();
        }

        @Override
        public Iterable<FileStore> getFileStores() {
            return under.getFileStores();
        }

        @Override
        public Set<String> supportedFileAttributeViews() {
            return under.supportedFileAttributeViews();
        }

        @Override
        public Path getPath(String first, String... more) {
            return wrap(under.getPath(first, more));
        }

        @Override
        public PathMatcher getPathMatcher(String pattern) {
            return under.getPathMatcher(pattern);
        }

        @Override
        public UserPrincipalLookupService getUserPrincipalLookupService() {
            return under.getUserPrincipalLookupService();
        }

        @Override
        public WatchService newWatchService() throws IOException {
            return under.newWatchService();
        }
    }

    @Override
    public String getScheme() {
        return "faulty";
    }

    @Override
    public FileSystem newFileSystem(URI uri, Map<String, ?> environment) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileSystem getFileSystem(URI uri) {
        return system;
    }

    @Override
    public Path getPath(URI uri) {
        return wrap(real.getPath(uri));
    }

    @Override
    public FileChannel newFileChannel(Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
            throws IOException {
        call("open", path);
        return new Channel(real.newFileChannel(unwrap(path), options, attributes));
    }

    @Override
    public SeekableByteChannel newByteChannel(
            Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes) throws IOException {
        return newFileChannel(path, options, attributes);
    }

    @Override
    public InputStream newInputStream(Path path, OpenOption... options) throws IOException {
        return Channels.newInputStream(newFileChannel(path, Set.of(StandardOpenOption.READ)));
    }

    @Override
    public DirectoryStream<Path> newDirectoryStream(Path folder, DirectoryStream.Filter<? super Path> filter)
            throws IOException {
        call("list", folder);
        DirectoryStream<Path> all = real.newDirectoryStream(unwrap(folder), each -> filter.accept(wrap(each)));
        return new DirectoryStream<>() {
            @Override
            public Iterator<Path> iterator() {
                Iterator<Path> under = all.iterator();
                return new Iterator<>() {
                    @Override
                    public boolean hasNext() {
                        return under.hasNext();
                    }

                    @Override
                    public Path next() {
                        return wrap(under.next());
                    }
                };
            }

            @Override
            public void close() throws IOException {
                all.close();
            }
        };
    }

    @Override
    public void createDirectory(Path folder, FileAttribute<?>... attributes) throws IOException {
        call("make folder", folder);
        real.createDirectory(unwrap(folder), attributes);
    }

    @Override
    public void delete(Path path) throws IOException {
        call("delete", path);
        real.delete(unwrap(path));
    }

    @Override
    public void copy(Path from, Path to, CopyOption... options) throws IOException {
        call("copy", from);
        real.copy(unwrap(from), unwrap(to), options);
    }

    @Override
    public void move(Path from, Path to, CopyOption... options) throws IOException {
        call("move", from);
        real.move(unwrap(from), unwrap(to), options);
    }

    @Override
    public boolean isSameFile(Path a, Path b) throws IOException {
        return real.isSameFile(unwrap(a), unwrap(b));
    }

    @Override
    public boolean isHidden(Path path) throws IOException {
        return real.isHidden(unwrap(path));
    }

    @Override
    public FileStore getFileStore(Path path) throws IOException {
        return real.getFileStore(unwrap(path));
    }

    @Override
    public void checkAccess(Path path, AccessMode... modes) throws IOException {
        call("ask", path);
        real.checkAccess(unwrap(path), modes);
    }

    @Override
    public <V extends FileAttributeView> V getFileAttributeView(Path path, Class<V> type, LinkOption... options) {
        return real.getFileAttributeView(unwrap(path), type, options);
    }

    @Override
    public <A extends BasicFileAttributes> A readAttributes(Path path, Class<A> type, LinkOption... options)
            throws IOException {
        call("ask", path);
        return real.readAttributes(unwrap(path), type, options);
    }

    @Override
    public Map<String, Object> readAttributes(Path path, String names, LinkOption... options) throws IOException {
        call("ask", path);
        return real.readAttributes(unwrap(path), names, options);
    }

    @Override
    public void setAttribute(Path path, String name, Object value, LinkOption... options) throws IOException {
        real.setAttribute(unwrap(path), name, value, options);
    }

    private final class Channel extends FileChannel {
        private final FileChannel under;

        Channel(FileChannel under) {
            this.under = under;
        }

        @Override
        public int read(ByteBuffer to) throws IOException {
            call("read");
            return under.read(to);
        }

        @Override
        public long read(ByteBuffer[] to, int offset, int length) throws IOException {
            call("read");
            return under.read(to, offset, length);
        }

        @Override
        public int read(ByteBuffer to, long position) throws IOException {
            call("read");
            return under.read(to, position);
        }

        @Override
        public int write(ByteBuffer from) throws IOException {
            if (isFault("write")) {
                under.write(from.slice(from.position(), from.remaining() / 2));
                throw new IOException(SAID);
            }
            return under.write(from);
        }

        @Override
        public long write(ByteBuffer[] from, int offset, int length) throws IOException {
            call("write");
            return under.write(from, offset, length);
        }

        @Override
        public int write(ByteBuffer from, long position) throws IOException {
            if (isFault("write")) {
                under.write(from.slice(from.position(), from.remaining() / 2), position);
                throw new IOException(SAID);
            }
            return under.write(from, position);
        }

        @Override
        public long position() throws IOException {
            return under.position();
        }

        @Override
        public FileChannel position(long position) throws IOException {
            under.position(position);
            return this;
        }

        @Override
        public long size() throws IOException {
            call("size");
            return under.size();
        }

        @Override
        public FileChannel truncate(long size) throws IOException {
            under.truncate(size);
            return this;
        }

        @Override
        public void force(boolean all) throws IOException {
            call("force");
            under.force(all);
        }

        @Override
        public long transferTo(long position, long count, WritableByteChannel to) throws IOException {
            return under.transferTo(position, count, to);
        }

        @Override
        public long transferFrom(ReadableByteChannel from, long position, long count) throws IOException {
            return under.transferFrom(from, position, count);
        }

        @Override
        public MappedByteBuffer map(MapMode mode, long position, long size) throws IOException {
            call("map");
            return under.map(mode, position, size);
        }

        @Override
        public MemorySegment map(MapMode mode, long offset, long size, Arena arena) throws IOException {
            call("map");
            return under.map(mode, offset, size, arena);
        }

        @Override
        public FileLock lock(long position, long size, boolean shared) throws IOException {
            call("lock");
            return under.lock(position, size, shared);
        }

        @Override
        public FileLock tryLock(long position, long size, boolean shared) throws IOException {
            call("lock");
            return under.tryLock(position, size, shared);
        }

        @Override
        protected void implCloseChannel() throws IOException {
            under.close();
            call("close");
        }
    }
}
