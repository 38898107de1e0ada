package io.tidemark.safekeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.wal.WalStreamWriter;
import io.tidemark.wire.walpush.WalPushVersion;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class HttpApiTest {
    private static final TenantTimelineId TTID = TestSafekeeper.ttid(1);
    private static final String PATH = TestSafekeeper.path(TTID);
    private static final Lsn START = Lsn.parse("0/1000028");

    @TempDir
    private Path directory;

    private TestSafekeeper safekeeper;

    @BeforeEach
    void start() throws Exception {
        safekeeper = new TestSafekeeper(directory);
    }

    @AfterEach
    void stop() {
        safekeeper.close();
    }

    private static String configuration(long generation, long... ids) {
        StringBuilder members = new StringBuilder();
        for (long id : ids) {
            members.append(members.isEmpty() ? "" : ",")
                    .append("{\"id\":" + id + ",\"host\":\"sk" + id + "\",\"pg_port\":5454}");
        }
        return "{\"generation\":" + generation + ",\"members\":[" + members + "],\"new_members\":null}";
    }

    private static String creation(TenantTimelineId ttid, long generation) {
        return "{\"tenant_id\":\"" + ttid.tenantId() + "\",\"timeline_id\":\"" + ttid.timelineId() + "\",\"mconf\":"
                + configuration(generation, 1, 2, 3) + ",\"pg_version\":150019,\"start_lsn\":\"" + START + "\"}";
    }

    private static String creation() {
        return creation(TTID, 1);
    }

    @Test
    void createdTimelineHasTheStatusOfTheSpecification() throws Exception {
        assertThat(safekeeper
                        .http(200, "POST", "/v1/tenant/timeline", creation())
                        .isNull())
                .isTrue();
        assertThat(safekeeper
                        .http(200, "POST", "/v1/tenant/timeline", creation())
                        .isNull())
                .isTrue();

        JsonNode status = safekeeper.http(200, "GET", PATH, "");
        assertThat(status.toString())
                .isEqualTo(
                        "{\"tenant_id\":\"" + TTID.tenantId() + "\",\"timeline_id\":\"" + TTID.timelineId() + "\","
                                + "\"mconf\":" + configuration(1, 1, 2, 3) + ","
                                + "\"acceptor_state\":{\"term\":0,\"epoch\":0,\"term_history\":[{\"term\":0,\"lsn\":\"0/1000028\"}]},"
                                + "\"pg_info\":{\"pg_version\":150019,\"system_id\":0,\"wal_seg_size\":16777216},"
                                + "\"flush_lsn\":\"0/1000028\",\"timeline_start_lsn\":\"0/1000028\","
                                + "\"local_start_lsn\":\"0/1000028\",\"commit_lsn\":\"0/1000028\","
                                + "\"backup_lsn\":\"0/1000028\",\"peer_horizon_lsn\":\"0/1000028\","
                                + "\"remote_consistent_lsn\":\"0/1000028\",\"peers\":[],\"walsenders\":[],\"walreceivers\":[]}");
        assertThat(safekeeper.http(200, "GET", "/v1/tenant/timeline", "").toString())
                .isEqualTo(
                        "[{\"tenant_id\":\"" + TTID.tenantId() + "\",\"timeline_id\":\"" + TTID.timelineId() + "\"}]");
        assertThat(safekeeper.http(200, "GET", "/v1/utilization", "").toString())
                .isEqualTo("{\"timeline_count\":1}");
        assertThat(safekeeper.http(200, "GET", "/v1/status", "").toString()).isEqualTo("{\"id\":1}");
        safekeeper.restart();
        assertThat(safekeeper.http(200, "GET", PATH, "")).isEqualTo(status);
    }

    @Test
    void readersAndProposersAreInTheStatus() throws Exception {
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            proposer.greet();
            assertThat(safekeeper
                            .http(200, "GET", PATH, "")
                            .get("walreceivers")
                            .get(0)
                            .get("status")
                            .stringValue())
                    .isEqualTo("Voting");
            try (TestReader reader = TestReader.start(safekeeper, TTID, "replica", START, "")) {
                reader.awaitKeepalives(1);
                JsonNode sender = safekeeper
                        .http(200, "GET", PATH, "")
                        .get("walsenders")
                        .get(0)
                        .get("Vanilla");
                assertThat(sender.get("appname").stringValue()).isEqualTo("replica");
                assertThat(sender.get("ttid").get("tenant_id").stringValue())
                        .isEqualTo(TTID.tenantId().toString());
                assertThat(sender.get("feedback").get("Pageserver").isObject()).isTrue();
                assertThat(sender.get("conn_id").isIntegralNumber()).isTrue();
                assertThat(sender.get("addr").stringValue()).startsWith("127.0.0.1:");
            }
        }
    }

    @Test
    void impossibleCreationsAreRefused() throws Exception {
        safekeeper.http(400, "POST", "/v1/tenant/timeline", "");
        safekeeper.http(400, "POST", "/v1/tenant/timeline", "[]");
        safekeeper.http(400, "POST", "/v1/tenant/timeline", "{\"tenant_id\":");
        safekeeper.http(400, "POST", "/v1/tenant/timeline", creation().replace("150019", "\"15\""));
        safekeeper.http(400, "POST", "/v1/tenant/timeline", creation().replace("0/1000028", "nowhere"));
        safekeeper.http(400, "POST", "/v1/tenant/timeline", creation().replace("\"id\":2", "\"id\":1"));
        safekeeper.http(500, "POST", "/v1/tenant/timeline", creation().replace("150019", "130000"));
        safekeeper.http(
                500,
                "POST",
                "/v1/tenant/timeline",
                creation().replace("\"start_lsn\"", "\"commit_lsn\":\"0/1\",\"start_lsn\""));
        safekeeper.http(
                500,
                "POST",
                "/v1/tenant/timeline",
                creation().replace("\"start_lsn\"", "\"wal_seg_size\":1000,\"start_lsn\""));
        assertThat(safekeeper.http(200, "GET", "/v1/tenant/timeline", "").size())
                .isZero();
    }

    @Test
    void deletionRemovesFilesAndLeavesATombstone() throws Exception {
        safekeeper.http(200, "POST", "/v1/tenant/timeline", creation());
        assertThat(Files.isDirectory(safekeeper.directoryOf(TTID))).isTrue();
        assertThat(safekeeper.http(200, "DELETE", PATH + "?only_local=true", "").toString())
                .isEqualTo("{\"dir_existed\":true}");
        assertThat(Files.exists(safekeeper.directoryOf(TTID))).isFalse();
        assertThat(safekeeper.http(200, "DELETE", PATH, "").toString()).isEqualTo("{\"dir_existed\":false}");
        assertThat(safekeeper.http(404, "GET", PATH, "").get("msg").stringValue())
                .contains("deleted");
        assertThat(safekeeper
                        .http(500, "POST", "/v1/tenant/timeline", creation())
                        .get("msg")
                        .stringValue())
                .contains("deleted");
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            proposer.send(proposer.greeting());
            assertThat(TestSafekeeper.await(proposer.end()).toString()).contains("deleted");
        }
    }

    @Test
    void membershipGoesUpOnly() throws Exception {
        safekeeper.http(200, "POST", "/v1/tenant/timeline", creation());
        JsonNode switched = safekeeper.http(200, "PUT", PATH + "/membership", configuration(3, 1, 2, 4));
        assertThat(switched.toString())
                .isEqualTo("{\"previous_conf\":" + configuration(1, 1, 2, 3) + ",\"current_conf\":"
                        + configuration(3, 1, 2, 4) + ",\"last_log_term\":0,\"flush_lsn\":\"0/1000028\"}");
        safekeeper.http(200, "PUT", PATH + "/membership", configuration(3, 1, 2, 4));
        safekeeper.http(409, "PUT", PATH + "/membership", configuration(2, 1, 2, 4));
        safekeeper.http(403, "PUT", PATH + "/membership", configuration(4, 2, 3, 4));
        safekeeper.http(403, "PUT", PATH + "/exclude", configuration(4, 1, 3, 4));
        safekeeper.http(409, "PUT", PATH + "/exclude", configuration(2, 2, 3, 4));
        safekeeper.http(200, "GET", PATH, "");
        assertThat(safekeeper
                        .http(200, "PUT", PATH + "/exclude", configuration(4, 2, 3, 4))
                        .toString())
                .isEqualTo("{\"dir_existed\":true}");
        safekeeper.http(404, "GET", PATH, "");
        // Only a membership of a later generation brings it back.
        safekeeper.http(500, "POST", "/v1/tenant/timeline", creation(TTID, 4));
        safekeeper.http(200, "POST", "/v1/tenant/timeline", creation(TTID, 5));
    }

    @Test
    void theTermGoesUpOnly() throws Exception {
        safekeeper.http(200, "POST", "/v1/tenant/timeline", creation());
        assertThat(safekeeper
                        .http(200, "POST", PATH + "/term_bump", "{\"term\":null}")
                        .toString())
                .isEqualTo("{\"previous_term\":0,\"current_term\":1}");
        assertThat(safekeeper
                        .http(200, "POST", PATH + "/term_bump", "{\"term\":7}")
                        .toString())
                .isEqualTo("{\"previous_term\":1,\"current_term\":7}");
        assertThat(safekeeper
                        .http(200, "POST", PATH + "/term_bump", "{\"term\":3}")
                        .toString())
                .isEqualTo("{\"previous_term\":7,\"current_term\":7}");
        safekeeper.http(400, "POST", PATH + "/term_bump", "{\"term\":-1}");
        safekeeper.http(400, "POST", PATH + "/term_bump", "{\"term\":18446744073709551616}");
        assertThat(safekeeper
                        .http(200, "POST", PATH + "/term_bump", "{\"term\":18446744073709551615}")
                        .toString())
                .isEqualTo("{\"previous_term\":7,\"current_term\":18446744073709551615}");
    }

    @Test
    void digestIsOfTheWalInTheRange() throws Exception {
        WalStreamWriter writer =
                new WalStreamWriter(15, TestProposer.SYSTEM_ID, TestProposer.SEGMENT_BYTES, START, Lsn.INVALID);
        for (int i = 0; i < 500; i++) {
            writer.append(10, 0, 1, new byte[1000]);
        }
        ByteBuf wal = writer.drain();
        byte[] bytes = ByteBufUtil.getBytes(wal);
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            proposer.elect(START);
            for (int at = 0; at < bytes.length; at += 100_000) {
                proposer.append(
                        START.plus(at), wal.retainedSlice(at, Math.min(100_000, bytes.length - at)), Lsn.INVALID);
            }
            wal.release();
            proposer.awaitFlushed(writer.position());
        }
        String query = "?from_lsn=" + START + "&until_lsn=" + writer.position();
        String expected =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        assertThat(safekeeper.http(200, "GET", PATH + "/digest" + query, "").toString())
                .isEqualTo("{\"sha256\":\"" + expected + "\"}");
        safekeeper.http(400, "GET", PATH + "/digest?from_lsn=" + START + "&until_lsn=1/0", "");
        safekeeper.http(400, "GET", PATH + "/digest?from_lsn=" + START, "");
    }

    @Test
    void checkpointDumpConfigMetricsAndHealthAnswer() throws Exception {
        safekeeper.http(200, "POST", "/v1/tenant/timeline", creation());
        assertThat(safekeeper.http(200, "POST", PATH + "/checkpoint", "").isNull())
                .isTrue();
        JsonNode dump = safekeeper.http(200, "GET", "/v1/debug_dump?dump_all=true", "");
        assertThat(dump.get("timelines_count").intValue()).isEqualTo(1);
        assertThat(dump.get("timelines")
                        .get(0)
                        .get("control_file")
                        .get("commit_lsn")
                        .stringValue())
                .isEqualTo("0/1000028");
        assertThat(dump.get("timelines").get(0).get("memory").get("flush_lsn").stringValue())
                .isEqualTo("0/1000028");
        safekeeper.http(400, "GET", "/v1/debug_dump?dump_everything=true", "");
        safekeeper.http(400, "GET", "/v1/debug_dump?dump_all=perhaps", "");
        assertThat(safekeeper.http(200, "GET", "/v1/config", "").get("id").stringValue())
                .isEqualTo("1");
        assertThat(safekeeper.http(200, "GET", "/health", "").get("status").stringValue())
                .isEqualTo("ready");
        assertThat(safekeeper
                        .http(200, "GET", "/v1/debug/filesystem_usage", "")
                        .get("capacity_bytes")
                        .longValue())
                .isPositive();
        HttpResponse<String> metrics = safekeeper.request("GET", "/metrics", "");
        assertThat(metrics.headers().firstValue("content-type").orElse("")).startsWith("text/plain");
        assertThat(metrics.body()).contains("safekeeper_timelines 1.0").contains("safekeeper_flush_wal_seconds");
    }

    @Test
    void unknownPathsMethodsAndIdsAreNamed() throws Exception {
        safekeeper.http(404, "GET", "/v2/status", "");
        safekeeper.http(404, "GET", PATH, "");
        safekeeper.http(405, "DELETE", "/v1/status", "");
        safekeeper.http(400, "GET", "/v1/tenant/xyz/timeline/" + TTID.timelineId(), "");
        HttpResponse<String> response = safekeeper.request("GET", "/nothing", "");
        assertThat(response.headers().firstValue("x-request-id")).isPresent();
    }

    @Test
    void aBodyThatIsTooLongIsRefused() throws Exception {
        assertThat(safekeeper
                        .request("POST", "/v1/tenant/timeline", " ".repeat(2 * 1024 * 1024))
                        .statusCode())
                .isEqualTo(413);
    }
}
