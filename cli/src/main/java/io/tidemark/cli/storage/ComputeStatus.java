package io.tidemark.cli.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a compute's process says of itself, in a file of its directory, for those who started it.
 *
 * @param state see {@link State}
 * @param pid of the process that writes this
 * @param port PostgreSQL's; 0 before it is known
 * @param startLsn where its data directory was built; empty before
 * @param phases of the last start, those that are over
 * @param problem what went wrong; empty when nothing did
 */
public record ComputeStatus(State state, long pid, int port, String startLsn, List<Phase> phases, String problem) {
    /** Where a compute is in its life. */
    public enum State {
        STARTING,
        RUNNING,
        STOPPED,
        FENCED,
        FAILED,
        /** It was to read only, was promoted by hand, and has been stopped. */
        PROMOTED
    }

    /** A phase of a start that is over. */
    public record Phase(String name, long millis, String detail) {}

    private static final JsonMapper MAPPER = JsonMapper.shared();

    public ComputeStatus {
        phases = List.copyOf(phases);
    }

    static Path file(Path computeDir) {
        return computeDir.resolve("status.json");
    }

    /** Empty when there was never a compute, or its file is from a crash in the middle of writing. */
    public static Optional<ComputeStatus> read(Path computeDir) throws IOException {
        Path file = file(computeDir);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(MAPPER.readValue(Files.readString(file), ComputeStatus.class));
        } catch (JacksonException e) {
            return Optional.empty();
        }
    }

    void write(Path computeDir) throws IOException {
        Path unfinished = computeDir.resolve("status.json.new");
        Files.writeString(unfinished, MAPPER.writeValueAsString(this) + "\n");
        Files.move(unfinished, file(computeDir), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
