package io.tidemark.safekeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.tidemark.wire.client.PgConnection;
import io.tidemark.wire.client.PgServerException;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.WalReceiverMessage;
import io.tidemark.wire.wal.WalStreamWriter;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import io.tidemark.wire.walpush.AcceptorMessage.VoteResponse;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.ProposerMessage.VoteRequest;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;
import io.tidemark.wire.walpush.WalPushVersion;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WalPushTest {
    private static final TenantTimelineId TTID = TestSafekeeper.ttid(1);
    private static final Lsn START = Lsn.parse("0/1000028");

    @TempDir
    private Path directory;

    private TestSafekeeper safekeeper;

    @BeforeEach
    void start() throws Exception {
        safekeeper = new TestSafekeeper(directory);
    }

    @AfterEach
    void stop() {
        safekeeper.close();
    }

    private static WalStreamWriter writer(Lsn start) {
        return new WalStreamWriter(15, TestProposer.SYSTEM_ID, TestProposer.SEGMENT_BYTES, start, Lsn.INVALID);
    }

    /** Records of random size, about {@code bytes} long together. */
    private static ByteBuf records(WalStreamWriter writer, int bytes, long seed) {
        Random random = new Random(seed);
        Lsn from = writer.position();
        while (writer.position().minus(from) < bytes) {
            byte[] data = new byte[random.nextInt(2000)];
            random.nextBytes(data);
            writer.append(10, 0, 1, data);
        }
        return writer.drain();
    }

    /** Sends WAL in chunks, as a compute does: a chunk may end anywhere. */
    private static byte[] push(TestProposer proposer, Lsn from, ByteBuf wal, Lsn commitLsn) {
        byte[] bytes = ByteBufUtil.getBytes(wal);
        int chunk = 100_001;
        for (int at = 0; at < bytes.length; at += chunk) {
            ByteBuf part = wal.retainedSlice(at, Math.min(chunk, bytes.length - at));
            proposer.append(from.plus(at), part, commitLsn);
        }
        wal.release();
        return bytes;
    }

    @ParameterizedTest
    @EnumSource(WalPushVersion.class)
    void whatAProposerPushesIsDurableAndReadersGetWhatIsCommitted(WalPushVersion version) throws Exception {
        WalStreamWriter writer = writer(START);
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, version)) {
            assertThat(proposer.elect(START)).isEqualTo(START);
            byte[] wal = push(proposer, START, records(writer, 1_000_000, 1), Lsn.INVALID);
            Lsn end = writer.position();
            AppendResponse response = proposer.awaitFlushed(end);
            assertThat(response.flushLsn()).isEqualTo(end);
            assertThat(response.term()).isEqualTo(proposer.term());

            try (TestReader reader = TestReader.start(safekeeper, TTID, "replica", START, "")) {
                proposer.append(end, safekeeperBuffer(), end);
                assertThat(reader.awaitUpTo(end)).isEqualTo(wal);
                assertThat(reader.position()).isEqualTo(end);
                reader.awaitKeepalives(1);
                assertThat(reader.lastAnnouncedEnd()).isEqualTo(end);
            }
        }
    }

    private static ByteBuf safekeeperBuffer() {
        return io.netty.buffer.Unpooled.buffer(0);
    }

    @Test
    void uncommittedWalIsOnlyForWhoKnowsTheTerm() throws Exception {
        WalStreamWriter writer = writer(START);
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            proposer.elect(START);
            ByteBuf first = records(writer, 50_000, 1);
            Lsn committed = writer.position();
            byte[] firstBytes = push(proposer, START, first, Lsn.INVALID);
            proposer.awaitFlushed(committed);
            ByteBuf second = records(writer, 50_000, 2);
            Lsn end = writer.position();
            push(proposer, committed, second, committed);
            proposer.awaitFlushed(end);

            try (TestReader committedOnly = TestReader.start(safekeeper, TTID, "replica", START, " TIMELINE 1");
                    TestReader withTerm =
                            TestReader.start(safekeeper, TTID, "", START, " (term='" + proposer.term() + "')");
                    TestReader wrongTerm = TestReader.start(safekeeper, TTID, "", START, " (term='99')")) {
                assertThat(committedOnly.awaitUpTo(committed)).isEqualTo(firstBytes);
                committedOnly.awaitKeepalives(1);
                assertThat(committedOnly.position()).isEqualTo(committed);
                withTerm.awaitUpTo(end);
                assertThat(TestSafekeeper.await(wrongTerm.end()).toString()).contains("term changed: requested 99");

                // A higher term cuts the reader off, even when it waits.
                safekeeper.http(200, "POST", TestSafekeeper.path(TTID) + "/term_bump", "{\"term\":null}");
                try (TestProposer next = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
                    next.elect(START);
                    ByteBuf third = records(writer, 10_000, 3);
                    push(next, end, third, Lsn.INVALID);
                    assertThat(TestSafekeeper.await(withTerm.end()).toString()).contains("term changed");
                }
            }
        }
    }

    @Test
    void aProposerThatIsReplacedLearnsTheHigherTerm() throws Exception {
        WalStreamWriter writer = writer(START);
        try (TestProposer old = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3);
                TestProposer next = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            old.elect(START);
            push(old, START, records(writer, 10_000, 1), Lsn.INVALID);
            Lsn end = writer.position();
            old.awaitFlushed(end);
            assertThat(next.elect(START)).isEqualTo(end);

            old.append(end, records(writer, 1000, 2), Lsn.INVALID);
            AppendResponse refusal = old.receive(AppendResponse.class);
            assertThat(refusal.term()).isEqualTo(next.term());
            assertThat(refusal.flushLsn()).isEqualTo(Lsn.INVALID);
            await().atMost(10, TimeUnit.SECONDS)
                    .untilAsserted(() -> assertThat(safekeeper
                                    .query(TTID, "SHOW connections")
                                    .table()
                                    .rows()
                                    .toString())
                            .contains("proposer")
                            .contains(", " + next.term() + ", "));
        }
    }

    @Test
    void walSurvivesARestartAndAReconnectGoesOnWhereItEnded() throws Exception {
        WalStreamWriter writer = writer(START);
        byte[] first;
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            proposer.elect(START);
            // More than a segment, so that the first one is complete.
            first = push(proposer, START, records(writer, 17_000_000, 1), Lsn.INVALID);
            proposer.awaitFlushed(writer.position());
            proposer.append(writer.position(), safekeeperBuffer(), writer.position());
            proposer.awaitFlushed(writer.position());
        }
        Lsn middle = writer.position();
        safekeeper.restart();
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            assertThat(proposer.elect(START)).isEqualTo(middle);
            byte[] second = push(proposer, middle, records(writer, 100_000, 2), Lsn.INVALID);
            Lsn end = writer.position();
            proposer.awaitFlushed(end);
            proposer.append(end, safekeeperBuffer(), end);
            try (TestReader reader = TestReader.start(safekeeper, TTID, "replica", START, "")) {
                byte[] all = new byte[first.length + second.length];
                System.arraycopy(first, 0, all, 0, first.length);
                System.arraycopy(second, 0, all, first.length, second.length);
                assertThat(reader.awaitUpTo(end)).isEqualTo(all);
            }
        }
        assertThat(Files.exists(safekeeper.directoryOf(TTID).resolve("000000010000000000000001")))
                .isTrue();
        assertThat(Files.exists(safekeeper.directoryOf(TTID).resolve("000000010000000000000002.partial")))
                .isTrue();
    }

    @Test
    void timelinesDoNotTouchEachOther() throws Exception {
        TenantTimelineId other = TestSafekeeper.ttid(2);
        WalStreamWriter writer = writer(START);
        WalStreamWriter otherWriter = writer(START);
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3);
                TestProposer otherProposer = TestProposer.connect(safekeeper, other, WalPushVersion.V2)) {
            proposer.elect(START);
            otherProposer.elect(START);
            byte[] wal = push(proposer, START, records(writer, 200_000, 1), Lsn.INVALID);
            byte[] otherWal = push(otherProposer, START, records(otherWriter, 300_000, 2), Lsn.INVALID);
            proposer.awaitFlushed(writer.position());
            otherProposer.awaitFlushed(otherWriter.position());
            proposer.append(writer.position(), safekeeperBuffer(), writer.position());
            otherProposer.append(otherWriter.position(), safekeeperBuffer(), otherWriter.position());
            try (TestReader reader = TestReader.start(safekeeper, TTID, "replica", START, "");
                    TestReader otherReader = TestReader.start(safekeeper, other, "replica", START, "")) {
                assertThat(reader.awaitUpTo(writer.position())).isEqualTo(wal);
                assertThat(otherReader.awaitUpTo(otherWriter.position())).isEqualTo(otherWal);
            }
            safekeeper.http(200, "DELETE", TestSafekeeper.path(other), "");
            assertThat(TestSafekeeper.await(otherProposer.end())).isInstanceOf(CopyEnd.Lost.class);
            push(proposer, writer.position(), records(writer, 1000, 3), Lsn.INVALID);
            proposer.awaitFlushed(writer.position());
        }
    }

    @Test
    void heartbeatsAreAnswered() throws Exception {
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            proposer.elect(START);
            for (int i = 0; i < 3; i++) {
                proposer.append(START, safekeeperBuffer(), Lsn.INVALID);
                assertThat(proposer.receive(AppendResponse.class).flushLsn()).isEqualTo(START);
            }
        }
    }

    @Test
    void aSecondVoteForATermIsRefused() throws Exception {
        try (TestProposer one = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3);
                TestProposer two = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            one.greet();
            two.greet();
            assertThat(one.askForVote(Term.of(5)).voteGiven()).isTrue();
            assertThat(two.askForVote(Term.of(5)).voteGiven()).isFalse();
            safekeeper.restart();
        }
        try (TestProposer three = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            assertThat(three.greet().term()).isEqualTo(Term.of(5));
            assertThat(three.askForVote(Term.of(5)).voteGiven()).isFalse();
        }
    }

    @Test
    void refusesInWordsAndCounts() throws Exception {
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            proposer.send(new VoteRequest(0, Term.of(1)));
            assertThat(TestSafekeeper.await(proposer.end()).toString()).contains("greeting");
        }
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            proposer.greet();
            proposer.askForVote(Term.of(1));
            proposer.elected(START, TermHistory.of(new TermLsn(Term.of(1), START)));
            proposer.append(START.plus(4096), safekeeperBuffer().writeZero(8), Lsn.INVALID);
            assertThat(TestSafekeeper.await(proposer.end())).isInstanceOf(CopyEnd.ServerFailed.class);
        }
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            proposer.sendRaw(new byte[] {'g', 1, 2, 3});
            assertThat(TestSafekeeper.await(proposer.end())).isInstanceOf(CopyEnd.ServerFailed.class);
        }
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            ProposerGreeting greeting = proposer.greeting();
            proposer.send(new ProposerGreeting(
                    greeting.tenantId(),
                    greeting.timelineId(),
                    greeting.membership(),
                    io.tidemark.wire.id.PgVersion.of(160_003),
                    greeting.systemId(),
                    greeting.walSegmentSizeBytes()));
            assertThat(TestSafekeeper.await(proposer.end())).isInstanceOf(CopyEnd.ServerFailed.class);
        }
        assertThat(safekeeper.metric("safekeeper_refusals_total{reason=\"NO_GREETING\"}"))
                .isEqualTo(1);
        assertThat(safekeeper.metric("safekeeper_refusals_total{reason=\"APPEND_LEAVES_GAP\"}"))
                .isEqualTo(1);
        assertThat(safekeeper.metric("safekeeper_refusals_total{reason=\"INVALID_MESSAGE\"}"))
                .isEqualTo(1);
        assertThat(safekeeper.metric("safekeeper_refusals_total{reason=\"PG_VERSION_MISMATCH\"}"))
                .isEqualTo(1);
    }

    @Test
    void withoutPermissionToCreateAnAbsentTimelineIsSilence() throws Exception {
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3, false)) {
            proposer.send(proposer.greeting());
            assertThat(TestSafekeeper.await(proposer.end())).isInstanceOf(CopyEnd.Lost.class);
        }
        assertThat(safekeeper.metric("safekeeper_timelines")).isZero();
    }

    @Test
    void aReaderThatWantsInterpretedWalIsToldThatThereIsNone() throws Exception {
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3, true)) {
            proposer.elect(START);
        }
        String interpreted = " protocol={\"type\":\"interpreted\",\"args\":{\"format\":\"protobuf\"}}"
                + " shard_count=0 shard_number=0 shard_stripe_size=0";
        PgConnection pageserver = safekeeper.connect(TTID, "pageserver-1", interpreted);
        assertThatThrownBy(() -> TestSafekeeper.await(pageserver.query("START_REPLICATION PHYSICAL 0/0")))
                .isInstanceOfSatisfying(
                        PgServerException.class, e -> assertThat(e.sqlState()).isEqualTo("0A000"))
                .hasMessageContaining("vanilla")
                .hasMessageContaining("interpreted");
        assertThat(safekeeper.metric("safekeeper_refusals_total{reason=\"READING_PROTOCOL\"}"))
                .isEqualTo(1);
        pageserver.close();

        PgConnection vanilla = safekeeper.connect(TTID, "pageserver-1", " protocol={\"type\":\"vanilla\"}");
        TestSafekeeper.await(vanilla.copy("START_REPLICATION PHYSICAL " + START, new CopyRecorder()));
        vanilla.close();
    }

    @Test
    void unknownProtocolVersionsAreNamed() throws Exception {
        try (var connection = safekeeperConnection()) {
            CopyRecorder copy = new CopyRecorder();
            TestSafekeeper.await(connection.connection().copy("START_WAL_PUSH (proto_version '4')", copy));
            connection
                    .connection()
                    .writeAndFlush(io.tidemark.wire.frame.CopyFrames.frame(
                            connection.connection().channel().alloc(), 8, out -> out.writeByte('g')));
            assertThat(TestSafekeeper.await(copy.end).toString()).contains("unsupported protocol version 4");
        }
    }

    private record Closing(io.tidemark.wire.client.PgConnection connection) implements AutoCloseable {
        @Override
        public void close() {
            connection.close();
        }
    }

    private Closing safekeeperConnection() throws Exception {
        return new Closing(safekeeper.connect(TTID, ""));
    }

    private static final class CopyRecorder implements io.tidemark.wire.frame.CopyHandler {
        private final java.util.concurrent.CompletableFuture<CopyEnd> end =
                new java.util.concurrent.CompletableFuture<>();

        @Override
        public void onCopyData(ByteBuf data) {}

        @Override
        public void onCopyEnd(CopyEnd how) {
            end.complete(how);
        }
    }

    @Test
    void standbyFeedbackReachesTheProposer() throws Exception {
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            proposer.elect(START);
            try (TestReader reader = TestReader.start(safekeeper, TTID, "replica", START, "")) {
                HotStandbyFeedback feedback = new HotStandbyFeedback(1_000_000, 1L << 32 | 777, 0);
                reader.say(new WalReceiverMessage.StandbyFeedback(feedback));
                reader.say(new WalReceiverMessage.StandbyStatus(START, START, START, 1, true));
                reader.awaitKeepalives(1);
                await().atMost(10, TimeUnit.SECONDS).until(() -> {
                    proposer.append(START, safekeeperBuffer(), Lsn.INVALID);
                    return proposer.receive(AppendResponse.class)
                            .hotStandbyFeedback()
                            .equals(feedback);
                });
            }
            await().atMost(10, TimeUnit.SECONDS).until(() -> {
                proposer.append(START, safekeeperBuffer(), Lsn.INVALID);
                return proposer.receive(AppendResponse.class)
                        .hotStandbyFeedback()
                        .equals(HotStandbyFeedback.NONE);
            });
        }
    }

    @Test
    void aPageserverThatHasEverythingIsLetGoWhenThereIsNoCompute() throws Exception {
        WalStreamWriter writer = writer(START);
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            proposer.elect(START);
            push(proposer, START, records(writer, 10_000, 1), Lsn.INVALID);
            proposer.awaitFlushed(writer.position());
            proposer.append(writer.position(), safekeeperBuffer(), writer.position());
            proposer.receive(AppendResponse.class);
        }
        Lsn end = writer.position();
        try (TestReader reader = TestReader.start(safekeeper, TTID, "pageserver-1", START, "")) {
            reader.awaitUpTo(end);
            reader.awaitKeepalives(1);
            reader.say(new WalReceiverMessage.PageserverStatus(
                    new io.tidemark.wire.replication.PageserverFeedback(1, end, end, end, 1, 0, false)));
            assertThat(TestSafekeeper.await(reader.end()).toString())
                    .contains("ending streaming to Some(\"pageserver-1\") at " + end
                            + ", receiver is caughtup and there is no computes")
                    .contains("00000");
        }
        assertThat(safekeeper
                        .http(200, "GET", TestSafekeeper.path(TTID), "")
                        .get("remote_consistent_lsn")
                        .stringValue())
                .isEqualTo(end.toString());
    }

    @Test
    void aVoteSaysWhatIsDurable() throws Exception {
        WalStreamWriter writer = writer(START);
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            proposer.elect(START);
            // Sent, and the connection dropped at once: whatever has arrived counts in the next vote.
            push(proposer, START, records(writer, 50_000, 1), Lsn.INVALID);
            proposer.awaitFlushed(writer.position());
        }
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            proposer.greet();
            VoteResponse vote = proposer.askForVote(Term.of(2));
            assertThat(vote.voteGiven()).isTrue();
            assertThat(vote.flushLsn()).isEqualTo(writer.position());
            assertThat(vote.termHistory()).isEqualTo(TermHistory.of(new TermLsn(Term.of(1), START)));
        }
    }
}
