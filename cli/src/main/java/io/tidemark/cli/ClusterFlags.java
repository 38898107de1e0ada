package io.tidemark.cli;

import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.wire.id.PgVersion;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The flags that {@code demo} and {@code start} share: which PostgreSQL, on which port. */
final class ClusterFlags {
    private static final int SAFEKEEPERS = 3;
    private static final int MAX_PORT = 65_535;

    @Spec(Spec.Target.MIXEE)
    @Nullable
    CommandSpec spec;

    @Option(
            names = "--pg",
            paramLabel = "MAJOR",
            description = "PostgreSQL's major version, 14 to 18 (default for a new cluster: "
                    + ClusterOptions.DEFAULT_PG_MAJOR + ").")
    @Nullable
    Integer pgMajor;

    @Option(
            names = "--pg-bin",
            paramLabel = "DIR",
            description = "Run an installed PostgreSQL from this directory, e.g. /usr/lib/postgresql/15/bin,"
                    + " instead of the one that comes with the build.")
    @Nullable
    Path pgBin;

    @Option(names = "--port", paramLabel = "PORT", description = "PostgreSQL's port (default: 54321, or any free one).")
    int port;

    int safekeepers() {
        return SAFEKEEPERS;
    }

    ClusterOptions options() {
        if (pgMajor != null && (pgMajor < PgVersion.OLDEST_MAJOR || pgMajor > PgVersion.NEWEST_MAJOR)) {
            throw wrong("--pg is " + PgVersion.OLDEST_MAJOR + " to " + PgVersion.NEWEST_MAJOR + ", not " + pgMajor);
        }
        if (port < 0 || port > MAX_PORT) {
            throw wrong("--port is 1 to " + MAX_PORT + ", not " + port);
        }
        return new ClusterOptions(
                Optional.ofNullable(pgMajor), Optional.ofNullable(pgBin), port, SAFEKEEPERS, Map.of(), true);
    }

    private ParameterException wrong(String message) {
        if (spec == null) {
            throw new IllegalStateException("not made by picocli");
        }
        return new ParameterException(spec.commandLine(), message);
    }
}
