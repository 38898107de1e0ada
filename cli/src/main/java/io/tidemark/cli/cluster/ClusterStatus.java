package io.tidemark.cli.cluster;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How a local cluster of processes is at one moment; every field is text, empty where nothing is known, since people and scripts read
 * it.
 *
 * @param commitLsn what the quorum has, as PostgreSQL was told
 */
public record ClusterStatus(String directory, int pgMajor, String commitLsn, List<Server> servers) {
    /**
     * One server.
     *
     * @param state {@code running} or {@code down}; {@code silent}: the process lives and does not answer
     * @param lagBytes from its flush_lsn to PostgreSQL's
     */
    public record Server(
            String name,
            String state,
            String pid,
            String address,
            String term,
            String flushLsn,
            String commitLsn,
            String lagBytes) {}

    private static final String RUNNING = "running";
    private static final String DOWN = "down";
    private static final String SILENT = "silent";

    public ClusterStatus {
        servers = List.copyOf(servers);
    }

    public boolean allRunning() {
        return servers.stream().allMatch(server -> server.state().equals(RUNNING));
    }

    /** Asks every server. One that does not answer is a row, not an error. */
    public static ClusterStatus of(ProcessCluster cluster) throws IOException {
        ClusterConfig config = cluster.directory().config();
        PostgresProbe postgres = new PostgresProbe(cluster.postgres());
        Optional<Lsn> sourceLsn = Optional.empty();
        Optional<PostgresProbe.ShimView> shim = Optional.empty();
        boolean answers = false;
        if (cluster.postgres().isRunning()) {
            try {
                sourceLsn = Optional.of(postgres.flushLsn());
                shim = postgres.shim();
                answers = true;
            } catch (SQLException silent) {
                answers = false;
            }
        }
        List<Server> servers = new ArrayList<>();
        for (SafekeeperPlace place : config.safekeepers()) {
            servers.add(safekeeper(cluster, place, sourceLsn));
        }
        String commitLsn = shim.map(view -> view.flushLsn().toString()).orElse("");
        servers.add(shimRow(cluster, shim, commitLsn));
        servers.add(new Server(
                "postgres",
                cluster.postgres().isRunning() ? (answers ? RUNNING : SILENT) : DOWN,
                cluster.postgres().isRunning()
                        ? Long.toString(cluster.postgres().pid())
                        : "",
                "127.0.0.1:" + config.postgresPort(),
                "",
                sourceLsn.map(Lsn::toString).orElse(""),
                "",
                ""));
        return new ClusterStatus(cluster.directory().layout().root().toString(), config.pgMajor(), commitLsn, servers);
    }

    private static Server shimRow(ProcessCluster cluster, Optional<PostgresProbe.ShimView> view, String commitLsn)
            throws IOException {
        Optional<ProcessHandle> handle = cluster.shim().handle();
        String state = handle.isEmpty() ? DOWN : view.isPresent() ? RUNNING : SILENT;
        return new Server(ProcessCluster.SHIM, state, pid(handle), "", "", "", commitLsn, "");
    }

    private static Server safekeeper(ProcessCluster cluster, SafekeeperPlace place, Optional<Lsn> sourceLsn)
            throws IOException {
        Optional<ProcessHandle> handle = cluster.safekeeper(place.id()).handle();
        String name = ClusterLayout.safekeeperName(place.id());
        if (handle.isEmpty()) {
            return new Server(name, DOWN, "", place.pgAddress(), "", "", "", "");
        }
        try {
            Optional<SafekeeperProbe.TimelineStatus> status = cluster.probe(place.id())
                    .timeline(cluster.directory().config().timeline());
            return new Server(
                    name,
                    RUNNING,
                    pid(handle),
                    place.pgAddress(),
                    status.map(s -> Long.toString(s.term())).orElse(""),
                    status.map(s -> s.flushLsn().toString()).orElse(""),
                    status.map(s -> s.commitLsn().toString()).orElse(""),
                    status.flatMap(s -> sourceLsn.map(source -> lag(source, s.flushLsn())))
                            .orElse(""));
        } catch (IOException noAnswer) {
            return new Server(name, SILENT, pid(handle), place.pgAddress(), "", "", "", "");
        }
    }

    private static String lag(Lsn sourceLsn, Lsn flushLsn) {
        return Long.toString(sourceLsn.isAfter(flushLsn) ? sourceLsn.minus(flushLsn) : 0);
    }

    private static String pid(Optional<ProcessHandle> handle) {
        return handle.map(process -> Long.toString(process.pid())).orElse("");
    }
}
