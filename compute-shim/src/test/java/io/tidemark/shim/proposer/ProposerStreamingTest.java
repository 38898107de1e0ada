package io.tidemark.shim.proposer;

import static io.tidemark.shim.proposer.ProposerBench.INITIAL;
import static io.tidemark.shim.proposer.ProposerBench.at;
import static io.tidemark.shim.proposer.ProposerBench.config;
import static io.tidemark.shim.proposer.ProposerBench.electedOnEmpty;
import static io.tidemark.shim.proposer.ProposerBench.history;
import static io.tidemark.shim.proposer.ProposerBench.members;
import static io.tidemark.shim.proposer.ProposerBench.ref;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.shim.proposer.Proposer.Stage;
import io.tidemark.shim.proposer.ProposerConfig.Membership;
import io.tidemark.shim.proposer.ProposerConfig.Mode;
import io.tidemark.shim.proposer.ProposerEffect.SendWal;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import io.tidemark.wire.walpush.AcceptorMessage.VoteResponse;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import org.junit.jupiter.api.Test;

class ProposerStreamingTest {
    @Test
    void availableWalGoesToEverybodyInChunks() {
        ProposerBench bench = electedOnEmpty();
        bench.available(at(600));
        assertThat(bench.lastOf(SendWal.class))
                .filteredOn(e -> e.safekeeper().equals(ref(2)))
                .extracting(SendWal::beginLsn, SendWal::endLsn)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(INITIAL, at(400)),
                        org.assertj.core.groups.Tuple.tuple(at(400), at(600)));
    }

    @Test
    void noMoreIsScheduledThanTheWindowUntilTheSocketTakesIt() {
        ProposerBench bench = electedOnEmpty();
        bench.available(at(5_000));
        assertThat(scheduledTo(bench, 0)).isEqualTo(at(1_000));
        bench.on(new ProposerEvent.WalSent(ref(0), at(400)));
        assertThat(scheduledTo(bench, 0)).isEqualTo(at(1_400));
        assertThat(scheduledTo(bench, 1)).isEqualTo(at(1_000));
        // An acknowledgement does not open the window: it may stop at a record boundary before it.
        bench.flushed(1, 1, at(800));
        assertThat(scheduledTo(bench, 1)).isEqualTo(at(1_000));
    }

    @Test
    void smallPiecesGatherWhileTheSocketIsFull() {
        ProposerBench bench = electedOnEmpty();
        for (int offset = 8; offset <= 240; offset += 8) {
            bench.available(at(offset));
        }
        assertThat(bench.allOf(SendWal.class)).hasSize(3);
        bench.on(new ProposerEvent.WalSent(ref(1), at(8)));
        assertThat(bench.lastOf(SendWal.class))
                .extracting(SendWal::beginLsn, SendWal::endLsn)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(at(8), at(240)));
    }

    @Test
    void walBeforeTheElectionIsNotBelieved() {
        ProposerBench bench = ProposerBench.of(3).greeted(0, 0, 1);
        assertThat(bench.available(at(500))).isEmpty();
    }

    @Test
    void olderWalIsStreamedAtOnceAndApartFromOurs() {
        ProposerBench bench = ProposerBench.of(3).greeted(7, 0, 1);
        bench.votes(0, 8, at(250), history(3, 0));
        bench.votes(1, 8, at(100), history(3, 0));
        assertThat(bench.lastOf(SendWal.class)).hasSize(1);
        bench.sentToAll(at(250));
        bench.available(at(300));
        assertThat(bench.allOf(SendWal.class))
                .filteredOn(e -> e.safekeeper().equals(ref(1)))
                .extracting(SendWal::beginLsn)
                .containsExactly(at(100), at(250));
    }

    @Test
    void aCommitNeedsAQuorum() {
        ProposerBench bench = electedOnEmpty();
        bench.available(at(200));
        bench.flushed(0, 1, at(200));
        assertThat(bench.lastOf(ProposerEffect.CommitAdvanced.class)).isEmpty();
        bench.flushed(1, 1, at(120));
        assertThat(bench.lastOf(ProposerEffect.CommitAdvanced.class))
                .containsExactly(new ProposerEffect.CommitAdvanced(at(120)));
        bench.flushed(2, 1, at(160));
        assertThat(bench.lastOf(ProposerEffect.CommitAdvanced.class))
                .containsExactly(new ProposerEffect.CommitAdvanced(at(160)));
    }

    @Test
    void walOfAnOlderTermIsNotCommittedByBeingOnAQuorum() {
        ProposerBench bench = ProposerBench.of(3).greeted(7, 0, 1);
        bench.votes(0, 8, at(250), history(3, 0));
        bench.votes(1, 8, at(100), history(3, 0));
        bench.flushed(0, 8, at(250));
        bench.flushed(1, 8, at(248));
        assertThat(bench.allOf(ProposerEffect.CommitAdvanced.class)).isEmpty();
        bench.flushed(1, 8, at(250));
        assertThat(bench.allOf(ProposerEffect.CommitAdvanced.class))
                .containsExactly(new ProposerEffect.CommitAdvanced(at(250)));
    }

    @Test
    void votesAreNoEvidenceForACommit() {
        ProposerBench bench = ProposerBench.of(3).greeted(7, 0, 1);
        bench.votes(0, 8, at(250), history(3, 0));
        bench.votes(1, 8, at(250), history(3, 0));
        assertThat(bench.allOf(ProposerEffect.CommitAdvanced.class)).isEmpty();
    }

    @Test
    void anAdvancedCommitIsToldToEverybodySoon() {
        ProposerBench bench = electedOnEmpty();
        bench.available(at(200));
        bench.sentToAll(at(200));
        bench.flushed(0, 1, at(200));
        bench.flushed(1, 1, at(200));
        assertThat(bench.lastOf(ProposerEffect.TickSoon.class)).hasSize(1);
        bench.tick();
        for (int i = 0; i < 3; i++) {
            assertThat(bench.sentTo(i, AppendRequest.class))
                    .extracting(AppendRequest::commitLsn, AppendRequest::beginLsn, AppendRequest::endLsn)
                    .containsExactly(org.assertj.core.groups.Tuple.tuple(at(200), at(200), at(200)));
        }
    }

    @Test
    void walTellsTheCommitAlongAndNoMessageOfItsOwnFollows() {
        ProposerBench bench = electedOnEmpty();
        bench.available(at(200));
        bench.sentToAll(at(200));
        bench.flushed(0, 1, at(200));
        bench.flushed(1, 1, at(200));
        bench.available(at(400));
        assertThat(bench.lastOf(SendWal.class))
                .hasSize(3)
                .allSatisfy(wal -> assertThat(wal.commitLsn()).isEqualTo(at(200)));
        bench.sentToAll(at(400));
        assertThat(bench.tick()).isEmpty();
    }

    @Test
    void aTickIsAskedForOnce() {
        ProposerBench bench = electedOnEmpty();
        bench.available(at(200));
        bench.sentToAll(at(200));
        for (int offset = 8; offset <= 200; offset += 8) {
            bench.flushed(0, 1, at(offset));
            bench.flushed(1, 1, at(offset));
        }
        assertThat(bench.allOf(ProposerEffect.TickSoon.class)).hasSize(1);
        bench.tick();
        bench.available(at(400));
        bench.sentToAll(at(400));
        bench.flushed(0, 1, at(400));
        bench.flushed(1, 1, at(400));
        assertThat(bench.allOf(ProposerEffect.TickSoon.class)).hasSize(2);
    }

    @Test
    void nothingQueuesUpBehindWalThatWaits() {
        ProposerBench bench = electedOnEmpty();
        bench.available(at(200));
        bench.on(new ProposerEvent.WalSent(ref(0), at(200)));
        bench.on(new ProposerEvent.WalSent(ref(1), at(200)));
        for (int offset = 8; offset <= 200; offset += 8) {
            bench.flushed(0, 1, at(offset));
            bench.flushed(1, 1, at(offset));
            assertThat(bench.sentTo(2, AppendRequest.class)).isEmpty();
        }
        bench.tickAfter(5_000);
        assertThat(bench.sentTo(2, AppendRequest.class)).isEmpty();
        bench.on(new ProposerEvent.WalSent(ref(2), at(200)));
        assertThat(bench.lastOf(ProposerEffect.TickSoon.class)).hasSize(1);
        bench.tick();
        assertThat(bench.sentTo(2, AppendRequest.class))
                .extracting(AppendRequest::commitLsn)
                .containsExactly(at(200));
    }

    @Test
    void commitsAreToldInFewMessagesWithoutAnAnswer() {
        ProposerBench bench = electedOnEmpty();
        bench.available(at(200));
        bench.sentToAll(at(200));
        int told = 0;
        for (int offset = 8; offset <= 200; offset += 8) {
            bench.flushed(0, 1, at(offset));
            bench.flushed(1, 1, at(offset));
            bench.tick();
            told += bench.sentTo(2, AppendRequest.class).size();
        }
        assertThat(told).isEqualTo(3); // and the first beat after the election
        bench.flushed(2, 1, at(200));
        bench.tick();
        assertThat(bench.sentTo(2, AppendRequest.class))
                .extracting(AppendRequest::commitLsn)
                .containsExactly(at(200));
    }

    @Test
    void aJointCommitNeedsAMajorityOfEachSet() {
        MembershipConfig joint = new MembershipConfig(3, members(100, 101, 102), members(102, 103, 104));
        ProposerBench bench = new ProposerBench(config(5, Membership.LEARNT, Mode.STREAM));
        bench.generation = 3;
        bench.tick();
        for (int i = 0; i < 4; i++) {
            bench.connected(i);
            bench.greets(i, 1, joint);
        }
        for (int i = 0; i < 4; i++) {
            bench.votes(i, 2, at(8), history(1, 0));
        }
        bench.available(at(200));
        bench.flushed(0, 2, at(200));
        bench.flushed(1, 2, at(200));
        bench.flushed(2, 2, at(200));
        assertThat(bench.proposer.commitLsn()).isEqualTo(Lsn.INVALID);
        // Shows which node it is only now, and counts from here on.
        bench.connected(4);
        bench.greets(4, 1, joint);
        bench.votes(4, 2, at(8), history(1, 0));
        bench.flushed(4, 2, at(96));
        assertThat(bench.proposer.commitLsn()).isEqualTo(at(96));
    }

    @Test
    void whatAnUnreachableSafekeeperHasAcknowledgedCountsOn() {
        ProposerBench bench = electedOnEmpty();
        bench.available(at(200));
        bench.flushed(0, 1, at(200));
        bench.lost(0);
        bench.flushed(1, 1, at(200));
        assertThat(bench.proposer.commitLsn()).isEqualTo(at(200));
    }

    @Test
    void aSafekeeperThatHasLostWhatItAcknowledgedDoesNotCountForIt() {
        ProposerBench bench = electedOnEmpty();
        bench.available(at(200));
        bench.flushed(0, 1, at(200));
        bench.lost(0);
        bench.tickAfter(1_000);
        bench.connected(0);
        bench.greets(0, 1);
        bench.refuses(0, 1, at(80), history(1, 0));
        bench.flushed(1, 1, at(200));
        assertThat(bench.proposer.commitLsn()).isEqualTo(at(80));
    }

    @Test
    void truncateLsnIsWhatAllHaveAndAtMostTheCommit() {
        ProposerBench bench = electedOnEmpty();
        bench.available(at(200));
        bench.flushed(0, 1, at(200));
        bench.flushed(1, 1, at(160));
        assertThat(bench.allOf(ProposerEffect.TruncateAdvanced.class)).isEmpty();
        bench.flushed(2, 1, at(40));
        assertThat(bench.proposer.truncateLsn()).isEqualTo(at(40));
        bench.flushed(2, 1, at(200));
        assertThat(bench.proposer.truncateLsn()).isEqualTo(at(160));
        assertThat(bench.proposer.commitLsn()).isEqualTo(at(200));
    }

    @Test
    void aHigherTermInAnAnswerFences() {
        ProposerBench bench = electedOnEmpty();
        bench.flushed(1, 2, Lsn.INVALID);
        assertThat(bench.last).containsExactly(new ProposerEffect.Fenced(Term.of(2), ref(1)));
        assertThat(bench.proposer.stage()).isEqualTo(Stage.DONE);
        assertThat(bench.flushed(0, 1, at(8))).isEmpty();
        assertThat(bench.tickAfter(60_000)).isEmpty();
    }

    @Test
    void aHigherTermInAGreetingFences() {
        ProposerBench bench = electedOnEmpty();
        bench.lost(1);
        bench.tickAfter(1_000);
        bench.connected(1);
        bench.greets(1, 3);
        assertThat(bench.last).containsExactly(new ProposerEffect.Fenced(Term.of(3), ref(1)));
    }

    @Test
    void anAnswerForMoreThanWasSentIsNotCounted() {
        ProposerBench bench = electedOnEmpty();
        bench.available(at(200));
        bench.flushed(0, 1, at(2L * ProposerBench.SEGMENT));
        assertThat(bench.lastOf(ProposerEffect.Disconnect.class)).hasSize(1);
        bench.flushed(1, 1, at(200));
        assertThat(bench.proposer.commitLsn()).isEqualTo(Lsn.INVALID);
    }

    @Test
    void afterASegmentSwitchTheNextSegmentMayBeAcknowledged() {
        Lsn nextSegment = Lsn.ofSegment(2, ProposerBench.SEGMENT);
        ProposerBench bench = electedOnEmpty();
        bench.available(at(200));
        bench.flushed(0, 1, nextSegment);
        bench.flushed(1, 1, nextSegment);
        assertThat(bench.proposer.commitLsn()).isEqualTo(nextSegment);
    }

    @Test
    void aQuietConnectionIsBeatEverySecond() {
        ProposerBench bench = electedOnEmpty();
        assertThat(bench.tickAfter(999)).isEmpty();
        bench.tickAfter(1);
        for (int i = 0; i < 3; i++) {
            assertThat(bench.sentTo(i, AppendRequest.class)).hasSize(1);
        }
    }

    @Test
    void aConnectionWithoutAnswersIsGivenUpAndOpenedAgain() {
        ProposerBench bench = electedOnEmpty();
        bench.tickAfter(9_999);
        assertThat(bench.lastOf(ProposerEffect.Disconnect.class)).isEmpty();
        bench.flushed(0, 1, INITIAL);
        bench.flushed(1, 1, INITIAL);
        bench.tickAfter(1);
        assertThat(bench.lastOf(ProposerEffect.Disconnect.class))
                .extracting(ProposerEffect.Disconnect::safekeeper)
                .containsExactly(ref(2));
        bench.tick();
        assertThat(bench.lastOf(ProposerEffect.Connect.class)).containsExactly(new ProposerEffect.Connect(ref(2)));
    }

    @Test
    void aFailedAttemptIsRepeatedAfterASecondNotAtOnce() {
        ProposerBench bench = ProposerBench.of(1);
        bench.tick();
        bench.lost(0);
        assertThat(bench.tickAfter(999)).isEmpty();
        assertThat(bench.tickAfter(1)).containsExactly(new ProposerEffect.Connect(ref(0)));
    }

    @Test
    void anAnswerOfAnotherGenerationMeansRestart() {
        ProposerBench bench = electedOnEmpty();
        bench.receive(0, new AppendResponse(4, Term.of(1), INITIAL, INITIAL, HotStandbyFeedback.NONE, null));
        assertThat(bench.lastOf(ProposerEffect.Restart.class)).hasSize(1);
    }

    @Test
    void withoutAnyoneWhoHasTheEndOfTheLogOthersMayGoOn() {
        ProposerBench bench = ProposerBench.of(3).greeted(7, 0, 1);
        bench.votes(0, 8, at(250), history(3, 0, 5, 104));
        bench.votes(1, 8, at(9_000), history(3, 0)); // longer, but not our log
        bench.lost(0);
        bench.flushed(1, 8, at(104));
        bench.tickAfter(5_000);
        bench.flushed(1, 8, at(104));
        bench.tickAfter(4_999);
        assertThat(bench.lastOf(ProposerEffect.Restart.class)).isEmpty();
        bench.tickAfter(1);
        assertThat(bench.lastOf(ProposerEffect.Restart.class)).hasSize(1);
    }

    @Test
    void theOldestXminOfActiveSafekeepersIsReported() {
        ProposerBench bench = electedOnEmpty();
        bench.receive(0, feedback(new HotStandbyFeedback(5, 900, 0)));
        bench.receive(1, feedback(new HotStandbyFeedback(6, 800, 700)));
        assertThat(bench.lastOf(ProposerEffect.StandbyFeedback.class))
                .containsExactly(new ProposerEffect.StandbyFeedback(new HotStandbyFeedback(6, 800, 700)));
        bench.lost(1);
        assertThat(bench.lastOf(ProposerEffect.StandbyFeedback.class))
                .containsExactly(new ProposerEffect.StandbyFeedback(new HotStandbyFeedback(5, 900, 0)));
    }

    private static AppendResponse feedback(HotStandbyFeedback feedback) {
        return new AppendResponse(0, Term.of(1), INITIAL, INITIAL, feedback, null);
    }

    @Test
    void pageserverFeedbackIsPassedOnOnce() {
        PageserverFeedback news = new PageserverFeedback(1, at(1), at(1), at(1), 42, 0, false);
        ProposerBench bench = electedOnEmpty();
        AppendResponse response = new AppendResponse(0, Term.of(1), INITIAL, INITIAL, HotStandbyFeedback.NONE, news);
        bench.receive(0, response);
        assertThat(bench.lastOf(ProposerEffect.PageserverProgress.class)).hasSize(1);
        bench.receive(1, response);
        assertThat(bench.lastOf(ProposerEffect.PageserverProgress.class)).isEmpty();
    }

    @Test
    void syncOfAnEmptyTimelineEndsAtZero() {
        ProposerBench bench = sync();
        bench.votes(0, 8, Lsn.INVALID, io.tidemark.wire.walpush.TermHistory.EMPTY);
        bench.votes(1, 8, Lsn.INVALID, io.tidemark.wire.walpush.TermHistory.EMPTY);
        assertThat(bench.last).containsExactly(new ProposerEffect.SyncFinished(Lsn.INVALID));
    }

    @Test
    void syncOfALevelLogEndsAtOnce() {
        ProposerBench bench = sync();
        bench.receive(0, new VoteResponse(0, Term.of(8), true, at(64), at(64), history(3, 0)));
        bench.votes(1, 8, at(64), history(3, 0));
        assertThat(bench.last).containsExactly(new ProposerEffect.SyncFinished(at(64)));
    }

    @Test
    void syncEndsWhenEverybodyHereHasPersistedTheCommit() {
        ProposerBench bench = sync();
        bench.votes(0, 8, at(64), history(3, 0));
        bench.votes(1, 8, at(32), history(3, 0));
        bench.flushed(0, 8, at(64));
        bench.flushed(1, 8, at(64));
        assertThat(bench.proposer.commitLsn()).isEqualTo(at(64));
        bench.flushed(0, 8, at(64), at(64));
        assertThat(bench.lastOf(ProposerEffect.SyncFinished.class)).isEmpty();
        bench.lost(2);
        assertThat(bench.lastOf(ProposerEffect.SyncFinished.class)).isEmpty();
        bench.flushed(1, 8, at(64), at(64));
        assertThat(bench.lastOf(ProposerEffect.SyncFinished.class))
                .containsExactly(new ProposerEffect.SyncFinished(at(64)));
        assertThat(bench.sentTo(0, AppendRequest.class)).hasSize(1);
    }

    @Test
    void syncDoesNotWaitForASafekeeperThatDoesNotAnswer() {
        ProposerBench bench = sync();
        bench.votes(0, 8, at(64), history(3, 0));
        bench.votes(1, 8, at(32), history(3, 0));
        bench.flushed(0, 8, at(64), at(64));
        bench.flushed(1, 8, at(64), at(64));
        assertThat(bench.lastOf(ProposerEffect.SyncFinished.class)).isEmpty();
        bench.now += 5_000;
        bench.flushed(0, 8, at(64), at(64));
        bench.flushed(1, 8, at(64), at(64));
        bench.tickAfter(5_000);
        assertThat(bench.lastOf(ProposerEffect.SyncFinished.class)).hasSize(1);
    }

    private static ProposerBench sync() {
        return new ProposerBench(config(3, Membership.CONFIGURED_LIST, Mode.SYNC)).greeted(7, 0, 1);
    }

    private static Lsn scheduledTo(ProposerBench bench, int i) {
        return bench.proposer.safekeepers().get(i).scheduledLsn();
    }
}
