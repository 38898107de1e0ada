package io.tidemark.shim.compute;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.EventLoop;
import io.tidemark.shim.libpq.Ending;
import io.tidemark.shim.link.WalBuffer;
import io.tidemark.shim.link.WalComparison;
import io.tidemark.shim.link.WalFeed;
import io.tidemark.shim.proposer.Proposer;
import io.tidemark.shim.proposer.ProposerEffect;
import io.tidemark.shim.source.PostgresSource;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.HotStandbyFeedback;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Everything of one compute that moves WAL, on one event loop: the source, the buffer, and the driver of the present proposer.
 *
 * <p>Every method is called on the event loop. WAL that arrives goes into the buffer, is proposed, and its acknowledgement is
 * confirmed to PostgreSQL in the same call that counted the quorum. What takes time (asking, comparing, waiting) is the control
 * thread's work; it is told by {@link Signal}s.
 */
final class ComputeOwner implements ProposerDriver.Listener, PostgresSource.Listener {
    // What a PostgreSQL that comes back has to show again of what it had sent.
    private static final long OVERLAP_BYTES = 64 << 10;

    private final EventLoop loop;
    private final ShimConfig config;
    private final Endpoints endpoints;
    private final Consumer<Signal> signals;
    private final Consumer<ShimStatus> published;
    private final WalBuffer buffer;

    private @Nullable ProposerDriver driver;
    private @Nullable PostgresSource source;
    private HotStandbyFeedback standbyFeedback = HotStandbyFeedback.NONE;
    private ShimState state = ShimState.WAITING_FOR_POSTGRES;
    private Term electedTerm = Term.ZERO;
    private Term highestOwnTerm = Term.ZERO;
    private Lsn startLsn = Lsn.INVALID;
    private Lsn commitLsn = Lsn.INVALID;
    private long postgresConnections;
    private String problem = "";
    private @Nullable FenceReport fence;

    ComputeOwner(
            EventLoop loop,
            ShimConfig config,
            Endpoints endpoints,
            Consumer<Signal> signals,
            Consumer<ShimStatus> published) {
        this.loop = loop;
        this.config = config;
        this.endpoints = endpoints;
        this.signals = signals;
        this.published = published;
        this.buffer = new WalBuffer(PooledByteBufAllocator.DEFAULT, config.bufferBytes());
    }

    void moveTo(ShimState next) {
        if (!state.isFinal()) {
            state = next;
            publish();
        }
    }

    void report(String newProblem) {
        problem = newProblem;
        publish();
    }

    void nameWinner(FenceReport report) {
        fence = report;
        problem = report.toString();
        publish();
    }

    /** Begins a campaign with a fresh proposer. */
    void campaign(Proposer proposer) {
        closeSource();
        closeDriver();
        driver = new ProposerDriver(loop, proposer, endpoints.safekeepers(), config.pushVersion(), buffer, this);
        driver.refuseTermsAbove(electedTerm.equals(Term.ZERO) ? null : highestOwnTerm);
        moveTo(ShimState.ELECTING);
        driver.start();
    }

    /** Lets PostgreSQL's WAL in, from {@code fromLsn} on; what the buffer has of it already is compared instead. */
    void startSource(Lsn fromLsn) {
        closeSource();
        postgresConnections++;
        source = PostgresSource.open(loop, endpoints.replication(), config.slot(), fromLsn, this);
        source.standbyFeedback(standbyFeedback);
    }

    /** Where to ask a PostgreSQL that was lost to continue: a little before the end, so that it shows whether it is still the same. */
    Lsn resumeLsn() {
        return startLsn.max(buffer.startLsn())
                .max(buffer.endLsn()
                        .plus(-Math.min(OVERLAP_BYTES, buffer.endLsn().value())));
    }

    Lsn receivedLsn() {
        return buffer.endLsn();
    }

    @Override
    public void walReceived(Lsn beginLsn, ByteBuf wal) {
        Lsn overlapEnd = buffer.endLsn().min(beginLsn.plus(wal.readableBytes()));
        if (beginLsn.isBefore(overlapEnd) && !sameAsBefore(beginLsn, overlapEnd, wal)) {
            return;
        }
        if (wal.isReadable()) {
            buffer.append(overlapEnd.max(beginLsn), wal);
        }
    }

    private boolean sameAsBefore(Lsn beginLsn, Lsn endLsn, ByteBuf wal) {
        ByteBuf before = buffer.slice(beginLsn, endLsn);
        if (before == null) {
            throw new IllegalStateException("the buffer lost " + beginLsn + " while PostgreSQL was asked for it");
        }
        ByteBuf again = wal.readSlice((int) endLsn.minus(beginLsn));
        int difference = WalComparison.firstDifference(before, again);
        before.release();
        if (difference >= 0) {
            closeSource();
            signals.accept(new Signal.Diverged(beginLsn.plus(difference)));
        }
        return difference < 0;
    }

    @Override
    public void walBatchEnded() {
        if (source == null || driver == null) {
            return;
        }
        if (state == ShimState.STARTING || state == ShimState.POSTGRES_LOST) {
            problem = "";
            moveTo(ShimState.STREAMING);
        }
        driver.walAvailable(buffer.endLsn());
        // A PostgreSQL that came back learns what was committed while it was away as soon as it has shown its WAL.
        confirm();
        applyBackPressure();
    }

    @Override
    public void commitAdvanced(Lsn lsn) {
        commitLsn = lsn;
        confirm();
        applyBackPressure();
    }

    private void confirm() {
        if (source != null && commitLsn.isValid()) {
            source.confirm(commitLsn);
        }
    }

    @Override
    public void walSent() {
        applyBackPressure();
    }

    // WAL may leave memory when it is committed (a donor has it), or when a majority was sent it (PostgreSQL has it
    // until it is
    // committed; a record larger than the buffer would otherwise never get through).
    private void applyBackPressure() {
        if (source == null || driver == null) {
            return;
        }
        if (buffer.isFull(commitLsn.max(driver.sentToMajorityLsn()))) {
            source.pause();
        } else {
            source.resume();
        }
    }

    @Override
    public void lost(Ending ending) {
        closeSource();
        if (state == ShimState.STREAMING) {
            moveTo(ShimState.POSTGRES_LOST);
        }
        report("PostgreSQL: " + ending.reason());
        signals.accept(new Signal.SourceLost(ending.reason(), ending.isTemporary()));
    }

    @Override
    public void elected(ProposerEffect.Elected elected) {
        electedTerm = elected.term();
        startLsn = elected.startLsn();
        buffer.restartAt(startLsn);
        moveTo(ShimState.STARTING);
        signals.accept(new Signal.Elected(elected));
    }

    @Override
    public void proposedTerm(Term term) {
        highestOwnTerm = highestOwnTerm.max(term);
    }

    @Override
    public void fenced(ProposerEffect.Fenced fenced) {
        closeSource();
        FenceReport report = new FenceReport(
                config.timeline(),
                electedTerm,
                fenced.higherTerm(),
                config.safekeepers().get(fenced.seenOn().index()),
                "");
        fence = report;
        problem = report.toString();
        moveTo(ShimState.FENCED);
        signals.accept(new Signal.Fenced(report));
    }

    @Override
    public void restart(String reason) {
        closeSource();
        report("the proposer starts anew: " + reason);
        signals.accept(new Signal.Restart(reason));
    }

    @Override
    public void standbyFeedback(HotStandbyFeedback feedback) {
        standbyFeedback = feedback;
        if (source != null) {
            source.standbyFeedback(feedback);
        }
    }

    @Override
    public void syncFinished(Lsn lsn) {
        signals.accept(new Signal.SyncFinished(lsn));
    }

    @Override
    public void ticked() {
        if (source != null) {
            source.tick();
        }
        publish();
    }

    @Override
    public @Nullable WalFeed openSourceFeed(Lsn beginLsn, WalFeed.Listener feedListener) {
        if (source == null || !source.isOpen() || beginLsn.isBefore(config.builtAtLsn())) {
            return null;
        }
        return WalFeed.fromPostgres(loop, endpoints.reader(), beginLsn, feedListener);
    }

    private void closeSource() {
        if (source != null) {
            source.close();
            source = null;
        }
    }

    private void closeDriver() {
        if (driver != null) {
            driver.close();
            driver = null;
        }
    }

    /** Closes every connection and gives the memory back. */
    void close(ShimState last) {
        closeSource();
        closeDriver();
        moveTo(last);
        buffer.close();
        publish();
    }

    private void publish() {
        List<ShimStatus.Safekeeper> safekeepers =
                driver == null ? List.of() : driver.snapshot(config.safekeepers(), buffer.endLsn());
        published.accept(new ShimStatus(
                state,
                config.timeline(),
                electedTerm,
                startLsn,
                buffer.endLsn(),
                commitLsn,
                buffer.allocatedBytes(),
                postgresConnections,
                safekeepers,
                problem,
                fence));
    }
}
