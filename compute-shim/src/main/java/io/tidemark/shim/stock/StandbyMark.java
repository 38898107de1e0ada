package io.tidemark.shim.stock;

import io.tidemark.shim.postgres.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/**
 * What makes a data directory one of a standby, and keeps it one.
 *
 * <pre>
 *   standby.signal   PostgreSQL stays in recovery and refuses every write; it removes the file itself when it is promoted
 *   promote          the file by which pg_ctl and pg_promote() ask for a promotion. Here it is a symbolic link into a directory that does
 *                    not exist: it cannot be written, so both fail, and for the server it is not there. The server removes it when it
 *                    starts, so it is made afterwards.
 * </pre>
 *
 * <p>That prevents accidents. A superuser who means it can run programs on this machine, and thereby remove the link.
 */
public final class StandbyMark {
    private static final String SIGNAL = "standby.signal";
    private static final String REQUEST = "promote";
    private static final Path NOWHERE = Path.of("not-by-hand", "tidemark-compute-promote");

    private StandbyMark() {}

    /** Before the first start. */
    static void put(Path dataDir) throws IOException {
        Files.writeString(dataDir.resolve(SIGNAL), "");
    }

    /** As soon as the server is up. */
    static void forbidPromotion(Path dataDir) throws IOException {
        Path request = dataDir.resolve(REQUEST);
        if (!Files.exists(request, LinkOption.NOFOLLOW_LINKS)) {
            Files.createSymbolicLink(request, NOWHERE);
        }
    }

    /** Whether a directory that was {@link #put marked} belongs to a server that has left recovery, or is just doing so. */
    static boolean isGone(Path dataDir) {
        return !Files.exists(dataDir.resolve(SIGNAL));
    }

    /** Whether a server that was to read only runs and takes writes, none of which reach storage. */
    public static boolean isPromoted(PostgresServer server) throws IOException {
        return server.isRunning() && isGone(server.dataDir());
    }
}
