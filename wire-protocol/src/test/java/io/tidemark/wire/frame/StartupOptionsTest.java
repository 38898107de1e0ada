package io.tidemark.wire.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StartupOptionsTest {
    private static final String TENANT = "cf0480929707ee75372337efaa5ecf96";
    private static final String TIMELINE = "112ded66422aa5e953e5440fa5427ac4";

    @Test
    void whatRealClientsSend() {
        StartupOptions options = StartupOptions.parse("-c timeline_id=" + TIMELINE + " tenant_id=" + TENANT
                + " protocol={\"type\":\"vanilla\"} availability_zone=eu-1\\ a");
        assertThat(options.findTenantId()).contains(TenantId.parse(TENANT));
        assertThat(options.findTimelineId()).contains(TimelineId.parse(TIMELINE));
        assertThat(options.find("protocol")).contains("{\"type\":\"vanilla\"}");
        assertThat(options.find("availability_zone")).contains("eu-1 a");
        assertThat(options.find("shard_count")).isEmpty();
    }

    @Test
    void oldNamesStillCount() {
        StartupOptions options = StartupOptions.parse("ztenantid=" + TENANT + "\tztimelineid=" + TIMELINE);
        assertThat(options.findTenantId()).contains(TenantId.parse(TENANT));
        assertThat(options.findTimelineId()).contains(TimelineId.parse(TIMELINE));
    }

    @Test
    void tokensAreSplitAtSpacesWithoutABackslashAndAtTheFirstEquals() {
        assertThat(StartupOptions.parse("  a=b=c  -c x=\\\\ y\\ z=1 =v last=\\").values())
                .isEqualTo(Map.of("a", "b=c", "x", "\\", "y z", "1", "", "v", "last", "\\"));
        assertThat(StartupOptions.parse("").values()).isEmpty();
    }

    @Test
    void malformedIdsAreTypedErrors() {
        assertThatThrownBy(() -> StartupOptions.parse("tenant_id=12").findTenantId())
                .isInstanceOf(InvalidMessageException.class);
        assertThatThrownBy(() -> StartupOptions.parse("timeline_id=").findTimelineId())
                .isInstanceOf(InvalidMessageException.class);
    }

    @Test
    void whatWeSendNamesTheTimeline() {
        TenantTimelineId id = new TenantTimelineId(TenantId.parse(TENANT), TimelineId.parse(TIMELINE));
        StartupOptions options = StartupOptions.parse(StartupOptions.naming(id));
        assertThat(options.findTenantId()).contains(id.tenantId());
        assertThat(options.findTimelineId()).contains(id.timelineId());
    }
}
