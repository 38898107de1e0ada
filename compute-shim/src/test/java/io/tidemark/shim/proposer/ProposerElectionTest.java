package io.tidemark.shim.proposer;

import static io.tidemark.shim.proposer.ProposerBench.INITIAL;
import static io.tidemark.shim.proposer.ProposerBench.at;
import static io.tidemark.shim.proposer.ProposerBench.config;
import static io.tidemark.shim.proposer.ProposerBench.history;
import static io.tidemark.shim.proposer.ProposerBench.members;
import static io.tidemark.shim.proposer.ProposerBench.ref;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.shim.proposer.Proposer.Stage;
import io.tidemark.shim.proposer.ProposerConfig.Membership;
import io.tidemark.shim.proposer.ProposerConfig.Mode;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.AcceptorMessage.AcceptorGreeting;
import io.tidemark.wire.walpush.AcceptorMessage.VoteResponse;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.ProposerMessage.ProposerElected;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.ProposerMessage.VoteRequest;
import io.tidemark.wire.walpush.TermHistory;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProposerElectionTest {
    @Test
    void theFirstTickConnectsToEverySafekeeper() {
        ProposerBench bench = ProposerBench.of(3);
        bench.tick();
        assertThat(bench.last)
                .containsExactly(
                        new ProposerEffect.Connect(ref(0)),
                        new ProposerEffect.Connect(ref(1)),
                        new ProposerEffect.Connect(ref(2)));
        assertThat(bench.tick()).isEmpty();
    }

    @Test
    void itGreetsFirstAndWaitsForAQuorumOfGreetings() {
        ProposerBench bench = ProposerBench.of(3);
        bench.tick();
        bench.connected(0);
        assertThat(bench.sentTo(0, ProposerGreeting.class)).hasSize(1);
        bench.connected(1);
        assertThat(bench.greets(0, 4)).isEmpty();
        bench.greets(1, 7);
        assertThat(bench.sentTo(0, VoteRequest.class)).containsExactly(new VoteRequest(0, Term.of(8)));
        assertThat(bench.sentTo(1, VoteRequest.class)).containsExactly(new VoteRequest(0, Term.of(8)));
    }

    @Test
    void aSafekeeperThatHasLeftDoesNotCountAsGreeted() {
        ProposerBench bench = ProposerBench.of(3);
        bench.tick();
        bench.connected(0);
        bench.greets(0, 4);
        bench.lost(0);
        bench.connected(1);
        bench.greets(1, 7);
        assertThat(bench.proposer.stage()).isEqualTo(Stage.COLLECTING_TERMS);
    }

    @Test
    void greetingThatHasGrownOldIsAskedForAgain() {
        ProposerBench bench = ProposerBench.of(3);
        bench.tick();
        bench.connected(0);
        bench.greets(0, 4);
        bench.tickAfter(9_999);
        assertThat(bench.lastOf(ProposerEffect.Disconnect.class))
                .noneMatch(d -> d.safekeeper().equals(ref(0)));
        bench.tickAfter(1);
        assertThat(bench.lastOf(ProposerEffect.Disconnect.class))
                .anyMatch(d -> d.safekeeper().equals(ref(0)));
        bench.tickAfter(1);
        assertThat(bench.lastOf(ProposerEffect.Connect.class)).contains(new ProposerEffect.Connect(ref(0)));
    }

    @Test
    void whoComesDuringTheCampaignIsAskedAtOnce() {
        ProposerBench bench = ProposerBench.of(3).greeted(4, 0, 1);
        bench.connected(2);
        bench.greets(2, 1);
        assertThat(bench.sentTo(2, VoteRequest.class)).containsExactly(new VoteRequest(0, Term.of(5)));
    }

    @Test
    void aHigherTermDuringTheCampaignMeansRestart() {
        ProposerBench bench = ProposerBench.of(3).greeted(4, 0, 1);
        bench.connected(2);
        bench.greets(2, 6);
        assertThat(bench.lastOf(ProposerEffect.Restart.class)).hasSize(1);
        assertThat(bench.proposer.stage()).isEqualTo(Stage.DONE);
    }

    @Test
    void aRefusedVoteDuringTheCampaignMeansRestart() {
        ProposerBench bench = ProposerBench.of(3).greeted(4, 0, 1);
        bench.refuses(0, 5, Lsn.INVALID, TermHistory.EMPTY);
        assertThat(bench.lastOf(ProposerEffect.Restart.class)).hasSize(1);
    }

    @Test
    void aVoteThatWasSeenBeforeAReconnectIsStillOurs() {
        ProposerBench bench = ProposerBench.of(3).greeted(4, 0, 1);
        bench.votes(0, 5, at(100), history(4, 0));
        bench.lost(0);
        bench.tickAfter(1_000);
        bench.connected(0);
        bench.greets(0, 5);
        bench.refuses(0, 5, at(100), history(4, 0));
        assertThat(bench.proposer.stage()).isEqualTo(Stage.CAMPAIGN);
        bench.votes(1, 5, at(50), history(4, 0));
        assertThat(bench.proposer.stage()).isEqualTo(Stage.ELECTED);
    }

    @Test
    void aTermAboveTheLastOneIsNotInvented() {
        ProposerBench bench = ProposerBench.of(1).greeted(-1L, 0);
        assertThat(bench.lastOf(ProposerEffect.Restart.class)).hasSize(1);
        assertThat(bench.lastOf(ProposerEffect.Send.class)).isEmpty();
    }

    @Test
    void theDonorHasTheHighestLastLogTermNotTheLongestLog() {
        ProposerBench bench = ProposerBench.of(3).greeted(7, 0, 1);
        bench.votes(0, 8, at(9_000), history(3, 0));
        bench.votes(1, 8, at(500), history(3, 0, 5, 400));
        ProposerEffect.Elected elected =
                bench.lastOf(ProposerEffect.Elected.class).getFirst();
        assertThat(elected.startLsn()).isEqualTo(at(500));
        assertThat(elected.donors()).containsExactly(ref(1));
        assertThat(elected.termHistory()).isEqualTo(history(3, 0, 5, 400, 8, 500));
    }

    @Test
    void ofEqualTermsTheLongestLogWins() {
        ProposerBench bench = ProposerBench.of(3).greeted(7, 0, 1);
        bench.votes(0, 8, at(100), history(3, 0));
        bench.votes(1, 8, at(300), history(3, 0));
        assertThat(bench.proposer.startLsn()).isEqualTo(at(300));
    }

    @Test
    void historyBeyondTheLogOfAVoterDoesNotCount() {
        ProposerBench bench = ProposerBench.of(3).greeted(7, 0, 1);
        bench.votes(0, 8, at(100), history(3, 0, 6, 900));
        bench.votes(1, 8, at(300), history(3, 0));
        assertThat(bench.proposer.startLsn()).isEqualTo(at(300));
        assertThat(bench.proposer.termHistory()).isEqualTo(history(3, 0, 8, 300));
    }

    @Test
    void eachVoterStartsWhereItsLogLeavesOurs() {
        ProposerBench bench = ProposerBench.of(3).greeted(7, 0, 1);
        bench.votes(0, 8, at(9_000), history(3, 0, 4, 300));
        bench.votes(1, 8, at(500), history(3, 0, 5, 400));
        assertThat(bench.sentTo(0, ProposerElected.class).getFirst().startStreamingAt())
                .isEqualTo(at(300));
        assertThat(bench.sentTo(1, ProposerElected.class).getFirst().startStreamingAt())
                .isEqualTo(at(500));
    }

    @Test
    void anEmptySafekeeperIsStreamedToFromTheBeginning() {
        ProposerBench bench = ProposerBench.of(3).greeted(7, 0, 1);
        bench.votes(0, 8, at(9_000), history(3, 0, 4, 300));
        bench.votes(1, 8, Lsn.INVALID, TermHistory.EMPTY);
        assertThat(bench.sentTo(1, ProposerElected.class).getFirst().startStreamingAt())
                .isEqualTo(INITIAL);
    }

    @Test
    void aNewTimelineStartsWhereTheConfigurationSays() {
        ProposerBench bench = ProposerBench.electedOnEmpty();
        assertThat(bench.proposer.startLsn()).isEqualTo(INITIAL);
        assertThat(bench.proposer.truncateLsn()).isEqualTo(INITIAL);
        assertThat(bench.proposer.termHistory()).isEqualTo(history(1, 0));
        assertThat(bench.allOf(ProposerEffect.Elected.class).getFirst().donors())
                .containsExactly(ref(0), ref(1));
    }

    @Test
    void whoArrivesAfterTheElectionIsToldAfterItsVote() {
        ProposerBench bench = ProposerBench.of(3).greeted(7, 0, 1);
        bench.votes(0, 8, at(10), history(3, 0));
        bench.votes(1, 8, at(20), history(3, 0));
        bench.connected(2);
        bench.greets(2, 2);
        bench.votes(2, 8, at(5), history(2, 0));
        assertThat(bench.sentTo(2, ProposerElected.class).getFirst().startStreamingAt())
                .isEqualTo(INITIAL);
    }

    @Test
    void aReconnectInOurOwnTermNeedsNoVote() {
        ProposerBench bench = ProposerBench.electedOnEmpty();
        bench.lost(1);
        bench.tickAfter(1_000);
        bench.connected(1);
        bench.greets(1, 1);
        bench.refuses(1, 1, at(64), history(1, 0));
        assertThat(bench.sentTo(1, ProposerElected.class).getFirst().startStreamingAt())
                .isEqualTo(at(64));
    }

    @Test
    void aContradictingHistoryDisconnectsOnlyThatSafekeeper() {
        ProposerBench bench = ProposerBench.of(3).greeted(7, 0, 1);
        bench.votes(0, 8, at(500), history(3, 0));
        bench.votes(1, 8, at(400), history(3, 8));
        assertThat(bench.proposer.stage()).isEqualTo(Stage.ELECTED);
        assertThat(bench.lastOf(ProposerEffect.Disconnect.class))
                .extracting(ProposerEffect.Disconnect::safekeeper)
                .containsExactly(ref(1));
    }

    @Test
    void aVoteWithALogOfOurTermOrLaterIsNoVote() {
        ProposerBench bench = ProposerBench.of(3).greeted(7, 0, 1);
        bench.votes(0, 8, at(500), history(8, 0));
        assertThat(bench.lastOf(ProposerEffect.Disconnect.class)).hasSize(1);
        assertThat(bench.proposer.stage()).isEqualTo(Stage.CAMPAIGN);
    }

    @Test
    void aMessageWhileItMustBeSilentEndsTheConnection() {
        ProposerBench bench = ProposerBench.of(3);
        bench.tick();
        bench.connected(0);
        bench.greets(0, 1);
        bench.greets(0, 1);
        assertThat(bench.lastOf(ProposerEffect.Disconnect.class)).hasSize(1);
    }

    @Test
    void aSafekeeperTwiceInTheListCountsOnce() {
        ProposerBench bench = ProposerBench.of(3);
        bench.tick();
        for (int i = 0; i < 2; i++) {
            bench.connected(i);
            bench.receive(i, new AcceptorGreeting(new NodeId(9), MembershipConfig.NONE, Term.ZERO));
        }
        assertThat(bench.lastOf(ProposerEffect.Disconnect.class))
                .extracting(ProposerEffect.Disconnect::safekeeper)
                .containsExactly(ref(1));
        assertThat(bench.proposer.stage()).isEqualTo(Stage.COLLECTING_TERMS);
    }

    @Test
    void anotherNodeAtAKnownPlaceMeansRestart() {
        ProposerBench bench = ProposerBench.electedOnEmpty();
        bench.lost(1);
        bench.tickAfter(1_000);
        bench.connected(1);
        bench.receive(1, new AcceptorGreeting(new NodeId(55), MembershipConfig.NONE, Term.of(1)));
        assertThat(bench.lastOf(ProposerEffect.Restart.class)).hasSize(1);
    }

    @Test
    void withoutAMembershipToLearnThereIsNoElection() {
        ProposerBench bench = new ProposerBench(config(3, Membership.LEARNT, Mode.STREAM)).greeted(0, 0, 1, 2);
        assertThat(bench.proposer.stage()).isEqualTo(Stage.COLLECTING_TERMS);
    }

    @Test
    void aJointMembershipNeedsAMajorityOfEachSet() {
        MembershipConfig joint = new MembershipConfig(3, members(100, 101, 102), members(102, 103, 104));
        ProposerBench bench = new ProposerBench(config(5, Membership.LEARNT, Mode.STREAM));
        bench.generation = 3;
        bench.tick();
        for (int i : List.of(0, 1, 2)) {
            bench.connected(i);
            bench.greets(i, 1, joint);
        }
        assertThat(bench.proposer.stage()).isEqualTo(Stage.COLLECTING_TERMS);
        bench.connected(3);
        bench.greets(3, 1, joint);
        assertThat(bench.proposer.stage()).isEqualTo(Stage.CAMPAIGN);
        bench.votes(0, 2, at(8), history(1, 0));
        bench.votes(1, 2, at(8), history(1, 0));
        bench.votes(3, 2, at(8), history(1, 0));
        assertThat(bench.proposer.stage()).isEqualTo(Stage.CAMPAIGN);
        bench.votes(2, 2, at(8), history(1, 0));
        assertThat(bench.proposer.stage()).isEqualTo(Stage.ELECTED);
    }

    @Test
    void aNewerMembershipIsAdoptedWhileCollectingAndSpread() {
        MembershipConfig newer = new MembershipConfig(2, members(100, 101, 102), List.of());
        ProposerBench bench = new ProposerBench(config(3, Membership.LEARNT, Mode.STREAM));
        bench.tick();
        bench.connected(0);
        bench.greets(0, 1);
        bench.connected(1);
        bench.greets(1, 1, newer);
        assertThat(bench.lastOf(ProposerEffect.Disconnect.class))
                .extracting(ProposerEffect.Disconnect::safekeeper)
                .containsExactly(ref(0));
        bench.tickAfter(1_000);
        bench.connected(0);
        assertThat(bench.sentTo(0, ProposerGreeting.class).getFirst().membership())
                .isEqualTo(newer);
    }

    @Test
    void aNewerMembershipDuringTheCampaignMeansRestart() {
        ProposerBench bench = ProposerBench.of(3).greeted(4, 0, 1);
        bench.connected(2);
        bench.greets(2, 4, new MembershipConfig(2, members(100, 101, 102), List.of()));
        assertThat(bench.lastOf(ProposerEffect.Restart.class)).hasSize(1);
    }

    @Test
    void aVoteOfAnotherGenerationMeansRestart() {
        ProposerBench bench = ProposerBench.of(3).greeted(4, 0, 1);
        bench.receive(0, new VoteResponse(1, Term.of(5), true, Lsn.INVALID, Lsn.INVALID, TermHistory.EMPTY));
        assertThat(bench.lastOf(ProposerEffect.Restart.class)).hasSize(1);
    }

    @Test
    void hostsAndPortsOfAMembershipAreInformative() {
        MembershipConfig here = new MembershipConfig(2, members(100, 101), List.of());
        MembershipConfig there = new MembershipConfig(
                2,
                List.of(
                        new MembershipConfig.Member(new NodeId(101), "elsewhere", 1),
                        new MembershipConfig.Member(new NodeId(100), "", 2)),
                List.of());
        ProposerBench bench = new ProposerBench(config(2, Membership.LEARNT, Mode.STREAM));
        bench.tick();
        bench.connected(0);
        bench.greets(0, 1, here);
        bench.connected(1);
        bench.greets(1, 1, there);
        assertThat(bench.proposer.stage()).isEqualTo(Stage.CAMPAIGN);
    }
}
