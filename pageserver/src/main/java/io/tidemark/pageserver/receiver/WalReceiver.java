package io.tidemark.pageserver.receiver;

import io.tidemark.pageserver.ingest.IngestException;
import io.tidemark.pageserver.receiver.SafekeeperChoice.Candidate;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.wire.client.PgConnection;
import io.tidemark.wire.client.PgServerException;
import io.tidemark.wire.frame.SqlState;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.replication.WalReceiverMessage;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalRecord;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Streams one timeline's WAL from its safekeepers into it, for as long as it is open.
 *
 * <pre>
 *   ask all safekeepers -> the one with the highest commit_lsn -> START_REPLICATION at last_record_lsn
 *     records -> WalTarget.ingest ... endBatch -> feedback
 *   leave it when it is silent, when it breaks, or when another has WAL and it sends none (SafekeeperChoice)
 * </pre>
 *
 * <p>While no safekeeper has the timeline, as with a branch that no compute has been started on, it asks now and then, and at once when
 * somebody waits for WAL. A branch that is as it was made is not asked about in the moment in which it is made either.
 *
 * <p>Owner: its virtual thread, which also calls the {@link WalTarget}. It is never interrupted: see {@link Wakeups}.
 */
public final class WalReceiver implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WalReceiver.class);
    private static final Duration TICK = Duration.ofMillis(500);
    private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(10);

    /** How often it asks at least whether some safekeeper has the timeline by now. */
    private static final Duration UNWRITTEN_PAUSE = Duration.ofSeconds(5);

    private final WalTarget target;
    private final TenantTimelineId id;
    private final WalReceiverConfig config;
    private final WalReceiverMetrics metrics;
    private final Safekeepers safekeepers;
    private final Wakeups wakeups = new Wakeups();
    private final Thread thread;
    private volatile @Nullable ReplicationStream stream;
    private volatile @Nullable HostPort current;
    private volatile boolean unwritten;
    private String lastComplaint = "";

    /**
     * Starts to receive.
     *
     * @param addresses the timeline's safekeepers, asked for at each connection
     * @param password a token for the safekeepers; null when they want none
     */
    public WalReceiver(
            WalTarget target,
            Supplier<List<HostPort>> addresses,
            Connections connections,
            @Nullable String password,
            WalReceiverConfig config,
            WalReceiverMetrics metrics) {
        this.target = target;
        this.id = target.id();
        this.config = config;
        this.metrics = metrics;
        this.safekeepers = new Safekeepers(id, target.systemId(), addresses, connections, password, config);
        this.thread = Thread.ofVirtual().name("wal-receiver-" + id.timelineId()).start(this::run);
    }

    /** The safekeeper that it streams from at the moment; null while it has none. */
    public @Nullable HostPort currentSafekeeper() {
        return current;
    }

    /** Whether all safekeepers that answer have never heard of the timeline. */
    public boolean isUnwritten() {
        return unwritten;
    }

    /** Somebody waits for WAL: if it waits as well, it looks again. */
    public void nudge() {
        wakeups.nudge();
    }

    /** Stops, and waits until the thread no longer calls the target. */
    @Override
    public void close() {
        wakeups.stop();
        ReplicationStream streaming = stream;
        if (streaming != null) {
            streaming.wake();
        }
        try {
            if (!thread.join(CLOSE_PATIENCE)) {
                LOG.warn("{}: the WAL receiver does not stop", id);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        int asked = 0;
        // Branches are made by the dozen, and most of them are not written to at once, or ever.
        boolean hurry = !target.isUntouched();
        while (!wakeups.isStopped()) {
            try {
                if (!hurry) {
                    hurry = true;
                    wakeups.pauseUnlessNudged(config.idlePoll());
                }
                Safekeepers.Answers answers = wakeups.call(() -> safekeepers.ask(null), _ -> {});
                Optional<Candidate> best = SafekeeperChoice.best(answers.candidates());
                if (best.isPresent()) {
                    asked = 0;
                    unwritten = false;
                    receive(best.get());
                } else if (answers.withoutTimeline() > 0) {
                    awaitTimeline(++asked);
                } else {
                    wakeups.pause(config.firstBackoff());
                }
            } catch (Wakeups.StoppedException | InterruptedException e) {
                return;
            } catch (IngestException e) {
                LOG.error("{}: ingest stops: {}", id, e.getMessage());
                metrics.refused(e.reason().name());
                target.stopped(e);
                return;
            } catch (ExecutionException | RuntimeException e) {
                LOG.error("{}: the WAL receiver failed", id, e);
                pauseAfterFailure();
            }
        }
    }

    private void pauseAfterFailure() {
        try {
            wakeups.pause(config.maxBackoff());
        } catch (Wakeups.StoppedException e) {
            LOG.debug("{}: stops", id);
        }
    }

    /** A second after it was made there may be a compute, later that is less likely; whoever waits for WAL nudges. */
    private void awaitTimeline(int asked) throws Wakeups.StoppedException {
        if (!unwritten) {
            LOG.info("{}: no safekeeper has this timeline yet; waits until something is written to it", id);
            unwritten = true;
        }
        wakeups.pause(config.firstBackoff());
        wakeups.pauseUnlessNudged(Collections.min(
                List.of(UNWRITTEN_PAUSE, Collections.max(List.of(config.idlePoll(), config.backoff(asked))))));
    }

    /** Streams from one safekeeper until it is to be left. */
    private void receive(Candidate safekeeper)
            throws InterruptedException, IngestException, ExecutionException, Wakeups.StoppedException {
        HostPort address = safekeeper.address();
        String ending = "failed";
        boolean started = false;
        try (ReplicationStream streaming = start(address)) {
            started = true;
            metrics.started();
            current = address;
            stream = streaming;
            lastComplaint = "";
            LOG.info("{}: streams from {} at {}", id, address, streaming.receivedLsn());
            ending = new Session(address, streaming).run();
        } catch (StorageFailedException e) {
            complain(e);
            ending = "storage";
            wakeups.pause(config.idlePoll());
        } catch (PgServerException e) {
            if (e.sqlState().equals(SqlState.SUCCESSFUL_COMPLETION)) {
                ending = "caught up";
                wakeups.pauseUnlessNudged(config.idlePoll());
            } else {
                leave(address, e);
            }
        } catch (IOException | InvalidWalException e) {
            leave(address, e);
        } finally {
            stream = null;
            current = null;
            if (started) {
                metrics.ended(ending);
            }
        }
    }

    /** Says it once, and not with each attempt. */
    private void complain(StorageFailedException e) {
        String complaint = String.valueOf(e.getMessage());
        if (!complaint.equals(lastComplaint)) {
            LOG.warn("{}: storage fails, will try again: {}", id, complaint);
            lastComplaint = complaint;
        }
    }

    private ReplicationStream start(HostPort address)
            throws IOException, StorageFailedException, ExecutionException, Wakeups.StoppedException {
        Lsn lastRecordLsn;
        try {
            lastRecordLsn = target.resume();
        } catch (IOException e) {
            throw new StorageFailedException(e);
        }
        try {
            return wakeups.call(() -> connect(address, lastRecordLsn), ReplicationStream::close);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            }
            throw e;
        }
    }

    private ReplicationStream connect(HostPort address, Lsn from) throws IOException, InterruptedException {
        PgConnection connection = safekeepers.open(address);
        boolean done = false;
        try {
            ReplicationStream connected = ReplicationStream.start(
                    safekeepers.configOf(address),
                    connection,
                    "START_REPLICATION PHYSICAL " + from,
                    target.pgMajor(),
                    target.walSegmentSizeBytes(),
                    from);
            done = true;
            return connected;
        } finally {
            if (!done) {
                connection.close();
            }
        }
    }

    private void leave(HostPort address, Exception why) {
        LOG.warn("{}: leaves {}: {}", id, address, why.getMessage());
        safekeepers.blame(address);
    }

    /** Not the safekeeper's fault. */
    private static final class StorageFailedException extends Exception {
        private static final long serialVersionUID = 1;

        StorageFailedException(IOException cause) {
            super(cause.getMessage(), cause);
        }
    }

    /** One connection. */
    private final class Session {
        private final HostPort address;
        private final ReplicationStream stream;
        private long lastHeardNanos = System.nanoTime();
        private long lastWalNanos = System.nanoTime();
        private long lastAskedNanos = System.nanoTime();
        private Lsn receivedLsn;
        private PageserverFeedback told;
        private CompletableFuture<List<Candidate>> others = CompletableFuture.completedFuture(List.of());
        private boolean asking;

        Session(HostPort address, ReplicationStream stream) {
            this.address = address;
            this.stream = stream;
            this.receivedLsn = stream.receivedLsn();
            this.told = target.feedback();
        }

        /** Returns why it ended when nothing is wrong. */
        String run()
                throws IOException, InvalidWalException, InterruptedException, IngestException, StorageFailedException {
            tell(true);
            while (!wakeups.isStopped()) {
                boolean heard = stream.await(TICK);
                if (heard) {
                    lastHeardNanos = System.nanoTime();
                    ingestWhatHasArrived();
                } else if (hasPassed(lastHeardNanos, config.silenceTimeout())) {
                    throw new IOException(
                            "it has said nothing for " + config.silenceTimeout().toSeconds() + " s");
                }
                tell(stream.takeReplyRequested());
                Optional<SafekeeperChoice.Switch> better = judge();
                if (better.isPresent()) {
                    LOG.info(
                            "{}: {} has more WAL than {} ({}), goes there",
                            id,
                            better.get().to(),
                            address,
                            better.get().reason());
                    return "switched";
                }
            }
            return "closed";
        }

        private void ingestWhatHasArrived()
                throws IOException, InvalidWalException, InterruptedException, IngestException, StorageFailedException {
            Lsn batchStart = stream.receivedLsn();
            int records = 0;
            int inBatch = 0;
            while (!wakeups.isStopped()) {
                WalRecord record = stream.next();
                if (record != null) {
                    ingest(record);
                    records++;
                    inBatch++;
                }
                boolean drained = record == null && !stream.await(Duration.ZERO);
                boolean full = inBatch >= config.batchRecords()
                        || stream.receivedLsn().minus(batchStart) >= config.batchBytes();
                if (inBatch > 0 && (drained || full)) {
                    endBatch();
                    inBatch = 0;
                    batchStart = stream.receivedLsn();
                    if (!drained) {
                        tell(false);
                    }
                }
                if (drained) {
                    break;
                }
            }
            long bytes = stream.receivedLsn().minus(receivedLsn);
            if (bytes > 0) {
                receivedLsn = stream.receivedLsn();
                lastWalNanos = System.nanoTime();
                safekeepers.forgive(address);
                metrics.received(bytes, records);
            }
        }

        private void ingest(WalRecord record) throws IngestException, StorageFailedException {
            try {
                target.ingest(record);
            } catch (IOException e) {
                throw new StorageFailedException(e);
            }
        }

        private void endBatch() throws StorageFailedException {
            try {
                target.endBatch();
                boolean room = target.awaitRoom();
                while (!room && !wakeups.isStopped()) {
                    room = target.awaitRoom();
                }
            } catch (IOException e) {
                throw new StorageFailedException(e);
            }
        }

        /** Tells the safekeeper how far the timeline is, when that has changed or it wants to hear it. */
        private void tell(boolean always) {
            PageserverFeedback now = target.feedback();
            if (always
                    || !now.lastReceivedLsn().equals(told.lastReceivedLsn())
                    || !now.diskConsistentLsn().equals(told.diskConsistentLsn())
                    || !now.remoteConsistentLsn().equals(told.remoteConsistentLsn())) {
                told = now;
                stream.send(new WalReceiverMessage.PageserverStatus(now));
            }
        }

        /** Asks the others now and then, without waiting for them, and judges what they said. */
        private Optional<SafekeeperChoice.Switch> judge() {
            if (asking && others.isDone()) {
                asking = false;
                List<Candidate> answers = others.join();
                boolean lately = !hasPassed(lastWalNanos, config.laggingTimeout());
                return SafekeeperChoice.judge(stream.serverEndLsn(), lately, answers, config.maxLagBytes());
            }
            if (!asking && hasPassed(lastAskedNanos, config.laggingTimeout())) {
                asking = true;
                lastAskedNanos = System.nanoTime();
                others = new CompletableFuture<>();
                CompletableFuture<List<Candidate>> answer = others;
                Thread.ofVirtual().start(() -> askOthers(answer));
            }
            return Optional.empty();
        }

        private void askOthers(CompletableFuture<List<Candidate>> answer) {
            try {
                answer.complete(safekeepers.ask(address).candidates());
            } catch (InterruptedException | RuntimeException e) {
                LOG.warn("{}: cannot ask the other safekeepers: {}", id, e.toString());
                answer.complete(List.of());
            }
        }
    }

    private static boolean hasPassed(long sinceNanos, Duration time) {
        return System.nanoTime() - sinceNanos >= time.toNanos();
    }
}
