package io.tidemark.cli.cluster;

import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresBinaries;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What a new local cluster is to be; an existing one keeps what it is.
 *
 * @param pgMajor empty: an existing cluster's own, {@value #DEFAULT_PG_MAJOR} for a new one
 * @param pgBin directory of an installed PostgreSQL's programs; empty: the one that came with the build
 * @param postgresPort 0: 54321 when free, else any
 * @param safekeeperCount 1 to 9
 * @param postgresSettings configuration parameters on top of ours
 * @param usualPorts take 54321, 5454 and so on where they are free; clusters that are made at the same time should not, since
 *     between the choice and the start another one may take them
 */
public record ClusterOptions(
        Optional<Integer> pgMajor,
        Optional<Path> pgBin,
        int postgresPort,
        int safekeeperCount,
        Map<String, String> postgresSettings,
        boolean usualPorts) {
    public static final int DEFAULT_PG_MAJOR = 17;

    private static final int MAX_SAFEKEEPERS = 9;

    public ClusterOptions {
        if (safekeeperCount < 1 || safekeeperCount > MAX_SAFEKEEPERS) {
            throw new IllegalArgumentException("1 to " + MAX_SAFEKEEPERS + " safekeepers, not " + safekeeperCount);
        }
        postgresSettings = Map.copyOf(postgresSettings);
    }

    /** Three safekeepers and PostgreSQL 17. */
    public static ClusterOptions defaults() {
        return new ClusterOptions(Optional.empty(), Optional.empty(), 0, 3, Map.of(), true);
    }

    public ClusterOptions withPgMajor(int major) {
        return new ClusterOptions(
                Optional.of(major), pgBin, postgresPort, safekeeperCount, postgresSettings, usualPorts);
    }

    public ClusterOptions withPostgresSettings(Map<String, String> settings) {
        return new ClusterOptions(pgMajor, pgBin, postgresPort, safekeeperCount, settings, usualPorts);
    }

    /** Ports that nobody else would think of. */
    public ClusterOptions withAnyPorts() {
        return new ClusterOptions(pgMajor, pgBin, postgresPort, safekeeperCount, postgresSettings, false);
    }

    /** What PostgreSQL's programs are to be, as a cluster remembers it: an absolute directory; empty for those that came with the build. */
    public String pgBinText() {
        return pgBin.map(path -> path.toAbsolutePath().toString()).orElse("");
    }

    /**
     * PostgreSQL's programs for a new cluster.
     *
     * @throws ClusterException when those in the wanted directory are of another major version than the wanted one
     */
    public PostgresBinaries binaries() throws IOException, InterruptedException {
        PostgresBinaries binaries = binaries(pgBinText(), pgMajor.orElse(DEFAULT_PG_MAJOR));
        if (pgMajor.isPresent() && pgMajor.get() != binaries.major()) {
            throw new ClusterException(
                    pgBinText() + " holds PostgreSQL " + binaries.major() + ", not " + pgMajor.get());
        }
        return binaries;
    }

    /** The programs that a cluster remembers, see {@link #pgBinText}. */
    public static PostgresBinaries binaries(String pgBinText, int major) throws IOException, InterruptedException {
        return pgBinText.isEmpty()
                ? PostgresArchives.configured().require(major)
                : PostgresBinaries.at(Path.of(pgBinText));
    }

    /** Throws when a cluster that is there is not of the wanted major version. */
    public void requireMajor(int major, Path root) throws ClusterException {
        if (pgMajor.isPresent() && pgMajor.get() != major) {
            throw new ClusterException(root + " holds a cluster of PostgreSQL " + major + ", not " + pgMajor.get()
                    + "; choose another directory");
        }
    }
}
