package io.tidemark.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.shim.compute.ShimState;
import io.tidemark.shim.compute.ShimStatus;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.shim.proposer.SafekeeperStatus;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.id.TimelineId;
import java.util.List;
import org.junit.jupiter.api.Test;

class StatusTextTest {
    private static final int NARROW_TERMINAL = 80;
    private static final List<Long> IDS = List.of(1L, 2L, 3L);

    private static ShimStatus.Safekeeper safekeeper(int id, long term, String flushLsn, long lagBytes) {
        return new ShimStatus.Safekeeper(
                new SafekeeperAddress("127.0.0.1", id),
                new NodeId(id),
                SafekeeperStatus.Phase.ACTIVE,
                Term.of(term),
                Lsn.parse(flushLsn),
                lagBytes,
                "",
                "");
    }

    private static ShimStatus status(ShimState state, ShimStatus.Safekeeper... safekeepers) {
        Lsn lsn = Lsn.parse("A/14E7BA8");
        TenantTimelineId timeline = new TenantTimelineId(new TenantId(1, 2), new TimelineId(3, 4));
        return new ShimStatus(state, timeline, Term.of(7), lsn, lsn, lsn, 0, 1, List.of(safekeepers), "", null);
    }

    @Test
    void threeSafekeepersFitOnANarrowTerminal() {
        ShimStatus status = status(
                ShimState.STREAMING,
                safekeeper(1, 7, "A/14E7BA8", 0),
                safekeeper(2, 7, "A/14E7BA8", 0),
                safekeeper(3, 7, "A/14E7BA8", 0));
        assertThat(StatusText.of(status, IDS, id -> true))
                .isEqualTo("term 7 | commit_lsn A/14E7BA8 | 1 A/14E7BA8 | 2 A/14E7BA8 | 3 A/14E7BA8")
                .hasSizeLessThan(NARROW_TERMINAL);
    }

    @Test
    void whatIsOutOfTheOrdinaryIsSaid() {
        ShimStatus status = status(
                ShimState.STREAMING,
                safekeeper(1, 7, "A/14E7BA8", 0),
                safekeeper(2, 6, "A/14DAAB8", 53_000),
                safekeeper(3, 7, "A/14DAAB8", 53_000));
        assertThat(StatusText.of(status, IDS, id -> id != 3))
                .isEqualTo("term 7 | commit_lsn A/14E7BA8 | 1 A/14E7BA8 | 2 A/14DAAB8 term 6 lag 51 KiB | 3 stopped");
        assertThat(StatusText.of(status, IDS, id -> id == 1)).startsWith("no quorum, COMMITs wait | term 7");
        assertThat(StatusText.of(status(ShimState.POSTGRES_LOST), IDS, id -> true))
                .startsWith("postgres lost | term 7");
    }
}
