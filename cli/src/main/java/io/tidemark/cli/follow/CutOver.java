package io.tidemark.cli.follow;

import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.storage.Branch;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.FollowStatus;
import io.tidemark.cli.storage.FollowedSource;
import io.tidemark.cli.storage.PageserverClient.TimelineInfo;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.cli.wal.LastRecord;
import io.tidemark.shim.compute.SyncSafekeepers;
import io.tidemark.shim.libpq.Questions;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.walpush.WalPushVersion;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The end of an import: the branch has everything that the server ever committed, and is one like any other.
 *
 * <p>Two ways to know that nothing is missing:
 *
 * <pre>
 *   the server is down    the last record that was committed here is the checkpoint of its shutdown. PostgreSQL writes that last, and does not
 *                         end before the stream has confirmed it, so a server that was shut down in order while it was followed is whole here
 *   it is read-only       default_transaction_read_only is on, no transaction has written, and its flush_lsn stands still, and is here
 * </pre>
 */
public final class CutOver {
    private static final Duration QUIET = Duration.ofSeconds(1);
    private static final Duration QUIET_PATIENCE = Duration.ofSeconds(60);
    private static final Duration SHUTDOWN_PATIENCE = Duration.ofSeconds(10);
    private static final Duration SYNC_PATIENCE = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(100);

    private final StorageDirectory directory;
    private final Imports imports;
    private final Branches branches;

    public CutOver(StorageDirectory directory) {
        this.directory = directory;
        this.imports = new Imports(directory);
        this.branches = new Branches(directory);
    }

    /**
     * How it ended.
     *
     * @param lsn where the branch is now
     * @param slotLeft what to do about the server's slot; empty when it is dropped
     */
    public record Done(Lsn lsn, String slotLeft) {}

    /**
     * Completes the import of a branch.
     *
     * @param force also when the server still takes writes, or was not shut down in order: what has not arrived is not part of the branch
     * @throws ClusterException when something could be missing; the branch follows on then
     */
    public Done run(String name, boolean force, ImportListener listener) throws IOException, InterruptedException {
        Branch branch = directory.branches().require(name);
        FollowedSource source = imports.requireSource(name);
        TimelineInfo info = branches.require(branch);
        if (info.lastRecordLsn().isBefore(info.minReadableLsn())) {
            throw new ClusterException("branch " + name + " has WAL up to " + info.lastRecordLsn()
                    + " and can be read from " + info.minReadableLsn() + " on: wait until it has been copied");
        }
        try (SourceProbe probe = new SourceProbe(source.address())) {
            Lsn end = isUp(probe) ? endOfRunning(branch, probe, force, listener) : endOfStopped(branch, source, force);
            imports.awaitIngested(branch, end, listener);
            imports.stop(name);
            String slotLeft = Imports.dropSlot(source, probe);
            FollowedSource.remove(directory.layout(), name);
            return new Done(end, slotLeft);
        }
    }

    private static boolean isUp(SourceProbe probe) throws InterruptedException, ClusterException {
        try {
            probe.identify();
            return true;
        } catch (ClusterException refused) {
            throw refused;
        } catch (IOException down) {
            return false;
        }
    }

    private Lsn endOfRunning(Branch branch, SourceProbe probe, boolean force, ImportListener listener)
            throws IOException, InterruptedException {
        if (!force) {
            requireReadOnly(probe);
        }
        imports.launch(branch);
        imports.awaitStreaming(branch.name());
        try (Questions watch = probe.watch()) {
            Lsn end = force ? SourceProbe.flushLsn(watch) : quietLsn(watch);
            awaitCommitted(branch, end, listener);
            return end;
        }
    }

    private static void requireReadOnly(SourceProbe probe) throws IOException, InterruptedException {
        if (!probe.isReadOnly()) {
            throw new ClusterException("the server still takes writes: shut it down (pg_ctl stop -m fast), or make it"
                    + " read-only (ALTER SYSTEM SET default_transaction_read_only = on; SELECT pg_reload_conf()), and"
                    + " cut over then; --force takes what is here by now");
        }
        List<String> writers = probe.writers();
        if (!writers.isEmpty()) {
            throw new ClusterException("these sessions of the server are in transactions that have written, pid "
                    + String.join(", ", writers) + ": wait for them, or end them with pg_terminate_backend(pid)");
        }
    }

    /** Where flush_lsn stands still, so that what was committed asynchronously is in it as well. */
    private static Lsn quietLsn(Questions watch) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + QUIET_PATIENCE.toNanos();
        Lsn lsn = SourceProbe.flushLsn(watch);
        long since = System.nanoTime();
        while (System.nanoTime() - since < QUIET.toNanos()) {
            TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
            Lsn now = SourceProbe.flushLsn(watch);
            if (!now.equals(lsn)) {
                lsn = now;
                since = System.nanoTime();
            }
            if (System.nanoTime() > deadline) {
                throw new ClusterException("the server is read-only, and still writes WAL after "
                        + QUIET_PATIENCE.toSeconds() + " s: who does that? Shut it down instead, or --force");
            }
        }
        return lsn;
    }

    private void awaitCommitted(Branch branch, Lsn end, ImportListener listener)
            throws IOException, InterruptedException {
        while (true) {
            FollowStatus status = imports.status(branch.name())
                    .orElseThrow(() -> new ClusterException("nobody follows the server any more"));
            if (Lsn.parse(status.commitLsn()).isAtLeast(end)) {
                return;
            }
            if (!imports.process(branch.name()).isRunning()) {
                throw new ClusterException(imports.process(branch.name()).name() + " has ended: " + status.problem());
            }
            listener.phase("WAL up to " + status.commitLsn() + " of " + end + " is committed");
            TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
        }
    }

    private Lsn endOfStopped(Branch branch, FollowedSource source, boolean force)
            throws IOException, InterruptedException {
        awaitLost(branch, source);
        imports.stop(branch.name());
        boolean done = false;
        try {
            TenantTimelineId id = new TenantTimelineId(directory.config().tenantId(), branch.timelineId());
            List<SafekeeperAddress> safekeepers =
                    SafekeeperAddress.parseList(directory.config().safekeeperList());
            Lsn end = SyncSafekeepers.run(safekeepers, id, WalPushVersion.V3, SYNC_PATIENCE);
            if (!force) {
                requireShutdown(lastRecord(branch, id, safekeepers, end), source);
            }
            done = true;
            return end;
        } finally {
            if (!done) {
                imports.launch(branch);
            }
        }
    }

    /** A server that is just shutting down waits until the stream has confirmed its last record, so the stream must not be ended before it. */
    private void awaitLost(Branch branch, FollowedSource source) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + SHUTDOWN_PATIENCE.toNanos();
        while (imports.process(branch.name()).isRunning()
                && imports.status(branch.name())
                        .map(FollowStatus::state)
                        .orElse("")
                        .equals("streaming")) {
            if (System.nanoTime() > deadline) {
                throw new ClusterException(source.url() + " takes no connections, and still sends WAL: when it has"
                        + " shut down, cut over again");
            }
            TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
        }
    }

    private static void requireShutdown(LastRecord last, FollowedSource source) throws ClusterException {
        if (!last.isShutdown()) {
            throw new ClusterException(source.url() + " does not answer, and the last record of it here, up to "
                    + last.end() + ", is " + last.name() + ", not the checkpoint of an orderly shutdown: it may have"
                    + " committed more. Start it, wait until it is followed, and shut it down in order; --force takes what"
                    + " is here");
        }
    }

    private LastRecord lastRecord(Branch branch, TenantTimelineId id, List<SafekeeperAddress> safekeepers, Lsn end)
            throws IOException, InterruptedException {
        TimelineInfo info = branches.require(branch);
        Lsn from = info.prevRecordLsn().isValid() ? info.prevRecordLsn() : info.lastRecordLsn();
        long deadline = System.nanoTime() + SYNC_PATIENCE.toNanos();
        while (true) {
            String seen = "";
            for (SafekeeperAddress safekeeper : safekeepers) {
                try {
                    LastRecord last = LastRecord.read(safekeeper, id, from);
                    if (last != null && last.end().isAtLeast(end)) {
                        return last;
                    }
                } catch (IOException e) {
                    seen = ": " + e.getMessage();
                }
            }
            if (System.nanoTime() > deadline) {
                throw new ClusterException(
                        "no safekeeper shows WAL of branch " + branch.name() + " from " + from + " to " + end + seen);
            }
            TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
        }
    }
}
