package io.tidemark.safekeeper.timeline;

import static io.tidemark.safekeeper.wal.WalFixture.PG;
import static io.tidemark.safekeeper.wal.WalFixture.SEGMENT;
import static io.tidemark.safekeeper.wal.WalFixture.SYSTEM;
import static io.tidemark.safekeeper.wal.WalFixture.TTID;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.safekeeper.acceptor.AcceptorEvent;
import io.tidemark.safekeeper.acceptor.AcceptorState;
import io.tidemark.safekeeper.acceptor.ConnectionId;
import io.tidemark.safekeeper.acceptor.Refusal;
import io.tidemark.safekeeper.wal.WalFixture;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.AcceptorMessage;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.ProposerMessage;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import io.tidemark.wire.walpush.ProposerMessage.ProposerElected;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.ProposerMessage.VoteRequest;
import io.tidemark.wire.walpush.TermHistory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A proposer that talks to one core without a network, and remembers what it was told. */
final class CoreBench implements TimelineCore.EffectSink {
    static final Path DIRECTORY = Path.of("tenant", "timeline");
    static final NodeId ME = new NodeId(1);

    final TimelineCore core;
    final List<AcceptorMessage> sent = new ArrayList<>();
    final List<Refusal> refusals = new ArrayList<>();
    private long connection;

    CoreBench(TimelineCore core) {
        this.core = core;
    }

    static CoreBench create(Disk disk) throws IOException {
        return new CoreBench(TimelineCore.create(disk, DIRECTORY, newTimeline(), ME));
    }

    static CoreBench open(Disk disk) throws IOException {
        return new CoreBench(TimelineCore.open(disk, DIRECTORY, ME));
    }

    static AcceptorState newTimeline() {
        return new AcceptorState(
                TTID,
                Term.ZERO,
                TermHistory.EMPTY,
                MembershipConfig.NONE,
                PG,
                SYSTEM,
                SEGMENT,
                Lsn.INVALID,
                Lsn.INVALID,
                Lsn.INVALID,
                Lsn.INVALID,
                Lsn.INVALID,
                Lsn.INVALID,
                0);
    }

    void receive(ProposerMessage message) throws IOException {
        core.apply(new AcceptorEvent.Received(new ConnectionId(connection), message), this);
    }

    /** A new connection that wins the term. */
    void elect(long term, Lsn startLsn, TermHistory history) throws IOException {
        connection++;
        receive(new ProposerGreeting(TTID.tenantId(), TTID.timelineId(), MembershipConfig.NONE, PG, SYSTEM, SEGMENT));
        receive(new VoteRequest(0, Term.of(term)));
        receive(new ProposerElected(0, Term.of(term), startLsn, history));
    }

    /** Appends in pieces of a size, each a batch of its own, with a commit_lsn that follows one piece behind. */
    void append(long term, WalFixture source, Lsn from, Lsn to, int pieceBytes) throws IOException {
        for (Lsn at = from; at.isBefore(to); ) {
            Lsn next = at.plus(pieceBytes).min(to);
            ByteBuf wal = Unpooled.copiedBuffer(source.slice(at, next));
            receive(new AppendRequest(0, Term.of(term), at, next, source.boundaryAt(at), Lsn.INVALID, wal));
            core.apply(new AcceptorEvent.BatchEnd(), this);
            at = next;
        }
    }

    @Override
    public void send(ConnectionId to, AcceptorMessage message) {
        sent.add(message);
    }

    @Override
    public void refuse(ConnectionId to, Refusal refusal, String reason) {
        refusals.add(refusal);
    }

    @Override
    public void alarm(String text) {
        throw new AssertionError(text);
    }
}
