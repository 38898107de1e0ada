package io.tidemark.shim.compute;

import io.netty.channel.EventLoop;
import io.tidemark.shim.proposer.Proposer;
import io.tidemark.shim.proposer.ProposerConfig;
import io.tidemark.shim.proposer.ProposerEffect;
import io.tidemark.shim.source.PostgresIdentity;
import io.tidemark.shim.source.PostgresInquiry;
import io.tidemark.shim.source.PostgresRefusedException;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The course of a shim's life, told in order on one thread: wait for PostgreSQL, check it, be elected, compare, stream, and what
 * follows each kind of loss. Blocks where it waits; nothing of a commit's way is here.
 */
final class ShimControl {
    private static final Logger log = LoggerFactory.getLogger(ShimControl.class);
    private static final long FIRST_BACKOFF_MILLIS = 100;
    private static final long MAX_BACKOFF_MILLIS = 2_000;
    private static final long RESTART_MILLIS = 1_000;

    private final EventLoop loop;
    private final ShimConfig config;
    private final PostgresKeeper keeper;
    private final ComputeOwner owner;
    private final PostgresInquiry inquiry;
    private final QuorumCheck quorumCheck;
    // Filled by the event loop; what is in it is bounded by what can happen to one proposer and one connection.
    private final LinkedBlockingQueue<Signal> signals = new LinkedBlockingQueue<>();
    private volatile boolean stopping;

    ShimControl(EventLoop loop, ShimConfig config, PostgresKeeper keeper, Consumer<ShimStatus> published) {
        this.loop = loop;
        this.config = config;
        this.keeper = keeper;
        Endpoints endpoints = Endpoints.of(config);
        this.owner = new ComputeOwner(loop, config, endpoints, this::accept, published);
        this.inquiry = new PostgresInquiry(loop, endpoints.reader(), endpoints.plain());
        this.quorumCheck = new QuorumCheck(loop, config, endpoints);
    }

    /** Ends the course at its next step. Any thread. */
    void stop() {
        stopping = true;
        signals.add(new Signal.Stop());
    }

    /** Runs on the event loop. */
    private void accept(Signal signal) {
        if (signal instanceof Signal.Fenced(FenceReport report)) {
            log.error("fenced: {}", report);
            // At once, and not behind whatever the control thread is waiting for.
            Thread.ofVirtual().name("shim-fence").start(() -> keeper.fenced(report));
        }
        signals.add(signal);
    }

    /** Lives a shim's life; returns when it is over and everything is closed. */
    void run() {
        ShimState last = ShimState.STOPPED;
        try {
            while (true) {
                try {
                    serveOneTerm();
                } catch (IOException e) {
                    retryAfter(MAX_BACKOFF_MILLIS, e.getMessage());
                } catch (RestartException e) {
                    retryAfter(RESTART_MILLIS, e.getMessage());
                }
            }
        } catch (PostgresRefusedException e) {
            log.error("refused: {}", e.getMessage());
            String problem = String.valueOf(e.getMessage());
            onLoop(() -> owner.report(problem));
            last = ShimState.REFUSED;
        } catch (FencedException e) {
            last = ShimState.FENCED;
            nameWinner(e.report);
        } catch (StoppedException e) {
            log.info("the shim of {} stops", config.timeline());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            ShimState state = last;
            onLoop(() -> owner.close(state));
        }
    }

    private void serveOneTerm()
            throws IOException, PostgresRefusedException, RestartException, FencedException, StoppedException,
                    InterruptedException {
        onLoop(() -> owner.moveTo(ShimState.WAITING_FOR_POSTGRES));
        PostgresIdentity identity = waitForPostgres();
        warnOfWhoWaits(identity);
        onLoop(() -> owner.moveTo(ShimState.CHECKING));
        quorumCheck.requireFits(inquiry);
        Lsn slotLsn = inquiry.prepareSlot(config.slot(), identity.version())
                .orElseThrow(() -> new PostgresRefusedException("replication slot " + config.slot()
                        + " keeps no WAL; drop it (SELECT pg_drop_replication_slot('" + config.slot()
                        + "')), it will be made anew"));
        // A new timeline begins where its base data ends, not where this PostgreSQL put its checkpoint.
        Lsn beginLsn = config.builtAtLsn().isValid() ? config.builtAtLsn() : slotLsn;
        ProposerEffect.Elected election = beElected(identity, beginLsn);
        log.info(
                "elected in term {}, WAL of {} continues at {}",
                election.term(),
                config.timeline(),
                election.startLsn());
        quorumCheck.requireSameHistory(inquiry.identify(), election);
        onLoop(() -> owner.startSource(election.startLsn()));
        stream(identity);
    }

    private PostgresIdentity waitForPostgres() throws PostgresRefusedException, StoppedException, InterruptedException {
        long backoff = FIRST_BACKOFF_MILLIS;
        while (true) {
            if (stopping) {
                throw new StoppedException();
            }
            try {
                return inquiry.identify();
            } catch (IOException e) {
                String problem = String.valueOf(e.getMessage());
                onLoop(() -> owner.report(problem));
                log.info("waiting for PostgreSQL: {}", problem);
                TimeUnit.MILLISECONDS.sleep(backoff);
                backoff = Math.min(2 * backoff, MAX_BACKOFF_MILLIS);
            }
        }
    }

    private void warnOfWhoWaits(PostgresIdentity identity) {
        String names = identity.synchronousStandbyNames();
        if (config.isFollowing()) {
            if (names.contains("*")) {
                log.warn(
                        "synchronous_standby_names is '{}': the commits of {} wait for the quorum",
                        names,
                        config.postgres());
            }
            return;
        }
        if (!names.contains(config.applicationName()) && !names.contains("*")) {
            log.warn(
                    "synchronous_standby_names is '{}' and does not name {}: commits do NOT wait for the quorum",
                    names,
                    config.applicationName());
        }
    }

    private ProposerEffect.Elected beElected(PostgresIdentity identity, Lsn beginLsn)
            throws RestartException, FencedException, StoppedException, InterruptedException {
        Proposer proposer = new Proposer(new ProposerConfig(
                config.timeline(),
                config.safekeepers().size(),
                ProposerConfig.Membership.CONFIGURED_LIST,
                ProposerConfig.Mode.STREAM,
                new ProposerConfig.WalOrigin(identity.version(), identity.systemId(), identity.segmentSizeBytes()),
                beginLsn,
                ProposerConfig.Limits.DEFAULT));
        onLoop(() -> owner.campaign(proposer));
        while (true) {
            switch (signals.take()) {
                case Signal.Elected(ProposerEffect.Elected election) -> {
                    return election;
                }
                case Signal.SourceLost lost -> log.debug("a connection of the past ended: {}", lost.reason());
                case Signal.Diverged diverged -> log.debug("a connection of the past ended at {}", diverged.at());
                case Signal.Fenced(FenceReport report) -> throw new FencedException(report);
                case Signal.Restart(String reason) -> throw new RestartException(reason);
                case Signal.SyncFinished finished -> log.debug("not in sync mode, ignored {}", finished);
                case Signal.Stop stop -> throw new StoppedException();
            }
        }
    }

    /** Streams until the term is lost; a lost PostgreSQL is waited for with the term kept. */
    private void stream(PostgresIdentity identity)
            throws PostgresRefusedException, RestartException, FencedException, StoppedException, InterruptedException {
        long backoff = FIRST_BACKOFF_MILLIS;
        while (true) {
            switch (signals.take()) {
                case Signal.SourceLost lost -> {
                    if (!lost.temporary()) {
                        throw new PostgresRefusedException(lost.reason());
                    }
                    log.warn("lost PostgreSQL: {}", lost.reason());
                    TimeUnit.MILLISECONDS.sleep(backoff);
                    backoff = Math.min(2 * backoff, MAX_BACKOFF_MILLIS);
                    if (resume(identity)) {
                        backoff = FIRST_BACKOFF_MILLIS;
                    }
                }
                case Signal.Diverged(Lsn at) ->
                    throw new PostgresRefusedException("PostgreSQL at " + config.postgres()
                            + " came back with other WAL than it had sent before; the first difference is at " + at
                            + ". It was restored or replaced. It must not go on under timeline " + config.timeline()
                            + ".");
                case Signal.Fenced(FenceReport report) -> throw new FencedException(report);
                case Signal.Restart(String reason) -> throw new RestartException(reason);
                case Signal.Stop stop -> throw new StoppedException();
                case Signal.Elected elected -> log.debug("elected once already, ignored {}", elected);
                case Signal.SyncFinished finished -> log.debug("not in sync mode, ignored {}", finished);
            }
        }
    }

    /** Connects to a PostgreSQL that was lost; when it is not there yet, that is another loss. */
    private boolean resume(PostgresIdentity before) throws PostgresRefusedException, InterruptedException {
        PostgresIdentity now;
        try {
            now = inquiry.identify();
        } catch (IOException e) {
            signals.add(new Signal.SourceLost(String.valueOf(e.getMessage()), true));
            return false;
        }
        Lsn received = onLoop(owner::receivedLsn);
        QuorumCheck.requireSameSystem(config, before.systemId(), now);
        if (received != null && now.flushLsn().isBefore(received)) {
            throw new PostgresRefusedException("PostgreSQL at " + config.postgres() + " came back with WAL up to "
                    + now.flushLsn() + " although it had sent " + received
                    + ": it was restored from a backup, or lost what it had flushed. It must not go on under timeline "
                    + config.timeline() + ".");
        }
        onLoop(() -> owner.startSource(owner.resumeLsn()));
        return true;
    }

    private void nameWinner(FenceReport report) {
        try {
            FenceReport named = report.withWinner(quorumCheck.winnerOf(report.higherTerm()));
            log.error("{}", named);
            onLoop(() -> owner.nameWinner(named));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void retryAfter(long millis, @Nullable String problem)
            throws StoppedException, FencedException, InterruptedException {
        log.warn("starting anew: {}", problem);
        onLoop(() -> owner.report(String.valueOf(problem)));
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        for (long left = deadline - System.nanoTime(); left > 0; left = deadline - System.nanoTime()) {
            Signal signal = signals.poll(left, TimeUnit.NANOSECONDS);
            if (signal instanceof Signal.Stop) {
                throw new StoppedException();
            }
            if (signal instanceof Signal.Fenced(FenceReport report)) {
                throw new FencedException(report);
            }
        }
    }

    private void onLoop(Runnable task) {
        onLoop(() -> {
            task.run();
            return null;
        });
    }

    private <T> @Nullable T onLoop(Supplier<@Nullable T> task) {
        return CompletableFuture.supplyAsync(task, loop).join();
    }

    /** The proposer is over, a new one may be tried. */
    private static final class RestartException extends Exception {
        private static final long serialVersionUID = 1L;

        RestartException(String reason) {
            super(reason);
        }
    }

    private static final class FencedException extends Exception {
        private static final long serialVersionUID = 1L;
        private final transient FenceReport report;

        FencedException(FenceReport report) {
            super(report.toString());
            this.report = report;
        }
    }

    private static final class StoppedException extends Exception {
        private static final long serialVersionUID = 1L;
    }
}
