package io.tidemark.safekeeper.acceptor;

import static io.tidemark.safekeeper.acceptor.AcceptorBench.ME;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.SEGMENT;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.START;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.SYSTEM;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.greeting;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.membership;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.wal.WalStreamWriter;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import io.tidemark.wire.walpush.ProposerMessage.ProposerElected;
import io.tidemark.wire.walpush.ProposerMessage.VoteRequest;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages in any order with any content: none throws, none leaks a buffer, none breaks what one acceptor can promise alone. */
class AcceptorHostilePeerTest {
    private static final int EVENTS = 4_000;
    private static final long[] ODD_VALUES = {0, 1, 7, 8, -1, -8, Long.MAX_VALUE, Long.MIN_VALUE, 0x302008, 0x400000};

    private final List<ByteBuf> buffers = new ArrayList<>();
    private Random random = new Random(0);
    private Acceptor acceptor = new Acceptor(ME, AcceptorBench.newTimeline(), Lsn.INVALID);
    private int accepted;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void nothingAPeerSendsBreaksTheAcceptor(long seed) {
        random = new Random(seed);
        for (int i = 0; i < EVENTS; i++) {
            AcceptorState before = acceptor.state();
            Lsn commit = acceptor.commitLsn();
            List<AcceptorEffect> effects = acceptor.on(event());
            for (AcceptorEffect effect : effects) {
                if (effect instanceof AcceptorEffect.WriteWal write) {
                    accepted++;
                    write.wal().release();
                }
                if (effect instanceof AcceptorEffect.Refuse refuse) {
                    reconnect(refuse.connection());
                }
            }
            String context = "seed " + seed + ", event " + i;
            assertThat(acceptor.term()).as(context).isGreaterThanOrEqualTo(before.term());
            assertThat(acceptor.commitLsn()).as(context).isGreaterThanOrEqualTo(commit);
            assertThat(acceptor.flushLsn()).as(context).isGreaterThanOrEqualTo(acceptor.commitLsn());
            assertThat(acceptor.membership().generation())
                    .as(context)
                    .isGreaterThanOrEqualTo(before.membership().generation());
            assertThat(acceptor.state().termHistory().lastTerm()).as(context).isLessThanOrEqualTo(acceptor.term());
            assertThat(acceptor.peerHorizonLsn()).as(context).isLessThanOrEqualTo(acceptor.commitLsn());
            if (i % 500 == 499) {
                crash();
            }
        }
        assertThat(buffers).allMatch(buffer -> buffer.refCnt() == 0);
        assertThat(accepted).as("pieces of WAL that were accepted").isGreaterThan(20);
    }

    private void crash() {
        acceptor = new Acceptor(ME, acceptor.state(), acceptor.flushLsn());
    }

    /** As the owner and a stubborn peer do; sometimes the peer forgets to greet. */
    private void reconnect(ConnectionId connection) {
        acceptor.on(new AcceptorEvent.Disconnected(connection));
        if (random.nextInt(10) != 0) {
            acceptor.on(new AcceptorEvent.Received(connection, greeting(MembershipConfig.NONE)));
        }
    }

    private AcceptorEvent event() {
        ConnectionId connection = new ConnectionId(random.nextInt(4));
        return switch (random.nextInt(16)) {
            case 0, 1 -> new AcceptorEvent.Received(connection, greeting(configuration()));
            case 2 -> new AcceptorEvent.Received(connection, new VoteRequest(generation(), term()));
            case 3, 4, 5, 6 -> new AcceptorEvent.Received(connection, elected());
            case 7, 8, 9, 10 -> new AcceptorEvent.Received(connection, append());
            case 11 -> new AcceptorEvent.Disconnected(connection);
            case 12 -> new AcceptorEvent.PeerProgress(term(), lsn(), lsn(), lsn(), lsn());
            case 13 ->
                new AcceptorEvent.PageserverProgress(new PageserverFeedback(0, lsn(), lsn(), lsn(), 0, 0, false));
            case 14 -> new AcceptorEvent.StandbyFeedback(new HotStandbyFeedback(1, random.nextLong(), 0));
            default -> new AcceptorEvent.BatchEnd();
        };
    }

    private MembershipConfig configuration() {
        // Rarely, as each makes all connections of the generation before it useless.
        return random.nextInt(400) == 0
                ? membership(acceptor.membership().generation() + 1, 7, 8, random.nextInt(10) + 20)
                : MembershipConfig.NONE;
    }

    private long generation() {
        return random.nextInt(30) == 0
                ? random.nextInt(3)
                : acceptor.membership().generation();
    }

    private Term term() {
        return switch (random.nextInt(2_000)) {
            case 0 -> Term.of(random.nextLong() >>> 16);
            case 1, 2, 3, 4, 5, 6, 7, 8 -> Term.of(Math.max(0, acceptor.term().value() - 1));
            default -> random.nextInt(8) == 0 ? acceptor.term().next() : acceptor.term();
        };
    }

    private Lsn lsn() {
        return switch (random.nextInt(8)) {
            case 0 -> Lsn.of(ODD_VALUES[random.nextInt(ODD_VALUES.length)]);
            case 1 -> START;
            case 2 -> acceptor.commitLsn();
            case 3 -> acceptor.writeLsn();
            case 4 -> acceptor.flushLsn().plus(8L * (random.nextInt(9) - 4));
            default -> acceptor.flushLsn();
        };
    }

    private ProposerElected elected() {
        Term term = term();
        List<TermLsn> entries = new ArrayList<>(
                acceptor.state().termHistory().upTo(acceptor.flushLsn()).entries());
        while (!entries.isEmpty() && !entries.getLast().term().isBefore(term)) {
            entries.removeLast();
        }
        Lsn last = acceptor.flushLsn().isValid() ? lsn() : START;
        if (entries.isEmpty() || entries.getLast().lsn().isAtMost(last)) {
            entries.add(new TermLsn(random.nextInt(20) == 0 ? term.next() : term, last));
        }
        Lsn start = random.nextInt(3) == 0 ? lsn() : last;
        return new ProposerElected(generation(), term, start, new TermHistory(entries));
    }

    private AppendRequest append() {
        Lsn begin = random.nextInt(5) == 0 ? lsn() : acceptor.writeLsn();
        ByteBuf wal = PooledByteBufAllocator.DEFAULT.buffer(64);
        buffers.add(wal);
        switch (random.nextInt(4)) {
            case 0 -> {}
            case 1 -> {
                byte[] noise = new byte[random.nextInt(200)];
                random.nextBytes(noise);
                wal.writeBytes(noise);
            }
            default -> realWal(begin, wal);
        }
        return new AppendRequest(generation(), term(), begin, begin.plus(wal.readableBytes()), lsn(), lsn(), wal);
    }

    private void realWal(Lsn begin, ByteBuf out) {
        try {
            WalStreamWriter writer = new WalStreamWriter(17, SYSTEM, SEGMENT, begin, Lsn.INVALID);
            writer.append(0, 0x10, 1, new byte[random.nextInt(300)]);
            ByteBuf record = writer.drain();
            out.writeBytes(record, random.nextInt(4) == 0 ? record.readableBytes() / 2 : record.readableBytes());
            record.release();
        } catch (IllegalArgumentException e) {
            out.writeZero(16); // no record can start there
        }
    }
}
