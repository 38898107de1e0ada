package io.tidemark.cli.storage;

import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * What the process says of itself that follows a server, in a file of the branch's import directory; about a second old.
 *
 * @param state a {@link io.tidemark.shim.compute.ShimState} in lower case
 * @param sourceLsn what the server has flushed, when it was last asked; 0/0 before
 * @param commitLsn what a quorum of safekeepers has
 * @param problem the last thing that went wrong; empty when nothing did since the last success
 */
public record FollowStatus(String state, long pid, String sourceLsn, String commitLsn, String problem) {
    private static final JsonMapper MAPPER = JsonMapper.shared();

    private static Path file(Path importDir) {
        return importDir.resolve("status.json");
    }

    /** Empty when nobody has followed yet, or the file is from a crash in the middle of writing. */
    public static Optional<FollowStatus> read(Path importDir) throws IOException {
        Path file = file(importDir);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(MAPPER.readValue(Files.readString(file), FollowStatus.class));
        } catch (JacksonException e) {
            return Optional.empty();
        }
    }

    /** Replaces what was said before; nothing is said any more when the directory is gone. */
    public void write(Path importDir) throws IOException {
        if (Files.isDirectory(importDir)) {
            Path unfinished = importDir.resolve("status.json.new");
            Files.writeString(unfinished, MAPPER.writeValueAsString(this) + "\n");
            Files.move(
                    unfinished, file(importDir), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Forgets what an earlier process said. */
    public static void clear(Path importDir) throws IOException {
        Files.deleteIfExists(file(importDir));
    }

    /** How much WAL the server has that is not committed here; 0 before anything is known. */
    public long lagBytes() {
        Lsn source = Lsn.parse(sourceLsn);
        Lsn committed = Lsn.parse(commitLsn);
        return source.isAfter(committed) && committed.isValid() ? source.minus(committed) : 0;
    }
}
