package io.tidemark.pageserver.receiver;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.pageserver.receiver.SafekeeperChoice.Candidate;
import io.tidemark.pageserver.receiver.SafekeeperChoice.Reason;
import io.tidemark.pageserver.receiver.SafekeeperChoice.Switch;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.wire.id.Lsn;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class SafekeeperChoiceTest {
    private static final long MAX_LAG = 1000;
    private static final HostPort A = new HostPort("a", 1);
    private static final HostPort B = new HostPort("b", 1);

    private static Candidate at(HostPort address, long commitLsn) {
        return new Candidate(address, Lsn.of(commitLsn));
    }

    @Test
    void theOneThatIsFarthestIsTheBest() {
        assertThat(SafekeeperChoice.best(List.of(at(A, 5), at(B, 9)))).contains(at(B, 9));
        assertThat(SafekeeperChoice.best(List.of())).isEmpty();
    }

    @Test
    void oneThatSendsWalIsKeptThoughAnotherHasMore() {
        assertThat(SafekeeperChoice.judge(Lsn.of(100), true, List.of(at(B, 1099)), MAX_LAG))
                .isEmpty();
    }

    @Test
    void oneThatIsFarBehindIsLeftThoughItSends() {
        assertThat(SafekeeperChoice.judge(Lsn.of(100), true, List.of(at(B, 1100)), MAX_LAG))
                .contains(new Switch(B, Reason.FAR_BEHIND));
    }

    @Test
    void oneThatSendsNothingIsLeftWhenAnotherHasMore() {
        assertThat(SafekeeperChoice.judge(Lsn.of(100), false, List.of(at(B, 101)), MAX_LAG))
                .contains(new Switch(B, Reason.NO_WAL));
        assertThat(SafekeeperChoice.judge(Lsn.of(100), false, List.of(at(B, 100)), MAX_LAG))
                .isEmpty();
        assertThat(SafekeeperChoice.judge(Lsn.of(100), false, List.of(), MAX_LAG))
                .isEmpty();
    }

    @Test
    void eachFailureMakesThePauseLongerUpToALimit() {
        WalReceiverConfig config = WalReceiverConfig.DEFAULT;
        assertThat(config.backoff(1)).isEqualTo(Duration.ofMillis(100));
        assertThat(config.backoff(2)).isEqualTo(Duration.ofMillis(150));
        assertThat(config.backoff(1000)).isEqualTo(Duration.ofSeconds(15));
    }
}
