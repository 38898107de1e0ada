package io.tidemark.simulation.cluster;

import static io.tidemark.simulation.cluster.SmallCluster.START;
import static io.tidemark.simulation.cluster.SmallCluster.members;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.shim.proposer.Proposer.Stage;
import io.tidemark.shim.proposer.ProposerConfig.Mode;
import io.tidemark.shim.proposer.ProposerEffect;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.MembershipConfig;
import java.util.List;
import org.junit.jupiter.api.Test;

class SmallClusterTest {
    private final SmallCluster cluster = new SmallCluster(3, MembershipConfig.NONE);

    @Test
    void aNewTimelineElectsAndCommits() {
        start();
        Lsn end = cluster.write(300, 1);
        assertThat(cluster.proposer.commitLsn()).isEqualTo(end);
        assertThat(cluster.proposer.truncateLsn()).isEqualTo(end);
        assertLevel(end);
    }

    @Test
    void longRecordsPassThroughSmallWindows() {
        start();
        Lsn end = cluster.write(100_000, 1);
        assertThat(cluster.proposer.commitLsn()).isEqualTo(end);
        assertLevel(end);
    }

    @Test
    void oneMayBeDownAndCatchesUp() {
        start();
        cluster.down(2);
        Lsn end = cluster.write(20_000, 1);
        assertThat(cluster.proposer.commitLsn()).isEqualTo(end);
        assertThat(cluster.proposer.truncateLsn()).isEqualTo(START);
        cluster.up(2);
        assertLevel(end);
        assertThat(cluster.proposer.truncateLsn()).isEqualTo(end);
    }

    @Test
    void withTwoDownNothingCommitsUntilOneIsBack() {
        start();
        cluster.down(1, 2);
        Lsn end = cluster.write(500, 1);
        assertThat(cluster.proposer.commitLsn()).isEqualTo(START);
        cluster.up(1);
        assertThat(cluster.proposer.commitLsn()).isEqualTo(end);
    }

    @Test
    void everyAcceptorLearnsTheCommitAtOnce() {
        start();
        Lsn end = cluster.write(500, 1);
        for (SmallCluster.Node node : cluster.nodes) {
            assertThat(node.acceptor.commitLsn()).isEqualTo(end);
        }
    }

    @Test
    void aDivergentLogIsRepaired() {
        start();
        cluster.write(500, 1);
        cluster.down(1, 2);
        cluster.write(700, 2); // only on node 0: never committed
        cluster.down(0);
        cluster.up(1, 2);
        cluster.propose(Mode.STREAM);
        cluster.startSource();
        Lsn end = cluster.write(400, 3);
        assertThat(cluster.proposer.commitLsn()).isEqualTo(end);
        cluster.up(0);
        assertLevel(end);
        assertThat(cluster.nodes.get(0).acceptor.state().termHistory())
                .isEqualTo(cluster.nodes.get(1).acceptor.state().termHistory());
    }

    @Test
    void anUncommittedEndThatIsElectedIsCommittedUnderTheNewTerm() {
        start();
        Lsn first = cluster.write(500, 1);
        cluster.down(1, 2);
        Lsn second = cluster.write(700, 2);
        cluster.up(1); // streamed to and committed by the old proposer
        assertThat(cluster.proposer.commitLsn()).isEqualTo(second);
        cluster.down(1);
        Lsn third = cluster.write(700, 3);
        cluster.up(2);
        cluster.down(0);
        assertThat(first).isLessThan(third);
        cluster.up(0, 1);
        cluster.propose(Mode.STREAM);
        assertThat(cluster.proposer.startLsn()).isEqualTo(third);
        assertThat(cluster.proposer.commitLsn()).isEqualTo(third);
    }

    @Test
    void aCrashedAcceptorComesBackWithWhatItFlushed() {
        start();
        Lsn end = cluster.write(500, 1);
        cluster.down(0, 1, 2);
        cluster.up(0, 1, 2);
        assertThat(cluster.proposer.stage()).isEqualTo(Stage.ELECTED);
        Lsn next = cluster.write(500, 2);
        assertThat(next).isGreaterThan(end);
        assertLevel(next);
    }

    @Test
    void syncLevelsTheLogAndSaysWhereItEnds() {
        start();
        cluster.write(500, 1);
        cluster.down(1, 2);
        cluster.write(700, 2);
        cluster.up(1, 2);
        cluster.down(2);
        Lsn end = cluster.write(100, 3);
        cluster.nodes.get(2).up = true;
        cluster.propose(Mode.SYNC);
        assertThat(cluster.effects(ProposerEffect.SyncFinished.class))
                .containsExactly(new ProposerEffect.SyncFinished(end));
        for (SmallCluster.Node node : cluster.nodes) {
            assertThat(node.durable.commitLsn()).isEqualTo(end);
        }
        assertLevel(end);
    }

    @Test
    void syncOfALevelLogHasNothingToDo() {
        start();
        Lsn end = cluster.write(500, 1);
        cluster.tick(1_000); // the beat spreads truncate_lsn
        cluster.propose(Mode.SYNC);
        assertThat(cluster.effects(ProposerEffect.SyncFinished.class))
                .containsExactly(new ProposerEffect.SyncFinished(end));
        assertThat(cluster.effects(ProposerEffect.Elected.class)).isEmpty();
    }

    @Test
    void aJointMembershipCommitsWithBothMajorities() {
        MembershipConfig joint = new MembershipConfig(2, members(0, 1, 2), members(2, 3, 4));
        SmallCluster five = new SmallCluster(5, joint);
        five.propose(Mode.STREAM);
        five.startSource();
        Lsn first = five.write(300, 1);
        assertThat(five.proposer.commitLsn()).isEqualTo(first);
        five.down(3, 4);
        five.write(300, 2);
        assertThat(five.proposer.commitLsn()).isEqualTo(first);
        five.up(4);
        Lsn third = five.write(300, 3);
        assertThat(five.proposer.commitLsn()).isEqualTo(third);
    }

    @Test
    void aMembershipChangeRestartsTheProposerInTheNewGeneration() {
        SmallCluster five = new SmallCluster(5, new MembershipConfig(1, members(0, 1, 2), List.of()));
        MembershipConfig joint = new MembershipConfig(2, members(0, 1, 2), members(2, 3, 4));
        five.propose(Mode.STREAM);
        five.startSource();
        Lsn first = five.write(300, 1);
        five.switchMembership(joint, 0, 1, 3, 4);
        five.tick(1_000);
        five.tick(1_000);
        assertThat(five.effects(ProposerEffect.Restart.class)).hasSize(1);
        five.propose(Mode.STREAM);
        five.tick(1_000); // node 2 has not heard of the switch: it is told in the next greeting
        assertThat(five.nodes.get(2).acceptor.membership()).isEqualTo(joint);
        assertThat(five.proposer.stage()).isEqualTo(Stage.ELECTED);
        five.startSource();
        Lsn second = five.write(300, 2);
        assertThat(five.proposer.startLsn()).isEqualTo(first);
        assertThat(five.proposer.commitLsn()).isEqualTo(second);
    }

    @Test
    void theTermAboveAllThatAreSeenIsTaken() {
        start();
        for (int i = 0; i < 3; i++) {
            cluster.propose(Mode.STREAM);
        }
        assertThat(cluster.proposer.term()).isEqualTo(Term.of(4));
    }

    private void start() {
        cluster.propose(Mode.STREAM);
        assertThat(cluster.proposer.stage()).isEqualTo(Stage.ELECTED);
        cluster.startSource();
    }

    private void assertLevel(Lsn end) {
        byte[] expected = cluster.nodes.get(1).log(START, end);
        for (SmallCluster.Node node : cluster.nodes) {
            assertThat(node.acceptor.flushLsn()).isEqualTo(end);
            assertThat(node.log(START, end)).isEqualTo(expected);
        }
    }
}
