package io.tidemark.pageserver.timeline;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A disk that asks a test before each opening of a file, which may refuse it or do something meanwhile. */
final class HookedDisk implements Disk {
    /** Told of a file that is about to be opened. */
    @FunctionalInterface
    interface Hook {
        void opening(Path file, Mode mode) throws IOException;
    }

    private final Disk disk;
    Hook hook = (file, mode) -> {};

    HookedDisk(Disk disk) {
        this.disk = disk;
    }

    /** Refuses to write a timeline's own file. */
    void refuse(long number) {
        hook = (file, mode) -> {
            if (isFileOf(number, file) && mode != Mode.READ) {
                throw new IOException("refused: " + file);
            }
        };
    }

    static boolean isFileOf(long number, Path file) {
        return file.toString()
                .contains(TimelineFixture.id(number).timelineId()
                        + file.getFileSystem().getSeparator() + "timeline");
    }

    @Override
    public DurableFile open(Path file, Mode mode) throws IOException {
        hook.opening(file, mode);
        return disk.open(file, mode);
    }

    @Override
    public boolean exists(Path path) throws IOException {
        return disk.exists(path);
    }

    @Override
    public void createDirectory(Path directory) throws IOException {
        disk.createDirectory(directory);
    }

    @Override
    public List<String> list(Path directory) throws IOException {
        return disk.list(directory);
    }

    @Override
    public boolean isDirectory(Path path) throws IOException {
        return disk.isDirectory(path);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        disk.rename(from, to);
    }

    @Override
    public void delete(Path path) throws IOException {
        disk.delete(path);
    }

    @Override
    public void syncDirectory(Path directory) throws IOException {
        disk.syncDirectory(directory);
    }

    @Override
    public Space space() throws IOException {
        return disk.space();
    }

    @Override
    public Closeable lock(Path lockFile) throws IOException {
        return disk.lock(lockFile);
    }
}
