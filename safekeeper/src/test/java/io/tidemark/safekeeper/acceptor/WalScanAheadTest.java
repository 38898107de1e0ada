package io.tidemark.safekeeper.acceptor;

import static io.tidemark.safekeeper.acceptor.AcceptorBench.START;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.at;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.history;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.streaming;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.safekeeper.acceptor.AcceptorEffect.WriteWal;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import io.tidemark.wire.walpush.ProposerMessage.ProposerElected;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class WalScanAheadTest {
    private static WalScanAhead elected(long term, Lsn start) {
        WalScanAhead ahead = new WalScanAhead();
        assertThat(ahead.scan(AcceptorBench.greeting(MembershipConfig.NONE))).isNull();
        assertThat(ahead.scan(new ProposerElected(0, Term.of(term), start, history(term, start.minus(START)))))
                .isNull();
        return ahead;
    }

    private static AppendRequest append(Lsn begin, byte[] wal, int from, int to) {
        return new AppendRequest(
                0,
                Term.of(1),
                begin,
                begin.plus(to - from),
                Lsn.INVALID,
                Lsn.INVALID,
                Unpooled.copiedBuffer(wal, from, to - from));
    }

    private static void receive(AcceptorBench bench, AppendRequest request, @Nullable ScannedWal scanned) {
        bench.on(new AcceptorEvent.Received(new ConnectionId(1), request, scanned));
        bench.lastOf(WriteWal.class).forEach(e -> e.wal().release());
        assertThat(request.wal().refCnt()).isZero();
    }

    private static byte[] records(AcceptorBench bench, int count, int bytes, int fill) {
        for (int i = 0; i < count; i++) {
            byte[] body = new byte[bytes];
            Arrays.fill(body, (byte) fill);
            bench.writer.append(0, 0x10, 5, body);
        }
        ByteBuf drained = bench.writer.drain();
        byte[] wal = new byte[drained.readableBytes()];
        drained.readBytes(wal).release();
        return wal;
    }

    @Test
    void whatWasScannedAheadIsWhatTheAcceptorWouldHaveFound() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        AcceptorBench bench = streaming();
        AcceptorBench alone = streaming();
        WalScanAhead ahead = elected(1, START);
        byte[] wal = records(bench, 200, 700, 1);
        for (int from = 0; from < wal.length; ) {
            int to = Math.min(wal.length, from + 1 + random.nextInt(9000));
            AppendRequest request = append(at(from), wal, from, to);
            ScannedWal scanned = Objects.requireNonNull(ahead.scan(request));
            // Now and then it has not come along: the acceptor scans itself, and believes the next one again.
            receive(bench, request, random.nextInt(4) == 0 ? null : scanned);
            receive(alone, append(at(from), wal, from, to), null);
            assertThat(bench.refusals()).as("seed %d", seed).isEmpty();
            bench.batchEnd();
            alone.batchEnd();
            assertThat(bench.acceptor.flushLsn()).as("seed %d", seed).isEqualTo(alone.acceptor.flushLsn());
            from = to;
        }
        assertThat(bench.acceptor.flushLsn()).isEqualTo(bench.writer.position());
    }

    @Test
    void aScanBehindOtherBytesIsNotBelieved() {
        AcceptorBench bench = streaming();
        byte[] wal = records(bench, 1, 500, 1);
        byte[] other = records(streaming(), 1, 500, 2);
        WalScanAhead ahead = elected(1, START);
        assertThat(ahead.scan(append(START, other, 0, 200))).isNotNull();
        receive(bench, append(START, wal, 0, 200), null);
        // The record of the other log ends well; behind the bytes that are here it has a wrong CRC.
        AppendRequest rest = append(at(200), other, 200, other.length);
        ScannedWal scanned = Objects.requireNonNull(ahead.scan(rest));
        assertThat(scanned.after().lastRecordEnd()).isEqualTo(bench.writer.position());
        receive(bench, rest, scanned);
        assertThat(bench.refusals()).containsExactly(Refusal.INVALID_WAL);
        bench.batchEnd();
        assertThat(bench.acceptor.flushLsn()).isEqualTo(START);
    }

    @Test
    void aScanOfFewerBytesIsNotBelieved() {
        AcceptorBench bench = streaming();
        byte[] wal = records(bench, 2, 500, 1);
        WalScanAhead ahead = elected(1, START);
        ScannedWal first = Objects.requireNonNull(ahead.scan(append(START, wal, 0, 100)));
        receive(bench, append(START, wal, 0, wal.length), first);
        bench.batchEnd();
        assertThat(bench.acceptor.flushLsn()).isEqualTo(bench.writer.position());
    }

    @Test
    void invalidWalIsLeftToTheAcceptor() {
        AcceptorBench bench = streaming();
        byte[] wal = records(bench, 3, 500, 1);
        wal[300] ^= 1;
        WalScanAhead ahead = elected(1, START);
        AppendRequest request = append(START, wal, 0, wal.length);
        assertThat(ahead.scan(request)).isNull();
        assertThat(ahead.scan(append(at(wal.length), wal, 0, wal.length))).isNull();
        receive(bench, request, null);
        assertThat(bench.refusals()).containsExactly(Refusal.INVALID_WAL);
    }

    @Test
    void nothingIsScannedBeforeAnElectionOrAwayFromTheEnd() {
        AcceptorBench bench = streaming();
        byte[] wal = records(bench, 3, 500, 1);
        assertThat(new WalScanAhead().scan(append(START, wal, 0, wal.length))).isNull();
        WalScanAhead ahead = elected(1, START);
        assertThat(ahead.scan(append(at(8), wal, 0, wal.length))).isNull();
        assertThat(ahead.scan(append(START, wal, 0, wal.length))).isNotNull();
    }
}
