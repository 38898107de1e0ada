package io.tidemark.safekeeper.acceptor;

import static io.tidemark.safekeeper.acceptor.AcceptorBench.ME;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.SEGMENT;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.START;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.SYSTEM;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.TTID;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.at;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.greeting;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.history;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.membership;
import static io.tidemark.safekeeper.acceptor.AcceptorBench.newTimeline;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.walpush.AcceptorMessage.AcceptorGreeting;
import io.tidemark.wire.walpush.AcceptorMessage.VoteResponse;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.ProposerMessage.VoteRequest;
import io.tidemark.wire.walpush.TermHistory;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class AcceptorElectionTest {
    @Test
    void theFirstMessageMustBeAGreeting() {
        AcceptorBench bench = AcceptorBench.empty();
        bench.vote(1, 1);
        assertThat(bench.refusals()).containsExactly(Refusal.NO_GREETING);
        assertThat(bench.acceptor.term()).isEqualTo(Term.ZERO);
    }

    @Test
    void afterARefusalTheConnectionIsNotHeardAnyMore() {
        AcceptorBench bench = AcceptorBench.empty();
        bench.vote(1, 1);
        assertThat(bench.receive(1, greeting(MembershipConfig.NONE))).isEmpty();
        assertThat(bench.vote(1, 1)).isEmpty();
        bench.on(new AcceptorEvent.Disconnected(new ConnectionId(1)));
        assertThat(bench.greeted(2).sent(AcceptorGreeting.class)).hasSize(1);
    }

    @Test
    void aGreetingIsAnsweredWithNodeMembershipAndTerm() {
        AcceptorState state = newTimeline().withTerm(Term.of(5)).withMembership(membership(2, 7, 8, 9));
        AcceptorBench bench = new AcceptorBench(state, Lsn.INVALID);
        bench.greeted(1);
        assertThat(bench.sent(AcceptorGreeting.class))
                .containsExactly(new AcceptorGreeting(ME, membership(2, 7, 8, 9), Term.of(5)));
    }

    static Stream<Arguments> misfits() {
        TenantId tenant = TTID.tenantId();
        TimelineId timeline = TTID.timelineId();
        PgVersion v17 = PgVersion.of(170_001);
        MembershipConfig none = MembershipConfig.NONE;
        return Stream.of(
                Arguments.of(
                        Refusal.PG_VERSION_MISMATCH,
                        new ProposerGreeting(tenant, timeline, none, PgVersion.of(160_001), SYSTEM, SEGMENT)),
                Arguments.of(
                        Refusal.TENANT_MISMATCH,
                        new ProposerGreeting(new TenantId(0, 0), timeline, none, v17, SYSTEM, SEGMENT)),
                Arguments.of(
                        Refusal.TIMELINE_MISMATCH,
                        new ProposerGreeting(tenant, new TimelineId(0, 0), none, v17, SYSTEM, SEGMENT)),
                Arguments.of(
                        Refusal.SEGMENT_SIZE_MISMATCH,
                        new ProposerGreeting(tenant, timeline, none, v17, SYSTEM, 2 * SEGMENT)),
                Arguments.of(Refusal.NOT_A_MEMBER, greeting(membership(3, 8, 9, 10))));
    }

    @ParameterizedTest
    @MethodSource("misfits")
    void aGreetingThatDoesNotFitIsRefusedAndChangesNothing(Refusal refusal, ProposerGreeting greeting) {
        AcceptorBench bench = AcceptorBench.empty();
        bench.receive(1, greeting);
        assertThat(bench.refusals()).containsExactly(refusal);
        assertThat(bench.lastOf(AcceptorEffect.PersistState.class)).isEmpty();
    }

    @Test
    void anotherSystemIdIsStoredWithAnAlarm() {
        AcceptorBench bench = AcceptorBench.empty();
        bench.receive(
                1,
                new ProposerGreeting(
                        TTID.tenantId(),
                        TTID.timelineId(),
                        MembershipConfig.NONE,
                        PgVersion.of(170_001),
                        SystemId.of(5),
                        SEGMENT));
        assertThat(bench.kinds())
                .containsExactly(
                        AcceptorEffect.Alarm.class, AcceptorEffect.PersistState.class, AcceptorEffect.Send.class);
        assertThat(bench.acceptor.state().systemId()).isEqualTo(SystemId.of(5));
    }

    @Test
    void anUnknownSystemIdChangesNothing() {
        AcceptorBench bench = AcceptorBench.empty();
        bench.receive(
                1,
                new ProposerGreeting(
                        TTID.tenantId(),
                        TTID.timelineId(),
                        MembershipConfig.NONE,
                        PgVersion.UNKNOWN,
                        SystemId.UNKNOWN,
                        SEGMENT));
        assertThat(bench.kinds()).containsExactly(AcceptorEffect.Send.class);
    }

    @Test
    void aNewerMembershipInAGreetingIsDurableBeforeTheAnswer() {
        AcceptorBench bench = AcceptorBench.empty();
        bench.receive(1, greeting(membership(3, 7, 8)));
        assertThat(bench.kinds()).containsExactly(AcceptorEffect.PersistState.class, AcceptorEffect.Send.class);
        assertThat(bench.sent(AcceptorGreeting.class).getFirst().membership()).isEqualTo(membership(3, 7, 8));
    }

    @Test
    void anOlderMembershipInAGreetingIsAnsweredWithMine() {
        AcceptorBench bench = new AcceptorBench(newTimeline().withMembership(membership(3, 7, 8)), Lsn.INVALID);
        bench.receive(1, greeting(membership(2, 1, 2)));
        assertThat(bench.kinds()).containsExactly(AcceptorEffect.Send.class);
        assertThat(bench.acceptor.membership()).isEqualTo(membership(3, 7, 8));
    }

    @Test
    void voteIsDurableBeforeItIsSentAndTheWalBeforeBoth() {
        AcceptorBench bench = AcceptorBench.empty().greeted(1);
        bench.vote(1, 3);
        assertThat(bench.kinds())
                .containsExactly(
                        AcceptorEffect.FlushWal.class, AcceptorEffect.PersistState.class, AcceptorEffect.Send.class);
        assertThat(bench.lastOf(AcceptorEffect.PersistState.class)
                        .getFirst()
                        .state()
                        .term())
                .isEqualTo(Term.of(3));
    }

    @Test
    void aVoteIsGivenOncePerTermAlsoToTheSameProposer() {
        AcceptorBench bench = AcceptorBench.empty().greeted(1, 2);
        bench.vote(1, 3);
        assertThat(bench.sent(VoteResponse.class).getFirst().voteGiven()).isTrue();
        for (int connection : new int[] {1, 2}) {
            bench.vote(connection, 3);
            assertThat(bench.kinds()).containsExactly(AcceptorEffect.FlushWal.class, AcceptorEffect.Send.class);
            assertThat(bench.sent(VoteResponse.class).getFirst().voteGiven()).isFalse();
        }
        bench.vote(1, 2);
        assertThat(bench.sent(VoteResponse.class))
                .containsExactly(new VoteResponse(0, Term.of(3), false, Lsn.INVALID, Lsn.INVALID, TermHistory.EMPTY));
    }

    @Test
    void theVoteTellsWhatIsFlushedAndOnlyTheHistoryOfThat() {
        AcceptorBench bench = AcceptorBench.streaming();
        Lsn end = bench.appendRecord(1, 1, 100);
        bench.greeted(2);
        // Elected at a history that goes on behind our log: adopted, but its WAL is not here yet.
        bench.vote(2, 4);
        bench.elected(2, 4, end, history(1, 0, 4, end.minus(START) + 800));
        assertThat(bench.refusals()).isEmpty();
        bench.vote(2, 5);
        VoteResponse response = bench.sent(VoteResponse.class).getFirst();
        assertThat(response.flushLsn()).isEqualTo(end);
        assertThat(response.termHistory()).isEqualTo(history(1, 0));
    }

    @Test
    void whatAnOlderConnectionAppendedIsInTheFlushLsnOfAVote() {
        AcceptorBench bench = AcceptorBench.streaming();
        Lsn end = bench.appendRecord(1, 1, 100);
        assertThat(bench.acceptor.flushLsn()).isEqualTo(START);
        bench.greeted(2);
        bench.vote(2, 2);
        assertThat(bench.sent(VoteResponse.class).getFirst().flushLsn()).isEqualTo(end);
    }

    @Test
    void aMessageOfAnotherGenerationIsRefused() {
        for (long generation : new long[] {0, 4}) {
            AcceptorBench bench =
                    new AcceptorBench(newTimeline().withMembership(membership(3, 7, 8)), Lsn.INVALID).greeted(1);
            bench.receive(1, new VoteRequest(generation, Term.of(1)));
            assertThat(bench.refusals()).containsExactly(Refusal.GENERATION_MISMATCH);
            assertThat(bench.acceptor.term()).isEqualTo(Term.ZERO);
        }
    }

    @Test
    void theFirstElectionMakesTheSegmentCutsAndThenAdoptsTheHistory() {
        AcceptorBench bench = AcceptorBench.empty().greeted(1);
        bench.vote(1, 1);
        bench.elected(1, 1, START, history(1, 0));
        assertThat(bench.last).hasSize(3);
        assertThat(bench.last.get(0)).isEqualTo(new AcceptorEffect.InitFirstSegment(START));
        assertThat(bench.last.get(1)).isEqualTo(new AcceptorEffect.TruncateWal(START));
        AcceptorState state = ((AcceptorEffect.PersistState) bench.last.get(2)).state();
        assertThat(state.termHistory()).isEqualTo(history(1, 0));
        assertThat(state.timelineStartLsn()).isEqualTo(START);
        assertThat(state.localStartLsn()).isEqualTo(START);
        assertThat(state.commitLsn()).isEqualTo(START);
        assertThat(state.backupLsn()).isEqualTo(START);
        assertThat(state.peerHorizonLsn()).isEqualTo(START);
        assertThat(state.remoteConsistentLsn()).isEqualTo(START);
        assertThat(bench.acceptor.flushLsn()).isEqualTo(START);
    }

    @Test
    void aTermLearntFromAnElectedMessageIsDurableBeforeTheCut() {
        AcceptorBench bench = AcceptorBench.empty().greeted(1);
        bench.elected(1, 6, START, history(6, 0));
        assertThat(bench.kinds())
                .containsExactly(
                        AcceptorEffect.PersistState.class,
                        AcceptorEffect.InitFirstSegment.class,
                        AcceptorEffect.TruncateWal.class,
                        AcceptorEffect.PersistState.class);
        AcceptorState first =
                bench.lastOf(AcceptorEffect.PersistState.class).getFirst().state();
        assertThat(first.term()).isEqualTo(Term.of(6));
        assertThat(first.termHistory()).isEqualTo(TermHistory.EMPTY);
    }

    @Test
    void afterARestartTheWalIsCutAlsoWhenThePositionsMatch() {
        AcceptorBench before = AcceptorBench.streaming();
        AcceptorBench bench = new AcceptorBench(before.acceptor.state(), START).greeted(1);
        bench.elected(1, 1, START, history(1, 0));
        assertThat(bench.lastOf(AcceptorEffect.TruncateWal.class)).hasSize(1);
        assertThat(bench.lastOf(AcceptorEffect.InitFirstSegment.class)).isEmpty();
        bench.greeted(2);
        bench.elected(2, 1, START, history(1, 0));
        assertThat(bench.lastOf(AcceptorEffect.TruncateWal.class)).isEmpty();
    }

    @Test
    void theCutIsWhereTheLogsPart() {
        AcceptorBench bench = AcceptorBench.streaming();
        Lsn first = bench.appendRecord(1, 1, 100);
        bench.appendRecord(1, 1, 100);
        bench.batchEnd();
        bench.greeted(2);
        bench.vote(2, 3);
        bench.elected(2, 3, first, history(1, 0, 3, first.minus(START)));
        assertThat(bench.lastOf(AcceptorEffect.TruncateWal.class))
                .containsExactly(new AcceptorEffect.TruncateWal(first));
        assertThat(bench.acceptor.flushLsn()).isEqualTo(first);
        assertThat(bench.acceptor.writeLsn()).isEqualTo(first);
        assertThat(bench.acceptor.lastLogTerm()).isEqualTo(Term.of(3));
    }

    @Test
    void anElectedMessageOfAnOldTermIsIgnored() {
        AcceptorBench bench = AcceptorBench.empty().greeted(1, 2);
        bench.vote(1, 1);
        bench.vote(2, 2);
        assertThat(bench.elected(1, 1, START, history(1, 0))).isEmpty();
    }

    @Test
    void anotherStartPointIsRefusedAndChangesNothing() {
        AcceptorBench bench = AcceptorBench.streaming();
        Lsn first = bench.appendRecord(1, 1, 100);
        Lsn second = bench.appendRecord(1, 1, 100);
        bench.batchEnd();
        AcceptorState before = bench.acceptor.state();
        int connection = 2;
        for (Lsn wrong : new Lsn[] {START, first, second.plus(8), Lsn.INVALID}) {
            bench.greeted(connection);
            bench.elected(connection, 3, wrong, history(1, 0, 3, second.minus(START)));
            assertThat(bench.refusals()).containsExactly(Refusal.WRONG_START_POINT);
            assertThat(bench.kinds()).containsExactly(AcceptorEffect.Refuse.class);
            connection++;
        }
        assertThat(bench.acceptor.state()).isEqualTo(before);
        assertThat(bench.acceptor.flushLsn()).isEqualTo(second);
    }

    @Test
    void aStartThatCannotBeARecordBoundaryIsRefused() {
        for (long value : new long[] {0x300001, 0x302008, 0x302010}) {
            AcceptorBench bench = AcceptorBench.empty().greeted(1);
            Lsn start = Lsn.of(value);
            bench.elected(1, 1, start, history(1, start.minus(START)));
            assertThat(bench.refusals()).containsExactly(Refusal.WRONG_START_POINT);
        }
    }

    @Test
    void committedWalIsNotCutAndTheAlarmIsRaised() {
        AcceptorBench bench = AcceptorBench.streaming();
        Lsn first = bench.appendRecord(1, 1, 100);
        bench.batchEnd();
        bench.beat(1, 1, first, first);
        bench.greeted(2);
        bench.elected(2, 3, START, history(1, 0, 3, 0));
        assertThat(bench.refusals()).containsExactly(Refusal.TRUNCATES_COMMITTED_WAL);
        assertThat(bench.lastOf(AcceptorEffect.Alarm.class)).hasSize(1);
        assertThat(bench.lastOf(AcceptorEffect.TruncateWal.class)).isEmpty();
        assertThat(bench.acceptor.flushLsn()).isEqualTo(first);
    }

    static Stream<Arguments> corruptHistories() {
        return Stream.of(
                Arguments.of(Refusal.EMPTY_HISTORY, TermHistory.EMPTY),
                Arguments.of(Refusal.CORRUPT_HISTORY, history(1, 0)),
                Arguments.of(Refusal.CORRUPT_HISTORY, history(1, 0, 4, 0)),
                Arguments.of(Refusal.CORRUPT_HISTORY, history(1, 8, 3, 16)),
                Arguments.of(Refusal.CORRUPT_HISTORY, history(2, -8, 3, 0)));
    }

    @ParameterizedTest
    @MethodSource("corruptHistories")
    void aHistoryThatCannotBeIsRefused(Refusal refusal, TermHistory history) {
        AcceptorBench bench = AcceptorBench.streaming().greeted(2);
        bench.elected(2, 3, START, history);
        assertThat(bench.refusals()).containsExactly(refusal);
        assertThat(bench.acceptor.term()).isEqualTo(Term.of(1));
    }

    @Test
    void aLogWithoutACommonTermIsStreamedFromTheBeginning() {
        AcceptorBench bench = AcceptorBench.streaming();
        bench.appendRecord(1, 1, 100);
        bench.batchEnd();
        bench.greeted(2);
        bench.elected(2, 2, START, history(2, 0));
        assertThat(bench.lastOf(AcceptorEffect.TruncateWal.class))
                .containsExactly(new AcceptorEffect.TruncateWal(START));
    }

    @Test
    void aTimelineThatWasCreatedWithAStartNeedsNoFirstSegment() {
        AcceptorState created = newTimeline()
                .withTermHistory(history(0, 0))
                .withStart(START, START)
                .withLsns(START, START, START, START);
        AcceptorBench bench = new AcceptorBench(created, START).greeted(1);
        bench.elected(1, 1, START, history(0, 0, 1, 0));
        assertThat(bench.kinds())
                .containsExactly(
                        AcceptorEffect.PersistState.class,
                        AcceptorEffect.TruncateWal.class,
                        AcceptorEffect.PersistState.class);
    }

    @Test
    void bumpTermRaisesOnly() {
        AcceptorBench bench = AcceptorBench.empty();
        bench.on(new AcceptorEvent.BumpTerm(Term.of(5)));
        assertThat(bench.kinds()).containsExactly(AcceptorEffect.PersistState.class);
        assertThat(bench.on(new AcceptorEvent.BumpTerm(Term.of(4)))).isEmpty();
        bench.on(new AcceptorEvent.BumpTerm(null));
        assertThat(bench.acceptor.term()).isEqualTo(Term.of(6));
    }

    @Test
    void bumpTermDoesNotWrapAround() {
        AcceptorBench bench = new AcceptorBench(newTimeline().withTerm(Term.of(-1)), Lsn.INVALID);
        bench.on(new AcceptorEvent.BumpTerm(null));
        assertThat(bench.kinds()).containsExactly(AcceptorEffect.Alarm.class);
    }

    @Test
    void aMembershipIsSwitchedUpwardsOnly() {
        AcceptorBench bench = AcceptorBench.empty();
        bench.on(new AcceptorEvent.SwitchMembership(membership(2, 7, 8)));
        assertThat(bench.kinds()).containsExactly(AcceptorEffect.PersistState.class);
        assertThat(bench.on(new AcceptorEvent.SwitchMembership(membership(2, 7))))
                .isEmpty();
        assertThat(bench.on(new AcceptorEvent.SwitchMembership(membership(1, 7))))
                .isEmpty();
        assertThat(bench.on(new AcceptorEvent.SwitchMembership(membership(3, 8))))
                .isEmpty();
        assertThat(bench.acceptor.membership()).isEqualTo(membership(2, 7, 8));
    }

    @Test
    void aTimelineThatHasLostCommittedWalIsNotOpened() {
        AcceptorState state = newTimeline().withLsns(at(8), at(0), at(0), at(0));
        assertThatIllegalArgumentException().isThrownBy(() -> new Acceptor(ME, state, START));
    }
}
