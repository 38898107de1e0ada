package io.tidemark.cli.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where a local cluster keeps what, below its directory. */
public record ClusterLayout(Path root) {
    public ClusterLayout {
        root = root.toAbsolutePath().normalize();
    }

    public Path configFile() {
        return root.resolve("cluster.json");
    }

    public Path safekeeperDir(long id) {
        return root.resolve(safekeeperName(id));
    }

    public static String safekeeperName(long id) {
        return "safekeeper-" + id;
    }

    /** What a storage cluster is made of; one directory is either that or a cluster beside a PostgreSQL. */
    public Path storageFile() {
        return root.resolve("storage.json");
    }

    public Path branchesFile() {
        return root.resolve("branches.json");
    }

    /** The timelines that no branch may have. */
    public Path unnamedDir() {
        return root.resolve("unnamed");
    }

    public Path pageserverDir() {
        return root.resolve("pageserver");
    }

    /** Where each compute has a directory. */
    public Path computesDir() {
        return root.resolve("computes");
    }

    /** What belongs to a compute: the one of a branch, or {@code branch@name}. */
    public Path computeDir(String compute) {
        return computesDir().resolve(compute);
    }

    /** What belongs to a server that a branch is imported from; there as long as the branch follows it. */
    public Path importDir(String branch) {
        return root.resolve("imports").resolve(branch);
    }

    public Path postgresDir() {
        return root.resolve("postgres");
    }

    public Path logFile(String server) {
        return root.resolve("log").resolve(server + ".log");
    }

    public Path pidFile(String server) {
        return root.resolve("run").resolve(server + ".pid");
    }

    /** Makes the directories that are not a server's own. */
    public void createDirectories() throws IOException {
        Files.createDirectories(root.resolve("log"));
        Files.createDirectories(root.resolve("run"));
    }
}
