package io.tidemark.safekeeper.timeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import org.junit.jupiter.api.Test;

class TombstonesTest {
    private static final TenantTimelineId TTID = new TenantTimelineId(new TenantId(0, 1), new TimelineId(0, 2));
    private static final long LIFE = Tombstones.LIFE.toNanos();

    private final Tombstones tombstones = new Tombstones();

    @Test
    void aDeletedTimelineIsNotMadeAgainAtAnyGeneration() {
        tombstones.deleted(TTID, 0);
        assertThat(tombstones.forbids(TTID, 0, 1)).isTrue();
        assertThat(tombstones.forbids(TTID, 0xFFFF_FFFFL, 1)).isTrue();
    }

    @Test
    void anExcludedTimelineIsMadeAgainOnlyAtAHigherGeneration() {
        tombstones.excluded(TTID, 5, 0);
        assertThat(tombstones.forbids(TTID, 0, 1)).isTrue();
        assertThat(tombstones.forbids(TTID, 5, 1)).isTrue();
        assertThat(tombstones.forbids(TTID, 6, 1)).isFalse();
    }

    @Test
    void exclusionDoesNotWeakenADeletion() {
        tombstones.deleted(TTID, 0);
        tombstones.excluded(TTID, 5, 1);
        assertThat(tombstones.forbids(TTID, 6, 2)).isTrue();
    }

    @Test
    void tombstonesFallAfterADay() {
        tombstones.deleted(TTID, 0);
        assertThat(tombstones.forbids(TTID, 0, LIFE - 1)).isTrue();
        assertThat(tombstones.forbids(TTID, 0, LIFE)).isFalse();
    }

    @Test
    void theOldestGoWhenThereAreTooMany() {
        tombstones.deleted(TTID, 0);
        for (int i = 0; i < Tombstones.MAX_COUNT; i++) {
            tombstones.deleted(new TenantTimelineId(new TenantId(1, i), new TimelineId(0, 0)), 1);
        }
        assertThat(tombstones.forbids(TTID, 0, 2)).isFalse();
    }
}
