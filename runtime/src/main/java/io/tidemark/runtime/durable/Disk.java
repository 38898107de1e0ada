package io.tidemark.runtime.durable;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A directory tree with the durability of a POSIX file system: contents are durable after {@link DurableFile#sync}, names
 * after {@link #syncDirectory} of the directory that holds them. All paths are relative to the root of the disk.
 *
 * <p>Every method throws {@link java.nio.file.NoSuchFileException} and {@link java.nio.file.FileAlreadyExistsException} where
 * the file system would, {@link DiskFullException} when there is no space or quota left, and {@link IOException} otherwise.
 */
public interface Disk {
    /** How to open a file. */
    enum Mode {
        READ,
        /** Read and write an existing file. */
        READ_WRITE,
        /** Create a file that does not exist. */
        CREATE_NEW,
        /** Create a file, or empty an existing one. */
        CREATE_OR_TRUNCATE
    }

    DurableFile open(Path file, Mode mode) throws IOException;

    boolean exists(Path path) throws IOException;

    /** Creates one directory; does nothing when it exists. Its name is durable after {@link #syncDirectory} of its parent. */
    void createDirectory(Path directory) throws IOException;

    /** Names in a directory, sorted. */
    List<String> list(Path directory) throws IOException;

    boolean isDirectory(Path path) throws IOException;

    /** Atomically gives a file or directory another name, replacing a file of that name. */
    void rename(Path from, Path to) throws IOException;

    /** Deletes a file or an empty directory. */
    void delete(Path path) throws IOException;

    /** Makes names in this directory durable. */
    void syncDirectory(Path directory) throws IOException;

    /** Bytes that can still be written, and the size of the whole. */
    Space space() throws IOException;

    /**
     * Takes the exclusive lock file of a data directory, creating it where needed, until closed or the process ends. Throws {@link
     * DiskLockedException} when anybody, this process included, has it.
     */
    Closeable lock(Path lockFile) throws IOException;

    /** Capacity of a disk in bytes. */
    record Space(long capacityBytes, long usableBytes) {}
}
