package io.tidemark.cli.storage;

import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.cluster.ClusterLayout;
import io.tidemark.shim.source.PostgresAddress;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The server that a branch is being imported from. A branch follows a server as long as this is in its import directory, {@code
 * source.json}; nobody but its owner may read the file, since there is a password in it.
 *
 * @param url without the password
 * @param slot the one on the server that keeps its WAL for us
 */
public record FollowedSource(String url, String password, String slot) {
    private static final JsonMapper MAPPER = JsonMapper.shared();

    private static Path file(ClusterLayout layout, String branch) {
        return layout.importDir(branch).resolve("source.json");
    }

    /** The server that a branch follows; empty when it follows none. */
    public static Optional<FollowedSource> find(ClusterLayout layout, String branch) throws IOException {
        Path file = file(layout, branch);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(MAPPER.readValue(Files.readString(file), FollowedSource.class));
        } catch (JacksonException e) {
            throw new ClusterException(file + " is damaged: " + e.getOriginalMessage(), e);
        }
    }

    /** Throws when a branch follows a server, so that nobody else may write to it or change what it is. */
    public static void requireNone(ClusterLayout layout, String branch) throws IOException {
        Optional<FollowedSource> source = find(layout, branch);
        if (source.isPresent()) {
            throw new ClusterException("branch " + branch + " is being imported from "
                    + source.get().url()
                    + ": tidemark import cut-over --branch " + branch + " ends that, tidemark import abort --branch "
                    + branch + " gives it up");
        }
    }

    /** From now on the branch follows this server. */
    public void write(ClusterLayout layout, String branch) throws IOException {
        Path file = file(layout, branch);
        Files.createDirectories(layout.importDir(branch));
        Path unfinished = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(unfinished);
        try (FileChannel channel = FileChannel.open(
                unfinished,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
            channel.write(StandardCharsets.UTF_8.encode(MAPPER.writeValueAsString(this) + "\n"));
        }
        Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** From now on the branch is one like any other. */
    public static void remove(ClusterLayout layout, String branch) throws IOException {
        Files.deleteIfExists(file(layout, branch));
        Branches.deleteTree(layout.importDir(branch));
    }

    /** How to connect there. */
    public PostgresAddress address() {
        return PostgresAddress.parse(url).withPassword(password);
    }
}
