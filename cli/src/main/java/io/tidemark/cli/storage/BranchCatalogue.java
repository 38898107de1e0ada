package io.tidemark.cli.storage;

import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** The branches by name: {@code branches.json}, replaced as a whole. */
public final class BranchCatalogue {
    private static final JsonMapper MAPPER =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private static final long LOCK_POLL_NANOS = 1_000_000;

    private final Path file;

    BranchCatalogue(Path file) {
        this.file = file;
    }

    /** All of them, in the order they were made. */
    public List<Branch> all() throws IOException {
        if (!Files.exists(file)) {
            return List.of();
        }
        try {
            return Arrays.asList(MAPPER.readValue(Files.readString(file), Branch[].class));
        } catch (JacksonException e) {
            throw new ClusterException(file + " is damaged: " + e.getOriginalMessage(), e);
        }
    }

    public Optional<Branch> find(String name) throws IOException {
        return all().stream().filter(branch -> branch.name().equals(name)).findFirst();
    }

    /** The branch of this name; throws a {@link ClusterException} that lists those there are. */
    public Branch require(String name) throws IOException {
        List<Branch> all = all();
        return all.stream()
                .filter(branch -> branch.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ClusterException("there is no branch '" + name + "'; there are "
                        + all.stream().map(Branch::name).toList()));
    }

    /** The name of a timeline; empty when it has none any more. */
    public Optional<String> nameOf(TimelineId timeline) throws IOException {
        return all().stream()
                .filter(branch -> branch.timelineId().equals(timeline))
                .map(Branch::name)
                .findFirst();
    }

    /** Throws when a name is taken. */
    public void requireFree(String name) throws IOException {
        if (find(name).isPresent()) {
            throw new ClusterException("there is a branch '" + name + "' already");
        }
    }

    public void add(Branch branch) throws IOException {
        change(all -> {
            if (all.stream().anyMatch(other -> other.name().equals(branch.name()))) {
                throw new IllegalStateException("there is a branch '" + branch.name() + "' already");
            }
            return Stream.concat(all.stream(), Stream.of(branch)).toList();
        });
    }

    void remove(String name) throws IOException {
        change(all -> all.stream().filter(branch -> !branch.name().equals(name)).toList());
    }

    /** Replaces the branch of this name. */
    void replace(String name, UnaryOperator<Branch> change) throws IOException {
        change(all -> all.stream()
                .map(branch -> branch.name().equals(name) ? change.apply(branch) : branch)
                .toList());
    }

    /** Reads, changes and writes under a lock, since commands run beside each other. */
    void change(UnaryOperator<List<Branch>> change) throws IOException {
        Path lockFile = file.resolveSibling(file.getFileName() + ".lock");
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = lock(channel)) {
            if (!lock.isValid()) {
                throw new ClusterException("cannot lock " + lockFile);
            }
            List<Branch> changed = change.apply(all());
            Path unfinished = file.resolveSibling(file.getFileName() + ".new");
            Files.writeString(unfinished, MAPPER.writeValueAsString(changed) + "\n");
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IllegalStateException e) {
            throw new ClusterException(String.valueOf(e.getMessage()), e);
        }
    }

    // Between processes the lock waits; between threads of one process Java only says that it is taken.
    private static FileLock lock(FileChannel channel) throws IOException {
        while (true) {
            try {
                return channel.lock();
            } catch (OverlappingFileLockException takenByAThread) {
                LockSupport.parkNanos(LOCK_POLL_NANOS);
            }
        }
    }
}
