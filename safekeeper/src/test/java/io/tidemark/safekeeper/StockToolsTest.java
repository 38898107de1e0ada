package io.tidemark.safekeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.WalPushVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** Real WAL of a PostgreSQL 15 in a safekeeper, and PostgreSQL's own programs reading it back. */
@EnabledIf("isInstalled")
class StockToolsTest {
    private static final TenantTimelineId TTID = TestSafekeeper.ttid(7);
    private static final Lsn START = Lsn.parse("0/1000028");
    private static final int SEGMENT = TestProposer.SEGMENT_BYTES;

    @TempDir
    private static Path directory;

    private static Path home;
    private static DebianPostgres postgres;
    private static TestSafekeeper safekeeper;
    private static Path primary;
    private static Path standby;
    private static Lsn end;

    static boolean isInstalled() {
        return DebianPostgres.isInstalled();
    }

    @BeforeAll
    static void fill() throws Exception {
        home = Files.createTempDirectory("tm");
        postgres = new DebianPostgres(home);
        primary = postgres.initdb("primary");
        standby = postgres.copy(primary, "standby");
        postgres.start(primary, 5499);
        postgres.sql(5499, "create table t (id int primary key, text text)");
        postgres.sql(5499, "insert into t select i, repeat(md5(i::text), 10) from generate_series(1, 40000) i");
        postgres.sql(5499, "select pg_switch_wal()");
        postgres.sql(5499, "update t set text = 'changed' where id % 10 = 0");
        SystemId systemId = SystemId.parse(postgres.sql(5499, "select system_identifier from pg_control_system()"));
        end = Lsn.parse(postgres.sql(5499, "select pg_current_wal_flush_lsn()"));
        postgres.stop(primary);

        safekeeper = new TestSafekeeper(directory);
        push(systemId);
    }

    private static void push(SystemId systemId) throws Exception {
        byte[] wal = walOf(primary, START, end);
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            proposer.greetingIs(new ProposerGreeting(
                    TTID.tenantId(),
                    TTID.timelineId(),
                    MembershipConfig.NONE,
                    PgVersion.of(150_013),
                    systemId,
                    SEGMENT));
            proposer.elect(START);
            for (int at = 0; at < wal.length; at += 131_072) {
                ByteBuf chunk = Unpooled.wrappedBuffer(wal, at, Math.min(131_072, wal.length - at));
                proposer.append(START.plus(at), chunk, Lsn.INVALID);
            }
            proposer.awaitFlushed(end);
            proposer.append(end, Unpooled.buffer(0), end);
            proposer.awaitFlushed(end);
        }
    }

    /** The bytes of pg_wal in a range. */
    private static byte[] walOf(Path data, Lsn from, Lsn until) throws IOException {
        ByteBuf all = Unpooled.buffer();
        for (Path segment : DebianPostgres.walSegments(data)) {
            all.writeBytes(Files.readAllBytes(segment));
        }
        Lsn first = Lsn.ofSegment(from.segmentNumber(SEGMENT), SEGMENT);
        byte[] bytes = new byte[(int) until.minus(from)];
        all.getBytes((int) from.minus(first), bytes);
        return bytes;
    }

    @AfterAll
    static void stop() throws Exception {
        if (safekeeper != null) {
            safekeeper.close();
        }
        if (home != null) {
            try (var files = Files.walk(home)) {
                for (Path file :
                        files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    private static String conninfo(String applicationName) {
        return "host=127.0.0.1 port=" + safekeeper.server().pgAddress().getPort()
                + " user=nobody application_name=" + applicationName + " options='-c timeline_id="
                + TTID.timelineId() + " tenant_id=" + TTID.tenantId() + "'";
    }

    @Test
    void pgReceivewalGetsEveryByte() throws Exception {
        Path received = Files.createDirectory(home.resolve("received"));
        Files.setOwner(received, Files.getOwner(home));
        postgres.run(
                "pg_receivewal",
                "-d",
                conninfo("pg_receivewal"),
                "-D",
                received.toString(),
                "--slot=any",
                "--no-loop",
                // It ends when it has more than that.
                "--endpos=" + end.plus(-1));
        Lsn at = Lsn.ofSegment(START.segmentNumber(SEGMENT), SEGMENT);
        List<Path> originals = DebianPostgres.walSegments(primary);
        for (Path original : originals) {
            if (at.isAtLeast(end)) {
                break;
            }
            int bytes = (int) Math.min(SEGMENT, end.minus(at));
            Path copy = received.resolve(original.getFileName());
            Path file = Files.exists(copy) ? copy : received.resolve(original.getFileName() + ".partial");
            assertThat(Arrays.copyOf(Files.readAllBytes(file), bytes))
                    .as(file.toString())
                    .isEqualTo(Arrays.copyOf(Files.readAllBytes(original), bytes));
            at = at.plus(SEGMENT);
        }
        assertThat(at.isAtLeast(end)).isTrue();
    }

    @Test
    void aStockStandbyReplaysAllThatIsCommitted() throws Exception {
        postgres.write(standby.resolve("standby.signal"), "");
        String conninfo = conninfo("replica").replace("'", "''");
        postgres.write(
                standby.resolve("postgresql.auto.conf"),
                "primary_conninfo = '" + conninfo + "'\nhot_standby_feedback = on\nwal_receiver_status_interval = 1\n");
        postgres.start(standby, 5498, "hot_standby=on");
        try {
            await().atMost(40, TimeUnit.SECONDS)
                    .until(() -> Lsn.parse(postgres.sql(5498, "select coalesce(pg_last_wal_replay_lsn(), '0/0')"))
                            .isAtLeast(end));
            assertThat(postgres.sql(5498, "select count(*) from t")).isEqualTo("40000");
            assertThat(postgres.sql(5498, "select count(*) from t where text = 'changed'"))
                    .isEqualTo("4000");
            String connections = psql("SHOW connections");
            assertThat(connections).contains("standby").contains("replica");
            await().atMost(10, TimeUnit.SECONDS)
                    .untilAsserted(() -> assertThat(safekeeper
                                    .http(200, "GET", TestSafekeeper.path(TTID), "")
                                    .get("walsenders")
                                    .toString())
                            .contains("\"Standby\"")
                            .contains("\"apply_lsn\":\"" + end + "\""));
        } finally {
            postgres.stop(standby);
        }
    }

    private static String psql(String sql) throws IOException, InterruptedException {
        return postgres.run("psql", "-X", "-d", conninfo("psql") + " dbname=x", "-Atc", sql)
                .strip();
    }

    @Test
    void psqlAsksInPlainWords() throws Exception {
        // The proposer's connection was closed by the proposer; here that may still be on its way.
        await().atMost(40, TimeUnit.SECONDS)
                .untilAsserted(() -> assertThat(psql("SHOW timelines"))
                        .startsWith(TTID.tenantId() + "|" + TTID.timelineId() + "|idle|15.13|")
                        .contains("|1|1|0|"));
        assertThat(psql("SHOW lsns")).contains("|" + end + "|" + end + "|");
        assertThat(psql("show config;")).contains("data-dir|" + directory).contains("no-sync|false");
        assertThat(psql("SHOW connections")).contains("|query|127.0.0.1:").contains("|psql|");
        assertThat(psql("SHOW server_version")).isEqualTo("15.13");
        assertThat(psql("SHOW wal_segment_size")).isEqualTo("16MB");
        assertThat(psql("IDENTIFY_SYSTEM")).endsWith("|1|" + end + "|");
        assertThat(psql("TIMELINE_STATUS")).isEqualTo(end + "|" + end);
    }
}
