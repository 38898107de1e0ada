package io.tidemark.safekeeper.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import java.util.List;
import org.junit.jupiter.api.Test;

class EdgeCommandTest {
    @Test
    void readsWhatComputesSend() {
        assertThat(EdgeCommand.parse("START_WAL_PUSH")).isEqualTo(new EdgeCommand.StartWalPush(2, true));
        assertThat(EdgeCommand.parse("START_WAL_PUSH (proto_version '3', allow_timeline_creation 'true')"))
                .isEqualTo(new EdgeCommand.StartWalPush(3, true));
        assertThat(EdgeCommand.parse("START_WAL_PUSH (proto_version '3', allow_timeline_creation 'false')"))
                .isEqualTo(new EdgeCommand.StartWalPush(3, false));
        assertThat(EdgeCommand.parse("START_WAL_PUSH(proto_version 3, unknown_option 'x')"))
                .isEqualTo(new EdgeCommand.StartWalPush(3, true));
        assertThat(EdgeCommand.parse("START_WAL_PUSH (proto_version '9')"))
                .isEqualTo(new EdgeCommand.StartWalPush(9, true));
    }

    @Test
    void readsWhatReadersSend() {
        Lsn lsn = Lsn.parse("0/149FD18");
        for (String text : List.of(
                "START_REPLICATION 0/149FD18",
                "START_REPLICATION PHYSICAL 0/149fd18",
                "START_REPLICATION PHYSICAL 0/149FD18 TIMELINE 1",
                "START_REPLICATION SLOT \"a slot\" PHYSICAL 0/149FD18 TIMELINE 1;",
                "START_REPLICATION SLOT slot1 PHYSICAL 0/149FD18 TIMELINE 1")) {
            assertThat(EdgeCommand.parse(text)).as(text).isEqualTo(new EdgeCommand.StartReplication(lsn, null));
        }
        assertThat(EdgeCommand.parse("START_REPLICATION PHYSICAL 0/149FD18 (term='18446744073709551615')"))
                .isEqualTo(new EdgeCommand.StartReplication(lsn, Term.of(-1)));
    }

    @Test
    void readsWhatToolsAndPeopleSend() {
        assertThat(EdgeCommand.parse("IDENTIFY_SYSTEM")).isEqualTo(new EdgeCommand.IdentifySystem());
        assertThat(EdgeCommand.parse("TIMELINE_STATUS")).isEqualTo(new EdgeCommand.TimelineStatus());
        assertThat(EdgeCommand.parse("show  Timelines ;")).isEqualTo(new EdgeCommand.Show("timelines"));
        assertThat(EdgeCommand.parse("SHOW")).isEqualTo(new EdgeCommand.Show(""));
        assertThat(EdgeCommand.parse("READ_REPLICATION_SLOT \"s\""))
                .isEqualTo(new EdgeCommand.ReadReplicationSlot("s"));
        assertThat(EdgeCommand.parse("CREATE_REPLICATION_SLOT \"s\" TEMPORARY PHYSICAL RESERVE_WAL"))
                .isEqualTo(new EdgeCommand.CreateReplicationSlot("s"));
        assertThat(EdgeCommand.parse("SET datestyle TO 'ISO'")).isEqualTo(new EdgeCommand.SetDateStyle());
        assertThat(EdgeCommand.parse(" ; ")).isEqualTo(new EdgeCommand.Empty());
        assertThat(EdgeCommand.parse("SELECT 1")).isEqualTo(new EdgeCommand.Unknown("SELECT 1"));
        assertThat(EdgeCommand.parse("x".repeat(100_000))).isInstanceOf(EdgeCommand.Unknown.class);
    }

    @Test
    void refusesKnownCommandsWithArgumentsThatCannotBe() {
        for (String text : List.of(
                "START_REPLICATION",
                "START_REPLICATION PHYSICAL nowhere",
                "START_REPLICATION LOGICAL 0/1",
                "START_REPLICATION PHYSICAL 0/1 (term='99999999999999999999')",
                "START_WAL_PUSH proto_version 3",
                "START_WAL_PUSH (proto_version 'three')",
                "START_WAL_PUSH (allow_timeline_creation 'perhaps')",
                "START_WAL_PUSH (=)")) {
            assertThatThrownBy(() -> EdgeCommand.parse(text)).as(text).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
