package io.tidemark.cli.storage;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ClusterLayout;
import io.tidemark.cli.cluster.SafekeeperProbe;
import io.tidemark.cli.cluster.ServerProcess;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How a storage cluster is at one moment; every field is text, empty where nothing is known, since people and scripts read it.
 *
 * @param branch whose LSNs these are
 */
public record StorageStatus(String directory, String branch, List<Server> servers, List<Import> imports) {
    /**
     * One server.
     *
     * @param state {@code running}, {@code down}, {@code silent}: the process lives and does not answer, or {@code promoted}: what was to
     *     read only takes writes, which reach no storage
     * @param term of the branch's timeline there
     * @param flushLsn of a safekeeper; a pageserver's disk_consistent_lsn is not shown
     * @param lsn a safekeeper's commit_lsn, the pageserver's last_record_lsn, where a compute was built
     */
    public record Server(
            String name, String state, String pid, String address, String term, String flushLsn, String lsn) {
        Server withState(String other) {
            return new Server(name, other, pid, address, term, flushLsn, lsn);
        }
    }

    /**
     * A branch that follows the server it is imported from.
     *
     * @param url without a password
     * @param state what its shim does, or {@code down}
     * @param lagBytes WAL that the server has and a quorum has not
     * @param problem the last thing that went wrong; empty when nothing did
     */
    public record Import(
            String branch,
            String url,
            String state,
            String pid,
            String sourceLsn,
            String commitLsn,
            long lagBytes,
            String problem) {
        /** Of a branch; empty when it follows no server. */
        public static Optional<Import> of(StorageDirectory directory, String branch) throws IOException {
            Optional<FollowedSource> source = FollowedSource.find(directory.layout(), branch);
            if (source.isEmpty()) {
                return Optional.empty();
            }
            Optional<ProcessHandle> handle = new ServerProcess("import-" + branch, directory.layout()).handle();
            Optional<FollowStatus> said = FollowStatus.read(directory.layout().importDir(branch));
            return Optional.of(new Import(
                    branch,
                    source.get().url(),
                    handle.isEmpty() ? DOWN : said.map(FollowStatus::state).orElse("starting"),
                    StorageStatus.pid(handle),
                    said.map(FollowStatus::sourceLsn).orElse(""),
                    said.map(FollowStatus::commitLsn).orElse(""),
                    said.map(FollowStatus::lagBytes).orElse(0L),
                    said.map(FollowStatus::problem).orElse("")));
        }

        /** In a few words, for people. */
        public String text() {
            String lag = ", " + (lagBytes >> 10) + " kB behind";
            return "follows " + url + (state.equals("streaming") ? lag : ": " + state + lag)
                    + (problem.isEmpty() || state.equals("streaming") ? "" : " (" + problem + ")");
        }
    }

    private static final String RUNNING = "running";
    private static final String DOWN = "down";
    private static final String SILENT = "silent";
    private static final String PROMOTED = "promoted";

    public StorageStatus {
        servers = List.copyOf(servers);
        imports = List.copyOf(imports);
    }

    /** Whether safekeepers and pageserver run; computes are there when somebody wants one. */
    public boolean storageRuns() {
        return servers.stream()
                .filter(server -> !server.name().startsWith("compute-"))
                .allMatch(server -> server.state().equals(RUNNING));
    }

    /** Asks every server. One that does not answer is a row, not an error. */
    public static StorageStatus of(StorageDirectory directory, String branchName) throws IOException {
        Optional<Branch> branch = directory.branches().find(branchName);
        Optional<TenantTimelineId> timeline =
                branch.map(known -> new TenantTimelineId(directory.config().tenantId(), known.timelineId()));
        StorageProcesses processes = new StorageProcesses(directory);
        List<Server> servers = new ArrayList<>();
        for (SafekeeperPlace place : directory.config().safekeepers()) {
            servers.add(safekeeper(processes, place, timeline));
        }
        servers.add(pageserver(processes, branch));
        Computes computes = new Computes(directory);
        List<Import> imports = new ArrayList<>();
        for (Branch each : directory.branches().all()) {
            compute(computes, each.name(), each.computePort()).ifPresent(servers::add);
            Import.of(directory, each.name()).ifPresent(imports::add);
        }
        for (Reader each : new Readers(directory).all()) {
            compute(computes, each.id(), each.port())
                    .map(row -> isPromoted(computes, each) ? row.withState(PROMOTED) : row)
                    .ifPresent(servers::add);
        }
        return new StorageStatus(directory.layout().root().toString(), branchName, servers, imports);
    }

    private static Server safekeeper(
            StorageProcesses processes, SafekeeperPlace place, Optional<TenantTimelineId> timeline) throws IOException {
        String name = ClusterLayout.safekeeperName(place.id());
        Optional<ProcessHandle> handle = processes.safekeeper(place.id()).handle();
        if (handle.isEmpty()) {
            return new Server(name, DOWN, "", place.pgAddress(), "", "", "");
        }
        try {
            Optional<SafekeeperProbe.TimelineStatus> status = timeline.isEmpty()
                    ? Optional.empty()
                    : processes.probe(place.id()).timeline(timeline.get());
            return new Server(
                    name,
                    RUNNING,
                    pid(handle),
                    place.pgAddress(),
                    status.map(s -> Long.toString(s.term())).orElse(""),
                    status.map(s -> s.flushLsn().toString()).orElse(""),
                    status.map(s -> s.commitLsn().toString()).orElse(""));
        } catch (IOException noAnswer) {
            return new Server(name, SILENT, pid(handle), place.pgAddress(), "", "", "");
        }
    }

    private static Server pageserver(StorageProcesses processes, Optional<Branch> branch) throws IOException {
        StorageDirectory directory = processes.directory();
        ServerProcess process = processes.pageserver();
        String address = directory.config().pageserverPg().toString();
        Optional<ProcessHandle> handle = process.handle();
        if (handle.isEmpty()) {
            return new Server(process.name(), DOWN, "", address, "", "", "");
        }
        try {
            String last = branch.isEmpty()
                    ? ""
                    : directory
                            .pageserver()
                            .find(branch.get().timelineId())
                            .map(info -> info.lastRecordLsn().toString())
                            .orElse("");
            return new Server(process.name(), RUNNING, pid(handle), address, "", "", last);
        } catch (IOException noAnswer) {
            return new Server(process.name(), SILENT, pid(handle), address, "", "", "");
        }
    }

    private static boolean isPromoted(Computes computes, Reader reader) {
        try {
            return computes.isPromoted(reader);
        } catch (IOException unknown) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static Optional<Server> compute(Computes computes, String compute, int port) throws IOException {
        ServerProcess process = computes.process(compute);
        Optional<ComputeStatus> status = computes.status(compute);
        Optional<ProcessHandle> handle = process.handle();
        if (handle.isEmpty() && status.isEmpty()) {
            return Optional.empty();
        }
        boolean runs = status.map(known -> known.state() == ComputeStatus.State.RUNNING)
                .orElse(false);
        boolean promoted = status.map(known -> known.state() == ComputeStatus.State.PROMOTED)
                .orElse(false);
        return Optional.of(new Server(
                process.name(),
                handle.isEmpty() ? promoted ? PROMOTED : DOWN : runs ? RUNNING : SILENT,
                pid(handle),
                "127.0.0.1:" + port,
                "",
                "",
                status.map(ComputeStatus::startLsn).orElse("")));
    }

    private static String pid(Optional<ProcessHandle> handle) {
        return handle.map(process -> Long.toString(process.pid())).orElse("");
    }
}
