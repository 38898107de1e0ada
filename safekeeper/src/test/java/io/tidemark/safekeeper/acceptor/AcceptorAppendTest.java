package io.tidemark.safekeeper.acceptor;

import static io.tidemark.safekeeper.acceptor.AcceptorBench.SEGMENT;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.START;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.at;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.history;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.membership;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.streaming;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.safekeeper.acceptor.AcceptorEffect.FlushWal;
import io.tidemark.safekeeper.acceptor.AcceptorEffect.PersistState;
import io.tidemark.safekeeper.acceptor.AcceptorEffect.Refuse;
import io.tidemark.safekeeper.acceptor.AcceptorEffect.Send;
import io.tidemark.safekeeper.acceptor.AcceptorEffect.WriteWal;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import io.tidemark.wire.walpush.AcceptorMessage.VoteResponse;
import org.junit.jupiter.api.Test;

class AcceptorAppendTest {
    private static final PageserverFeedback PROGRESS = new PageserverFeedback(9, at(8), at(8), at(8), 1, 0, false);

    @Test
    void nothingIsPromisedBeforeTheBatchIsFlushed() {
        AcceptorBench bench = streaming();
        Lsn end = bench.appendRecord(1, 1, 100);
        assertThat(bench.kinds()).containsExactly(WriteWal.class);
        assertThat(bench.acceptor.flushLsn()).isEqualTo(START);
        bench.batchEnd();
        assertThat(bench.kinds()).containsExactly(FlushWal.class, Send.class);
        assertThat(bench.sent(AppendResponse.class))
                .containsExactly(new AppendResponse(0, Term.of(1), end, START, HotStandbyFeedback.NONE, null));
    }

    @Test
    void oneFlushAnswersTheWholeBatchOnce() {
        AcceptorBench bench = streaming();
        bench.appendRecord(1, 1, 100);
        bench.appendRecord(1, 1, 100);
        Lsn end = bench.appendRecord(1, 1, 100);
        bench.batchEnd();
        assertThat(bench.kinds()).containsExactly(FlushWal.class, Send.class);
        assertThat(bench.sent(AppendResponse.class).getFirst().flushLsn()).isEqualTo(end);
        assertThat(bench.batchEnd()).isEmpty();
    }

    @Test
    void flushLsnIsTheEndOfTheLastCompleteRecord() {
        AcceptorBench bench = streaming();
        Lsn first = bench.appendRecord(1, 1, 100);
        bench.writer.append(0, 0x10, 5, new byte[500]);
        ByteBuf record = bench.writer.drain();
        ByteBuf half = Unpooled.copiedBuffer(record.slice(0, 200));
        ByteBuf rest = Unpooled.copiedBuffer(record.slice(200, record.readableBytes() - 200));
        bench.append(1, 1, first, half);
        bench.batchEnd();
        assertThat(bench.sent(AppendResponse.class).getFirst().flushLsn()).isEqualTo(first);
        assertThat(bench.acceptor.writeLsn()).isEqualTo(first.plus(200));
        bench.append(1, 1, first.plus(200), rest);
        bench.batchEnd();
        assertThat(bench.sent(AppendResponse.class).getFirst().flushLsn()).isEqualTo(bench.writer.position());
    }

    @Test
    void aHeartbeatIsAnsweredWithoutAFlush() {
        AcceptorBench bench = streaming();
        assertThat(bench.beat(1, 1, START, Lsn.INVALID)).isEmpty();
        bench.batchEnd();
        assertThat(bench.kinds()).containsExactly(Send.class);
    }

    @Test
    void afterASwitchFlushLsnIsTheNextSegmentAndTheLogMayGoOnThere() {
        AcceptorBench bench = streaming();
        Lsn begin = bench.appendRecord(1, 1, 100);
        Lsn next = bench.writer.switchSegment();
        ByteBuf switchRecord = bench.writer.drain().readSlice(24);
        bench.append(1, 1, begin, Unpooled.copiedBuffer(switchRecord));
        bench.batchEnd();
        assertThat(bench.sent(AppendResponse.class).getFirst().flushLsn()).isEqualTo(next);
        assertThat(bench.acceptor.writeLsn()).isEqualTo(begin.plus(24));
        bench.greeted(2);
        bench.vote(2, 2);
        assertThat(bench.sent(VoteResponse.class).getFirst().flushLsn()).isEqualTo(next);
        bench.elected(2, 2, next, history(1, 0, 2, next.minus(START)));
        assertThat(bench.lastOf(AcceptorEffect.TruncateWal.class))
                .containsExactly(new AcceptorEffect.TruncateWal(next));
        assertThat(bench.acceptor.writeLsn()).isEqualTo(next);
        Lsn end = bench.appendRecord(2, 2, 64);
        bench.batchEnd();
        assertThat(bench.sent(AppendResponse.class).getFirst().flushLsn()).isEqualTo(end);
    }

    @Test
    void anAppendOfAnOldTermIsAnsweredWithMyTermAndNothingElse() {
        AcceptorBench bench = streaming();
        Lsn end = bench.appendRecord(1, 1, 100);
        bench.batchEnd();
        bench.greeted(2);
        bench.vote(2, 4);
        bench.appendRecord(1, 1, 100);
        assertThat(bench.last)
                .containsExactly(new Send(
                        new ConnectionId(1),
                        new AppendResponse(0, Term.of(4), Lsn.INVALID, Lsn.INVALID, HotStandbyFeedback.NONE, null)));
        assertThat(bench.acceptor.writeLsn()).isEqualTo(end);
        assertThat(bench.batchEnd()).isEmpty();
    }

    @Test
    void whoWasReplacedWithinABatchHearsOnlyTheTerm() {
        AcceptorBench bench = streaming();
        bench.appendRecord(1, 1, 100);
        bench.on(new AcceptorEvent.BumpTerm(Term.of(9)));
        bench.batchEnd();
        assertThat(bench.kinds()).containsExactly(FlushWal.class, Send.class);
        assertThat(bench.sent(AppendResponse.class))
                .containsExactly(
                        new AppendResponse(0, Term.of(9), Lsn.INVALID, Lsn.INVALID, HotStandbyFeedback.NONE, null));
    }

    @Test
    void anAppendBeforeTheElectedMessageIsRefused() {
        AcceptorBench bench = AcceptorBench.empty().greeted(1);
        bench.vote(1, 1);
        bench.appendRecord(1, 1, 100);
        assertThat(bench.refusals()).containsExactly(Refusal.APPEND_BEFORE_ELECTED);
    }

    @Test
    void anAppendOfATermThatWasNotElectedHereIsRefused() {
        AcceptorBench bench = streaming();
        bench.appendRecord(1, 2, 100);
        assertThat(bench.refusals()).containsExactly(Refusal.APPEND_BEFORE_ELECTED);
    }

    @Test
    void theElectedMessageMustComeOnTheConnectionThatAppends() {
        AcceptorBench bench = streaming().greeted(2);
        bench.appendRecord(2, 1, 100);
        assertThat(bench.refusals()).containsExactly(Refusal.APPEND_BEFORE_ELECTED);
    }

    @Test
    void afterARestartNothingIsWrittenBeforeAnElectedMessage() {
        AcceptorBench before = streaming();
        AcceptorBench bench = new AcceptorBench(before.acceptor.state(), START).greeted(1);
        bench.appendRecord(1, 1, 100);
        assertThat(bench.refusals()).containsExactly(Refusal.APPEND_BEFORE_ELECTED);
        assertThat(bench.lastOf(WriteWal.class)).isEmpty();
    }

    @Test
    void aRewriteAndAGapAreRefused() {
        AcceptorBench bench = streaming();
        Lsn end = bench.appendRecord(1, 1, 100);
        bench.beat(1, 1, START, Lsn.INVALID);
        assertThat(bench.refusals()).containsExactly(Refusal.APPEND_REWRITES_WAL);
        bench.greeted(2);
        bench.batchEnd();
        bench.elected(2, 1, end, history(1, 0));
        bench.beat(2, 1, end.plus(8), Lsn.INVALID);
        assertThat(bench.refusals()).containsExactly(Refusal.APPEND_LEAVES_GAP);
    }

    @Test
    void invalidWalChangesNothingAndHurtsOnlyItsConnection() {
        AcceptorBench bench = streaming();
        Lsn end = bench.appendRecord(1, 1, 100);
        bench.writer.append(0, 0x10, 5, new byte[64]);
        ByteBuf good = bench.writer.drain();
        ByteBuf bad = Unpooled.copiedBuffer(good);
        bad.setByte(40, bad.getByte(40) ^ 1);
        bench.append(1, 1, end, bad);
        assertThat(bench.refusals()).containsExactly(Refusal.INVALID_WAL);
        assertThat(bench.kinds()).containsExactly(Refuse.class);
        assertThat(bench.acceptor.writeLsn()).isEqualTo(end);
        bench.batchEnd();
        bench.greeted(2);
        bench.elected(2, 1, end, history(1, 0));
        bench.append(2, 1, end, good);
        bench.batchEnd();
        assertThat(bench.sent(AppendResponse.class).getFirst().flushLsn()).isEqualTo(bench.writer.position());
    }

    @Test
    void aRefusedConnectionIsNotAnswered() {
        AcceptorBench bench = streaming();
        Lsn end = bench.appendRecord(1, 1, 100);
        bench.beat(1, 1, START, Lsn.INVALID);
        bench.beat(1, 1, end, Lsn.INVALID);
        bench.batchEnd();
        assertThat(bench.kinds()).containsExactly(FlushWal.class);
    }

    @Test
    void whatADisconnectedProposerBroughtIsFlushed() {
        AcceptorBench bench = streaming();
        Lsn end = bench.appendRecord(1, 1, 100);
        bench.on(new AcceptorEvent.Disconnected(new ConnectionId(1)));
        bench.batchEnd();
        assertThat(bench.kinds()).containsExactly(FlushWal.class);
        assertThat(bench.acceptor.flushLsn()).isEqualTo(end);
    }

    @Test
    void commitLsnIsAtMostWhatIsDurableHere() {
        AcceptorBench bench = streaming();
        Lsn begin = bench.acceptor.writeLsn();
        Lsn end = bench.writer.append(0, 0x10, 5, new byte[100]);
        bench.append(1, 1, begin, bench.writer.drain(), at(50_000), Lsn.INVALID);
        assertThat(bench.acceptor.commitLsn()).isEqualTo(START);
        bench.batchEnd();
        assertThat(bench.acceptor.commitLsn()).isEqualTo(end);
    }

    @Test
    void commitLsnNeverDecreases() {
        AcceptorBench bench = streaming();
        Lsn first = bench.appendRecord(1, 1, 100);
        bench.batchEnd();
        bench.beat(1, 1, first, first);
        assertThat(bench.acceptor.commitLsn()).isEqualTo(first);
        bench.beat(1, 1, first, START);
        bench.beat(1, 1, first, Lsn.INVALID);
        assertThat(bench.acceptor.commitLsn()).isEqualTo(first);
    }

    @Test
    void theAnswerCarriesThePersistedCommitLsn() {
        AcceptorBench bench = streaming();
        Lsn first = bench.appendRecord(1, 1, 100);
        bench.batchEnd();
        bench.beat(1, 1, first, first);
        bench.batchEnd();
        assertThat(bench.sent(AppendResponse.class).getFirst().commitLsn()).isEqualTo(START);
        bench.on(new AcceptorEvent.SaveLsns());
        assertThat(bench.kinds()).containsExactly(PersistState.class);
        assertThat(bench.on(new AcceptorEvent.SaveLsns())).isEmpty();
        bench.beat(1, 1, first, first);
        bench.batchEnd();
        assertThat(bench.sent(AppendResponse.class).getFirst().commitLsn()).isEqualTo(first);
    }

    @Test
    void aCommitThatReachesTheTermIsPersistedBeforeTheAnswer() {
        AcceptorBench bench = streaming();
        Lsn first = bench.appendRecord(1, 1, 100);
        bench.batchEnd();
        bench.greeted(2);
        bench.vote(2, 2);
        bench.elected(2, 2, first, history(1, 0, 2, first.minus(START)));
        assertThat(bench.acceptor.state().commitLsn()).isEqualTo(START);
        bench.beat(2, 2, first, first);
        bench.batchEnd();
        assertThat(bench.kinds()).containsExactly(PersistState.class, Send.class);
        assertThat(bench.sent(AppendResponse.class).getFirst().commitLsn()).isEqualTo(first);
    }

    @Test
    void truncateLsnIsKeptAsFarAsItCanBeTrue() {
        AcceptorBench bench = streaming();
        Lsn first = bench.appendRecord(1, 1, 100);
        bench.batchEnd();
        bench.append(1, 1, first, Unpooled.buffer(), first, at(90_000));
        assertThat(bench.acceptor.peerHorizonLsn()).isEqualTo(first);
        bench.append(1, 1, first, Unpooled.buffer(), first, START);
        assertThat(bench.acceptor.peerHorizonLsn()).isEqualTo(first);
    }

    @Test
    void pageserverProgressIsPushedOnTopOfTheLastAnswer() {
        AcceptorBench bench = streaming();
        assertThat(bench.on(new AcceptorEvent.PageserverProgress(PROGRESS))).isEmpty();
        bench.beat(1, 1, START, Lsn.INVALID);
        bench.batchEnd();
        AppendResponse first = bench.sent(AppendResponse.class).getFirst();
        assertThat(first.pageserverFeedback()).isEqualTo(PROGRESS);
        bench.on(new AcceptorEvent.PageserverProgress(PROGRESS));
        assertThat(bench.sent(AppendResponse.class)).containsExactly(first);
        assertThat(bench.acceptor.remoteConsistentLsn()).isEqualTo(at(8));
        bench.greeted(2);
        bench.vote(2, 2);
        assertThat(bench.on(new AcceptorEvent.PageserverProgress(PROGRESS))).isEmpty();
    }

    @Test
    void standbyFeedbackRidesOnAnswers() {
        AcceptorBench bench = streaming();
        HotStandbyFeedback feedback = new HotStandbyFeedback(1, 2, 3);
        bench.on(new AcceptorEvent.StandbyFeedback(feedback));
        bench.beat(1, 1, START, Lsn.INVALID);
        bench.batchEnd();
        assertThat(bench.sent(AppendResponse.class).getFirst().hotStandbyFeedback())
                .isEqualTo(feedback);
    }

    @Test
    void aMembershipSwitchWithinABatchRefusesWhoAppendedUnderTheOldOne() {
        AcceptorBench bench = streaming();
        bench.appendRecord(1, 1, 100);
        bench.on(new AcceptorEvent.SwitchMembership(membership(2, 7, 8)));
        bench.batchEnd();
        assertThat(bench.kinds()).containsExactly(FlushWal.class, Refuse.class);
        assertThat(bench.refusals()).containsExactly(Refusal.GENERATION_MISMATCH);
    }

    @Test
    void aPeersCommitCountsOnlyWhenBothLogsEndInOneTerm() {
        AcceptorBench bench = streaming();
        Lsn first = bench.appendRecord(1, 1, 100);
        bench.batchEnd();
        bench.on(peer(2, at(90_000)));
        assertThat(bench.acceptor.commitLsn()).isEqualTo(START);
        bench.on(peer(1, at(90_000)));
        assertThat(bench.acceptor.commitLsn()).isEqualTo(first);
    }

    @Test
    void farProgressOfPeersIsPersisted() {
        AcceptorBench bench = streaming();
        Lsn far = at(2L * SEGMENT);
        assertThat(bench.on(new AcceptorEvent.PeerProgress(Term.ZERO, Lsn.INVALID, at(8), Lsn.INVALID, Lsn.INVALID)))
                .isEmpty();
        bench.on(new AcceptorEvent.PeerProgress(Term.ZERO, Lsn.INVALID, far, far, far));
        assertThat(bench.kinds()).containsExactly(PersistState.class);
        assertThat(bench.acceptor.state().backupLsn()).isEqualTo(far);
        assertThat(bench.acceptor.peerHorizonLsn()).isEqualTo(START);
    }

    private static AcceptorEvent peer(long lastLogTerm, Lsn commit) {
        return new AcceptorEvent.PeerProgress(Term.of(lastLogTerm), commit, Lsn.INVALID, Lsn.INVALID, Lsn.INVALID);
    }
}
