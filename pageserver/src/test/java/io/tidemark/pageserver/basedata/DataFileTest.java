package io.tidemark.pageserver.basedata;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.rel.SlruKind;
import org.junit.jupiter.api.Test;

class DataFileTest {
    @Test
    void relationsAreFoundByTheirNames() {
        RelTag heap = new RelTag(1663, 5, 16_384, Fork.MAIN);
        assertThat(DataFile.of("base/5/16384")).isEqualTo(new DataFile.RelationSegment(heap, 0));
        assertThat(DataFile.of("base/5/16384.12")).isEqualTo(new DataFile.RelationSegment(heap, 12));
        assertThat(DataFile.of("base/5/16384_vm")).isEqualTo(new DataFile.RelationSegment(heap.withFork(Fork.VM), 0));
        assertThat(DataFile.of("base/5/16384_fsm.1"))
                .isEqualTo(new DataFile.RelationSegment(heap.withFork(Fork.FSM), 1));
        assertThat(DataFile.of("global/1260"))
                .isEqualTo(new DataFile.RelationSegment(new RelTag(1664, 0, 1260, Fork.MAIN), 0));
        assertThat(DataFile.of("base/4294967295/4294967295_init"))
                .isEqualTo(new DataFile.RelationSegment(new RelTag(1663, -1, -1, Fork.INIT), 0));
    }

    @Test
    void theOtherFilesThatStorageKeeps() {
        assertThat(DataFile.of("base/5/pg_filenode.map")).isEqualTo(new DataFile.RelationMap(1663, 5));
        assertThat(DataFile.of("global/pg_filenode.map")).isEqualTo(new DataFile.RelationMap(1664, 0));
        assertThat(DataFile.of("base/5/PG_VERSION")).isEqualTo(new DataFile.DatabaseVersion(1663, 5));
        assertThat(DataFile.of("global/pg_control")).isEqualTo(new DataFile.Control());
        assertThat(DataFile.of("pg_xact/00FF")).isEqualTo(new DataFile.SlruSegment(SlruKind.CLOG, 0xFF));
        assertThat(DataFile.of("pg_multixact/members/14078"))
                .isEqualTo(new DataFile.SlruSegment(SlruKind.MULTIXACT_MEMBERS, 0x14078));
        assertThat(DataFile.of("pg_multixact/offsets/0000"))
                .isEqualTo(new DataFile.SlruSegment(SlruKind.MULTIXACT_OFFSETS, 0));
        assertThat(DataFile.of("pg_twophase/000002DF")).isEqualTo(new DataFile.TwoPhase(0x2DF));
        assertThat(DataFile.of("pg_twophase/00000001000002DF")).isEqualTo(new DataFile.TwoPhase(0x1_0000_02DFL));
        assertThat(DataFile.of("pg_tblspc/16500/PG_17/5/1")).isInstanceOf(DataFile.UserTablespace.class);
    }

    @Test
    void temporaryAndUnknownFilesAreNothing() {
        for (String path : new String[] {
            "base/5/t3_16384",
            "base/5/pg_internal.init",
            "base/5/pg_filenode.map.tmp",
            "base/pgsql_tmp/pgsql_tmp1.0",
            "base/99999999999/1",
            "base/5/99999999999",
            "pg_wal/000000010000000000000001",
            "pg_commit_ts/0000",
            "postgresql.conf",
            "base/5/16384_vm_fsm",
            ""
        }) {
            assertThat(DataFile.of(path)).as(path).isEqualTo(DataFile.OTHER);
        }
    }
}
