package io.tidemark.cli.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.wire.id.Lsn;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BranchTimeTest {
    private static final Instant NOW = Instant.parse("2026-03-01T00:00:10Z");

    private static Instant moment(String text) {
        return ((BranchTime.AtMoment) BranchTime.parse(text, NOW)).moment();
    }

    @Test
    void allFormsAreRead() {
        assertThat(BranchTime.parse("head", NOW)).isEqualTo(new BranchTime.Head());
        assertThat(BranchTime.parse("0/16b3748", NOW)).isEqualTo(new BranchTime.AtLsn(Lsn.parse("0/16B3748")));
        assertThat(BranchTime.parse("point:0/16B3748", NOW)).isEqualTo(new BranchTime.AtPoint("0/16B3748"));
        assertThat(BranchTime.parse("point:before the change", NOW))
                .isEqualTo(new BranchTime.AtPoint("before the change"));
        assertThat(moment("2026-02-28T23:59:00Z")).isEqualTo(Instant.parse("2026-02-28T23:59:00Z"));
        assertThat(moment("2026-02-28T23:59:00+02:00")).isEqualTo(Instant.parse("2026-02-28T21:59:00Z"));
        // As PostgreSQL prints it.
        assertThat(moment("2026-02-28 23:59:00.123456+01")).isEqualTo(Instant.parse("2026-02-28T22:59:00.123456Z"));
        assertThat(moment("2026-02-28 23:59:00-03")).isEqualTo(Instant.parse("2026-03-01T02:59:00Z"));
        assertThat(moment("2026-02-28 12:00:00"))
                .isEqualTo(LocalDateTime.parse("2026-02-28T12:00:00")
                        .atZone(ZoneId.systemDefault())
                        .toInstant());
        assertThat(moment("-20s")).isEqualTo(Instant.parse("2026-02-28T23:59:50Z"));
        assertThat(moment("-2h")).isEqualTo(Instant.parse("2026-02-28T22:00:10Z"));
        assertThat(moment("-1d")).isEqualTo(Instant.parse("2026-02-28T00:00:10Z"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "yesterday",
                "0/",
                "2026-02-30T00:00:00Z",
                "-5",
                "5m",
                "-5y",
                "0/123456789",
                "point:",
                "before"
            })
    void anythingElseIsRefusedWithTheForms(String text) {
        assertThatThrownBy(() -> BranchTime.parse(text, NOW))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("neither an LSN (0/16B3748) nor a time");
    }
}
