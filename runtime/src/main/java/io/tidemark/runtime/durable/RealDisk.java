package io.tidemark.runtime.durable;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileStore;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * The operating system's file system below one directory.
 *
 * <p>Stateless apart from the locks, so any number of threads may use it. Threads that write files must not be interrupted: an
 * interrupt closes the {@code FileChannel} under every other user of that file. Files that are only read are opened again.
 */
public final class RealDisk implements Disk {
    /**
     * Lock files held by this process. A POSIX record lock belongs to the process, and closing any descriptor of the file drops
     * it, so an attempt that would only be refused must not even open the file. That is process state, hence static.
     */
    private static final Set<Path> LOCKED_HERE = ConcurrentHashMap.newKeySet();

    private final Path root;

    /** Below an existing directory. */
    public RealDisk(Path root) throws IOException {
        this.root = root.toRealPath();
        if (!Files.isDirectory(this.root)) {
            throw new IOException("not a directory: " + root);
        }
    }

    @Override
    public DurableFile open(Path file, Mode mode) throws IOException {
        Path path = resolve(file);
        try {
            return new RealFile(path, FileChannel.open(path, optionsOf(mode)), mode == Mode.READ);
        } catch (IOException e) {
            throw translated(path, e);
        }
    }

    private static Set<OpenOption> optionsOf(Mode mode) {
        return switch (mode) {
            case READ -> Set.of(StandardOpenOption.READ);
            case READ_WRITE -> Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE);
            case CREATE_NEW -> Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
            case CREATE_OR_TRUNCATE ->
                Set.of(
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING);
        };
    }

    @Override
    public boolean exists(Path path) {
        return Files.exists(resolve(path), LinkOption.NOFOLLOW_LINKS);
    }

    @Override
    public void createDirectory(Path directory) throws IOException {
        Path path = resolve(directory);
        try {
            Files.createDirectory(path);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(path)) {
                throw e;
            }
        } catch (IOException e) {
            throw translated(path, e);
        }
    }

    @Override
    public List<String> list(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(resolve(directory))) {
            return entries.map(entry -> String.valueOf(entry.getFileName()))
                    .sorted()
                    .toList();
        }
    }

    @Override
    public boolean isDirectory(Path path) {
        return Files.isDirectory(resolve(path));
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        Path source = resolve(from);
        try {
            Files.move(source, resolve(to), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw translated(source, e);
        }
    }

    @Override
    public void delete(Path path) throws IOException {
        Files.delete(resolve(path));
    }

    @Override
    public void syncDirectory(Path directory) throws IOException {
        Path path = resolve(directory);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            try {
                channel.force(true);
            } catch (IOException e) {
                throw new SyncFailedException("fsync of directory " + path + " failed: " + e.getMessage(), e);
            }
        }
    }

    @Override
    public Space space() throws IOException {
        FileStore store = Files.getFileStore(root);
        return new Space(store.getTotalSpace(), store.getUsableSpace());
    }

    @Override
    public Closeable lock(Path lockFile) throws IOException {
        Path path = resolve(lockFile);
        if (!LOCKED_HERE.add(path)) {
            throw new DiskLockedException(path + " is locked by this process");
        }
        FileChannel channel = null;
        boolean locked = false;
        try {
            channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = channel.tryLock();
            locked = lock != null;
            if (!locked) {
                throw new DiskLockedException(path + " is locked by another process");
            }
            return new HeldLock(path, channel);
        } catch (OverlappingFileLockException e) {
            throw new IllegalStateException(path + " is locked by something that is not a RealDisk", e);
        } finally {
            if (!locked) {
                if (channel != null) {
                    channel.close();
                }
                LOCKED_HERE.remove(path);
            }
        }
    }

    private record HeldLock(Path path, FileChannel channel) implements Closeable {
        @Override
        public void close() throws IOException {
            if (channel.isOpen()) {
                channel.close();
                LOCKED_HERE.remove(path);
            }
        }
    }

    private Path resolve(Path relative) {
        Path path = root.resolve(relative).normalize();
        if (relative.isAbsolute() || !path.startsWith(root)) {
            throw new IllegalArgumentException("not a path below the disk's root: " + relative);
        }
        return path;
    }

    /** Recognises "no space" and "no quota": the JDK has only the C library's text for them. */
    static IOException translated(Path path, IOException e) {
        if (e instanceof DiskFullException) {
            return e;
        }
        String reason = e instanceof FileSystemException f ? f.getReason() : e.getMessage();
        if (reason != null && (reason.contains("No space left") || reason.contains("quota exceeded"))) {
            return new DiskFullException("no space left for " + path + ": " + reason, e);
        }
        return e;
    }

    @Override
    public String toString() {
        return root.toString();
    }
}
