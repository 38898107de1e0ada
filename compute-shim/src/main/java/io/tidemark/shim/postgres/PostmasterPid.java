package io.tidemark.shim.postgres;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a postmaster writes about itself into {@code postmaster.pid} (PostgreSQL: miscinit.c, pidfile.h).
 *
 * <pre>
 * line 1  process id
 * line 4  port
 * line 8  "starting", "stopping", "ready" or "standby", padded
 * </pre>
 *
 * @param pid of the postmaster; negative for a standalone backend
 * @param port 0 when it is not written yet
 * @param status empty when it is not written yet
 */
record PostmasterPid(long pid, int port, String status) {
    private static final int PORT_LINE = 3;
    private static final int STATUS_LINE = 7;

    /** Reads it; empty when the file is not there or not written to its first line's end. */
    static Optional<PostmasterPid> read(Path dataDir) throws IOException {
        List<String> lines;
        try {
            lines = Files.readAllLines(dataDir.resolve("postmaster.pid"), ISO_8859_1);
        } catch (NoSuchFileException absent) {
            return Optional.empty();
        }
        try {
            long pid = Long.parseLong(line(lines, 0));
            String port = line(lines, PORT_LINE);
            return Optional.of(
                    new PostmasterPid(pid, port.isEmpty() ? 0 : Integer.parseInt(port), line(lines, STATUS_LINE)));
        } catch (NumberFormatException halfWritten) {
            return Optional.empty();
        }
    }

    private static String line(List<String> lines, int index) {
        return index < lines.size() ? lines.get(index).strip() : "";
    }

    /**
     * The postmaster, when it is alive. A process id can have been given to another program since, even to another PostgreSQL: only one that works in
     * this data directory is it.
     */
    Optional<ProcessHandle> process(Path dataDir) {
        return ProcessHandle.of(pid)
                .filter(handle -> !ProcessState.hasEnded(handle))
                .filter(handle -> handle.info()
                        .command()
                        .map(command -> Path.of(command).endsWith("postgres"))
                        .orElse(true))
                .filter(handle -> worksIn(handle, dataDir));
    }

    private static boolean worksIn(ProcessHandle handle, Path dataDir) {
        try {
            return Files.isSameFile(Path.of("/proc", Long.toString(handle.pid()), "cwd"), dataDir);
        } catch (NoSuchFileException itsDirectoryIsGone) {
            return false;
        } catch (IOException notForUs) {
            // In a container even root may not look at other users' processes. Its arguments everybody may see.
            return handle.info()
                    .arguments()
                    .map(arguments -> List.of(arguments).contains(dataDir.toString()))
                    .orElse(true);
        }
    }

    /** Whether it takes connections. */
    boolean isReady() {
        return status.equals("ready") || status.equals("standby");
    }
}
