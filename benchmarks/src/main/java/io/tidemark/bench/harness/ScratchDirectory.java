package io.tidemark.bench.harness;

import io.tidemark.shim.postgres.ServerUser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A new directory for one run, deleted at its end unless somebody wants to look; PostgreSQL's user can reach it. */
public final class ScratchDirectory implements AutoCloseable {
    private final Path path;
    private final boolean keep;

    private ScratchDirectory(Path path, boolean keep) {
        this.path = path;
        this.keep = keep;
    }

    /**
     * Makes one.
     *
     * @param parent where to make it; empty: the temporary directory
     * @param keep whether it stays
     */
    public static ScratchDirectory create(Optional<Path> parent, boolean keep) throws IOException {
        if (parent.isEmpty()) {
            return new ScratchDirectory(ServerUser.current().scratchDirectory("tidemark-bench-"), keep);
        }
        Path inside = Files.createDirectories(parent.get().toAbsolutePath().normalize());
        String name = "bench-" + ProcessHandle.current().pid();
        Path directory = inside.resolve(name);
        for (int next = 2; Files.exists(directory); next++) {
            directory = inside.resolve(name + "-" + next);
        }
        return new ScratchDirectory(Files.createDirectory(directory), keep);
    }

    public Path path() {
        return path;
    }

    public Path resolve(String name) {
        return path.resolve(name);
    }

    @Override
    public void close() throws IOException {
        if (!keep) {
            deleteTree(path);
        }
    }

    /** Deletes a directory and all in it; nothing to do when it is not there. */
    public static void deleteTree(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        List<Path> deepestFirst;
        try (Stream<Path> paths = Files.walk(directory)) {
            deepestFirst = paths.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : deepestFirst) {
            Files.deleteIfExists(path);
        }
    }
}
