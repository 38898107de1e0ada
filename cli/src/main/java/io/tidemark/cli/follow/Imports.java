package io.tidemark.cli.follow;

import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.cluster.JvmCommand;
import io.tidemark.cli.cluster.ServerProcess;
import io.tidemark.cli.storage.Branch;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.FollowStatus;
import io.tidemark.cli.storage.FollowedSource;
import io.tidemark.cli.storage.PageserverClient;
import io.tidemark.cli.storage.PageserverClient.CopyProgress;
import io.tidemark.cli.storage.PageserverClient.TimelineInfo;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.shim.source.PostgresAddress;
import io.tidemark.shim.source.PostgresIdentity;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Begins imports of running servers, and gives them up; {@link CutOver} completes them. Owner: one command at a time. */
public final class Imports {
    /** How the server sees the stream; not one that anybody's synchronous_standby_names has. */
    static final String APPLICATION_NAME = "tidemark_import";

    private static final Logger log = LoggerFactory.getLogger(Imports.class);
    private static final Duration START_PATIENCE = Duration.ofSeconds(60);
    private static final Duration STANDSTILL_PATIENCE = Duration.ofMinutes(5);
    private static final Duration STOP_DEADLINE = Duration.ofSeconds(30);
    private static final Duration POLL = Duration.ofMillis(100);
    private static final int ID_DIGITS = 16;

    private final StorageDirectory directory;
    private final PageserverClient pageserver;
    private final Branches branches;

    public Imports(StorageDirectory directory) {
        this.directory = directory;
        this.pageserver = directory.pageserver();
        this.branches = new Branches(directory);
    }

    /** The process that follows the server of a branch, whether or not it runs. */
    public ServerProcess process(String branch) {
        return new ServerProcess("import-" + branch, directory.layout());
    }

    /** What it last said; empty when there was never one. */
    public Optional<FollowStatus> status(String branch) throws IOException {
        return FollowStatus.read(directory.layout().importDir(branch));
    }

    /**
     * Makes a branch of a server that runs; it goes on running, and the branch follows it. Everything is undone when it fails.
     *
     * @param url {@code postgres://user@host:port/}, without a password
     * @param password empty when none is needed
     * @param again also when there is a branch of the same cluster already
     * @return the branch, which can be read
     */
    public Branch start(String name, String url, String password, boolean again, ImportListener listener)
            throws IOException, InterruptedException {
        directory.branches().requireFree(name);
        FollowedSource.requireNone(directory.layout(), name);
        TimelineId timeline = StorageDirectory.newTimelineId();
        FollowedSource source = new FollowedSource(
                url, password, "tidemark_" + timeline.toString().substring(0, ID_DIGITS));
        PostgresAddress address = source.address();
        listener.phase("asking " + address);
        Branch branch;
        boolean done = false;
        try (SourceProbe probe = new SourceProbe(address)) {
            PostgresIdentity identity = probe.identify();
            requireImportable(probe, identity, address, again);
            branch = new Branch(name, timeline.toString(), identity.version().major(), 0);
            directory.binaries(branch.pgMajor());
            // Before there is anything on the server or here: after a crash it says what is to be undone.
            source.write(directory.layout(), name);
            try {
                probe.prepareSlot(source.slot(), identity);
                directory.branches().add(branch);
                launch(branch);
                awaitStreaming(name);
                copy(branch, source, listener);
                awaitReadable(branch, listener);
                done = true;
            } finally {
                if (!done) {
                    giveUp(branch, source, probe);
                }
            }
        }
        return branch;
    }

    private void requireImportable(SourceProbe probe, PostgresIdentity identity, PostgresAddress address, boolean again)
            throws IOException, InterruptedException {
        if (probe.isStandby()) {
            throw new ClusterException(address + " is a standby: import from its primary");
        }
        for (TimelineInfo info : pageserver.all()) {
            if (!again
                    && info.ancestor() == null
                    && info.systemId().equals(identity.systemId().toString())) {
                String known =
                        directory.branches().nameOf(info.id()).orElse(info.id().toString());
                throw new ClusterException("the cluster of " + address + " (system identifier " + identity.systemId()
                        + ") is here already, as branch " + known + ": delete that first, or import once more with"
                        + " --again");
            }
        }
    }

    /** Starts the process that follows a server, unless it runs. */
    public void launch(Branch branch) throws IOException {
        ServerProcess process = process(branch.name());
        if (!process.isRunning()) {
            FollowStatus.clear(directory.layout().importDir(branch.name()));
            process.start(JvmCommand.of(
                    "import", List.of("run", "--dir=" + directory.layout().root(), "--branch=" + branch.name())));
        }
    }

    /** Starts what follows servers and does not run; after the storage was down. */
    public List<String> launchAll() throws IOException {
        List<String> following = new ArrayList<>();
        for (Branch branch : directory.branches().all()) {
            if (FollowedSource.find(directory.layout(), branch.name()).isPresent()) {
                launch(branch);
                following.add(branch.name());
            }
        }
        return following;
    }

    /**
     * Ends the processes that follow servers; the servers keep their WAL meanwhile.
     *
     * @return what did not stop in order and had to be killed, by name
     */
    public List<String> stopAll() throws IOException, InterruptedException {
        List<String> killed = new ArrayList<>();
        for (Branch branch : directory.branches().all()) {
            ServerProcess process = process(branch.name());
            if (!process.stop(STOP_DEADLINE)) {
                killed.add(process.name());
            }
        }
        return killed;
    }

    void stop(String branch) throws IOException, InterruptedException {
        process(branch).stop(STOP_DEADLINE);
    }

    /** Waits until WAL flows from the server to the safekeepers. */
    void awaitStreaming(String name) throws IOException, InterruptedException {
        ServerProcess process = process(name);
        long deadline = System.nanoTime() + START_PATIENCE.toNanos();
        while (true) {
            boolean alive = process.isRunning();
            Optional<FollowStatus> status = status(name);
            String state = status.map(FollowStatus::state).orElse("");
            String problem = status.map(FollowStatus::problem).orElse("");
            if (state.equals("streaming")) {
                return;
            }
            if (!alive) {
                throw new ClusterException(
                        problem.isEmpty() ? process.name() + " has ended:\n" + process.logTail() : problem);
            }
            if (System.nanoTime() > deadline) {
                throw new ClusterException("no WAL flows after " + START_PATIENCE.toSeconds() + " s ("
                        + (state.isEmpty() ? "starting" : state) + (problem.isEmpty() ? "" : ": " + problem)
                        + "); the log is " + process.logFile());
            }
            TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
        }
    }

    private void copy(Branch branch, FollowedSource source, ImportListener listener)
            throws IOException, InterruptedException {
        CompletableFuture<TimelineInfo> copy = new CompletableFuture<>();
        Thread.ofVirtual().name("import-copy").start(() -> {
            try {
                copy.complete(pageserver.importServer(branch.timelineId(), source.url(), source.password()));
            } catch (IOException | RuntimeException e) {
                copy.completeExceptionally(e);
            }
        });
        while (true) {
            try {
                copy.get(POLL.toMillis(), TimeUnit.MILLISECONDS);
                return;
            } catch (TimeoutException goesOn) {
                pageserver
                        .copyProgress(branch.timelineId())
                        .ifPresent(progress -> listener.copied(progress.copiedBytes(), progress.totalBytes()));
            } catch (ExecutionException e) {
                throw e.getCause() instanceof IOException failure
                        ? SourceProbe.explained(failure, source.address())
                        : new IOException(e.getCause());
            }
        }
    }

    private void awaitReadable(Branch branch, ImportListener listener) throws IOException, InterruptedException {
        Lsn readable = branches.require(branch).minReadableLsn();
        awaitIngested(branch, readable, listener);
    }

    /** Waits until the pageserver has a branch's WAL up to an LSN; fails when nothing comes for long. */
    void awaitIngested(Branch branch, Lsn wanted, ImportListener listener) throws IOException, InterruptedException {
        Lsn seen = Lsn.INVALID;
        long movedAt = System.nanoTime();
        while (true) {
            Lsn last = branches.require(branch).lastRecordLsn();
            if (last.isAtLeast(wanted)) {
                return;
            }
            if (last.isAfter(seen)) {
                seen = last;
                movedAt = System.nanoTime();
                listener.phase("WAL up to " + last + " of " + wanted);
            }
            if (System.nanoTime() - movedAt > STANDSTILL_PATIENCE.toNanos()) {
                throw new ClusterException("WAL has come up to " + last + " only, and " + wanted
                        + " is needed; the logs of " + process(branch.name()).name()
                        + " and the pageserver say why");
            }
            TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
        }
    }

    private void giveUp(Branch branch, FollowedSource source, SourceProbe probe) {
        boolean interrupted = Thread.interrupted();
        try {
            remove(branch, source, probe);
        } catch (IOException e) {
            log.warn("tidemark import abort --branch {} removes what is left: {}", branch.name(), e.getMessage());
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Gives an import up: the branch is gone, and the slot on the server.
     *
     * @return why the slot is still there; empty when it is not
     */
    public String abort(String name, ImportListener listener) throws IOException, InterruptedException {
        Optional<Branch> branch = directory.branches().find(name);
        FollowedSource source = requireSource(name);
        if (branch.isPresent()) {
            for (Optional<CopyProgress> copy = copyOf(branch.get()); copy.isPresent(); copy = copyOf(branch.get())) {
                listener.copied(copy.get().copiedBytes(), copy.get().totalBytes());
                TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
            }
        }
        try (SourceProbe probe = new SourceProbe(source.address())) {
            if (branch.isEmpty()) {
                stop(name);
                FollowedSource.remove(directory.layout(), name);
                return dropSlot(source, probe);
            }
            return remove(branch.get(), source, probe);
        }
    }

    // What the pageserver has begun to copy it copies to its end, and would make a timeline of after we were gone.
    private Optional<CopyProgress> copyOf(Branch branch) throws IOException {
        return pageserver.copyProgress(branch.timelineId());
    }

    FollowedSource requireSource(String name) throws IOException {
        return FollowedSource.find(directory.layout(), name)
                .orElseThrow(() -> new ClusterException("branch " + name + " is not being imported"));
    }

    private String remove(Branch branch, FollowedSource source, SourceProbe probe)
            throws IOException, InterruptedException {
        stop(branch.name());
        String slotLeft = dropSlot(source, probe);
        FollowedSource.remove(directory.layout(), branch.name());
        if (directory.branches().find(branch.name()).isPresent()) {
            branches.delete(branch.name());
        }
        return slotLeft;
    }

    /** Drops the slot on the server; answers why it is still there, or nothing. */
    static String dropSlot(FollowedSource source, SourceProbe probe) throws InterruptedException {
        try {
            probe.dropSlot(source.slot());
            return "";
        } catch (IOException e) {
            return "when the server runs again, drop its replication slot, or it keeps WAL for ever: SELECT"
                    + " pg_drop_replication_slot('" + source.slot() + "') (" + e.getMessage() + ")";
        }
    }
}
