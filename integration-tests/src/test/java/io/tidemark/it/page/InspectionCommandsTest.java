package io.tidemark.it.page;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.it.CommandRun;
import io.tidemark.pageserver.PageserverConfig;
import io.tidemark.pageserver.PageserverServer;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code tidemark timeline}, {@code page}, {@code keys} and {@code layer} against a pageserver that has one cluster twice: before and after
 * an UPDATE.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(240)
class InspectionCommandsTest {
    private static final String TENANT = "a".repeat(32);
    private static final String BEFORE = "b".repeat(32);
    private static final String AFTER = "c".repeat(32);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private Path scratch = Path.of("unset");
    private PageserverServer pageserver;
    private String changed = "";
    private String unchanged = "";
    private byte[] pageBefore = new byte[0];
    private byte[] pageAfter = new byte[0];

    @BeforeAll
    void makeTwoTimelines() throws Exception {
        scratch = ServerUser.current().scratchDirectory("tidemark-inspect-");
        HostPort any = new HostPort("127.0.0.1", 0);
        pageserver = PageserverServer.start(
                PageserverConfig.of(scratch.resolve("ps"), List.of()).listeningOn(any, any));
        try (PostgresServer postgres = PostgresServer.create(
                PostgresArchives.configured().require(17),
                ServerUser.current(),
                scratch.resolve("pg"),
                InitDbOptions.defaults())) {
            postgres.start();
            execute(postgres, "CREATE TABLE changed AS SELECT i, 'text ' || i AS text FROM generate_series(1, 50) i");
            execute(postgres, "CREATE TABLE unchanged AS SELECT generate_series(1, 50) AS i");
            execute(postgres, "VACUUM (FREEZE) unchanged");
            changed = relation(postgres, "changed");
            unchanged = relation(postgres, "unchanged");
            pageBefore = create(postgres, BEFORE);
            postgres.start();
            execute(postgres, "UPDATE changed SET text = 'new' WHERE i = 7");
            pageAfter = create(postgres, AFTER);
        }
    }

    /** Stops PostgreSQL and makes a timeline of its files; answers the first page of the table that changes. */
    private byte[] create(PostgresServer postgres, String timeline) throws Exception {
        postgres.stop(PostgresServer.Shutdown.FAST, PATIENCE);
        CommandRun made = http(
                "timeline create",
                timeline,
                "--from-data-dir",
                postgres.dataDir().toString());
        assertThat(made.exitCode()).as(made.toString()).isZero();
        assertThat(made.out()).contains("timeline " + TENANT + "/" + timeline + " is made; it can be read from ");
        byte[] file = Files.readAllBytes(postgres.dataDir().resolve(changed.replace("1663/", "base/")));
        return Arrays.copyOf(file, 8192);
    }

    @AfterAll
    void stop() throws Exception {
        pageserver.close();
        try (Stream<Path> paths = Files.walk(scratch)) {
            paths.sorted(Comparator.reverseOrder())
                    .forEach(path -> path.toFile().delete());
        }
    }

    private static void execute(PostgresServer server, String sql) throws Exception {
        try (Connection connection = DriverManager.getConnection(server.jdbcUrl("postgres"), "postgres", "");
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String relation(PostgresServer server, String table) throws Exception {
        try (Connection connection = DriverManager.getConnection(server.jdbcUrl("postgres"), "postgres", "");
                var statement = connection.createStatement();
                ResultSet path = statement.executeQuery("SELECT pg_relation_filepath('" + table + "')")) {
            path.next();
            return path.getString(1).replace("base/", "1663/");
        }
    }

    private CommandRun http(String command, String timeline, String... further) {
        return run(
                command,
                Stream.concat(
                                Stream.of(
                                        "--pageserver-http",
                                        "127.0.0.1:" + pageserver.httpAddress().getPort(),
                                        "--tenant-id",
                                        TENANT,
                                        "--timeline-id",
                                        timeline),
                                Stream.of(further))
                        .toList());
    }

    private CommandRun page(String command, String timeline, String relation, String... further) {
        return run(
                command,
                Stream.concat(
                                Stream.of(
                                        "--pageserver",
                                        "127.0.0.1:" + pageserver.pgAddress().getPort(),
                                        "--tenant-id",
                                        TENANT,
                                        "--timeline-id",
                                        timeline,
                                        "--rel",
                                        relation,
                                        "--block",
                                        "0"),
                                Stream.of(further))
                        .toList());
    }

    private static CommandRun run(String command, List<String> arguments) {
        List<String> whole = new ArrayList<>(List.of(command.split(" ", -1)));
        whole.addAll(arguments);
        return CommandRun.of(whole.toArray(String[]::new));
    }

    private static JsonNode json(CommandRun answer) {
        assertThat(answer.exitCode()).as(answer.toString()).isZero();
        return JsonMapper.shared().readTree(answer.out());
    }

    @Test
    void timelinesAreListedAndDescribed() {
        String http = "127.0.0.1:" + pageserver.httpAddress().getPort();
        CommandRun table = CommandRun.of("timeline", "list", "--pageserver-http", http);
        assertThat(table.exitCode()).as(table.toString()).isZero();
        assertThat(table.out().lines().toList()).hasSizeGreaterThanOrEqualTo(3);
        assertThat(table.out())
                .startsWith("TENANT_ID")
                .contains(BEFORE)
                .contains(AFTER)
                .contains("Active");
        JsonNode all =
                json(CommandRun.of("timeline", "list", "--pageserver-http", http, "--tenant-id", TENANT, "--json"));
        assertThat(all.get(0).get("timeline_id").asString()).isEqualTo(BEFORE);
        assertThat(json(CommandRun.of(
                                "timeline", "list", "--pageserver-http", http, "--tenant-id", "0".repeat(32), "--json"))
                        .size())
                .isZero();

        CommandRun info = http("timeline info", AFTER);
        assertThat(info.exitCode()).as(info.toString()).isZero();
        assertThat(info.out()).containsPattern("pg_version +17").contains("no safekeepers are configured");
        assertThat(json(http("timeline info", AFTER, "--json"))
                        .get("last_record_lsn")
                        .asString())
                .isEqualTo(timeline(AFTER).lastRecordLsn().toString());
        CommandRun missing = http("timeline info", "d".repeat(32));
        assertThat(missing.exitCode()).isEqualTo(1);
        assertThat(missing.err()).startsWith("tidemark timeline info: ").contains("is not on this pageserver");
    }

    private Timeline timeline(String id) {
        return pageserver.timelines().all().stream()
                .filter(each -> each.metadata().id().timelineId().toString().equals(id))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aTimelineIsBranchedAndDeleted() {
        String branch = "e".repeat(32);
        JsonNode made = json(http("timeline create", branch, "--ancestor-timeline-id", BEFORE, "--json"));
        assertThat(made.get("ancestor_timeline_id").asString()).isEqualTo(BEFORE);
        CommandRun same = page("page diff", BEFORE, changed, "--other-timeline-id", branch);
        assertThat(same.exitCode()).as(same.toString()).isZero();
        CommandRun refused = http("timeline delete", BEFORE);
        assertThat(refused.exitCode()).as(refused.toString()).isEqualTo(1);
        CommandRun deleted = http("timeline delete", branch);
        assertThat(deleted.exitCode()).as(deleted.toString()).isZero();
        assertThat(http("timeline delete", branch).exitCode()).isEqualTo(1);
    }

    @Test
    void aPageIsShownInEveryForm() {
        JsonNode page = json(page("page get", BEFORE, changed, "--json"));
        assertThat(page.get("hex").asString()).isEqualTo(HexFormat.of().formatHex(pageBefore));
        assertThat(page.get("kind").asString()).isEqualTo("heap");
        assertThat(json(page("page get", AFTER, changed, "--json")).get("hex").asString())
                .isEqualTo(HexFormat.of().formatHex(pageAfter));

        CommandRun fields = page("page get", BEFORE, changed);
        assertThat(fields.exitCode()).as(fields.toString()).isZero();
        assertThat(fields.out())
                .startsWith("relation " + changed + " block 0: heap")
                .contains("header: pd_lsn ")
                .contains("line pointer 50: lp normal at ")
                .contains("tuple 50: t_ctid (0,50)")
                .doesNotContain("tuple 51");

        CommandRun hex = page("page get", BEFORE, changed, "--hex");
        assertThat(bytesOf(hex.out())).isEqualTo(pageBefore);

        String at = timeline(BEFORE).lastRecordLsn().toString();
        assertThat(json(page("page get", BEFORE, changed, "--at", at, "--json"))
                        .get("hex")
                        .asString())
                .isEqualTo(HexFormat.of().formatHex(pageBefore));
        assertThat(page("page get", BEFORE, unchanged + ".vm", "--fields").exitCode())
                .isZero();
    }

    /** What a dump like hexdump's says, with lines that repeat. */
    private static byte[] bytesOf(String dump) {
        byte[] page = new byte[8192];
        byte[] last = new byte[16];
        boolean repeating = false;
        int next = 0;
        for (String line : dump.lines().toList()) {
            if (line.equals("*")) {
                repeating = true;
                continue;
            }
            int offset = HexFormat.fromHexDigits(line, 0, 8);
            while (repeating && next < offset) {
                System.arraycopy(last, 0, page, next, 16);
                next += 16;
            }
            assertThat(offset).isEqualTo(next);
            if (offset == page.length) {
                return page;
            }
            repeating = false;
            last = HexFormat.ofDelimiter(" ").parseHex(line, 10, 57);
            System.arraycopy(last, 0, page, offset, 16);
            next = offset + 16;
        }
        throw new AssertionError("the dump has no end: " + dump);
    }

    @Test
    void differencesAreTold() {
        CommandRun different = page("page diff", BEFORE, changed, "--other-timeline-id", AFTER);
        assertThat(different.exitCode()).as(different.toString()).isEqualTo(1);
        assertThat(different.out())
                .contains("tuple 7: t_xmax 0, have ")
                .contains("tuple 7: t_ctid (0,7), have (0,51)")
                .contains("line pointer 51: none, have normal at ");
        CommandRun asJson = page("page diff", BEFORE, changed, "--other-timeline-id", AFTER, "--json");
        assertThat(asJson.exitCode()).isEqualTo(1);
        JsonNode json = JsonMapper.shared().readTree(asJson.out());
        assertThat(json.get("equal").asBoolean()).isFalse();
        assertThat(json.get("differences").size()).isGreaterThan(3);

        CommandRun equal = page("page diff", BEFORE, unchanged, "--other-timeline-id", AFTER);
        assertThat(equal.exitCode()).as(equal.toString()).isZero();
        assertThat(equal.out().strip()).isEqualTo("equal");
        CommandRun itself = page("page diff", BEFORE, changed);
        assertThat(itself.exitCode()).isEqualTo(2);
        assertThat(itself.err()).contains("a page is compared with itself");
    }

    @Test
    void keysAreShownAsRanges() {
        CommandRun keys = http("keys", BEFORE);
        assertThat(keys.exitCode()).as(keys.toString()).isZero();
        assertThat(keys.out())
                .contains("FROM")
                .contains("relation " + changed + " block 0")
                .contains("pg_xact");
        String at = timeline(BEFORE).lastRecordLsn().toString();
        JsonNode json = json(http("keys", BEFORE, "--at", at, "--json"));
        assertThat(json.get("at_lsn").asString()).isEqualTo(at);
        assertThat(json.get("keys").size()).isGreaterThan(100);
        CommandRun old = http("keys", BEFORE, "--at", "0/8");
        assertThat(old.exitCode()).isEqualTo(1);
        assertThat(old.err()).contains("can be read from");
    }

    @Test
    void layerFilesAreDumpedAndDamageIsFound() throws Exception {
        timeline(BEFORE).flush();
        CommandRun summary =
                CommandRun.of("layer", "dump", scratch.resolve("ps").toString());
        assertThat(summary.exitCode()).as(summary.toString()).isZero();
        assertThat(summary.out()).contains(" layer ").contains(" versions of ").contains("keys from ");
        CommandRun all = CommandRun.of("layer", "dump", scratch.resolve("ps").toString(), "--versions", "--blocks");
        assertThat(all.exitCode()).isZero();
        assertThat(all.out()).contains("relation " + changed + " block 0 at ").contains("  block 0 at ");
        CommandRun lines = CommandRun.of("layer", "dump", scratch.resolve("ps").toString(), "--json");
        for (String line : lines.out().lines().toList()) {
            assertThat(JsonMapper.shared().readTree(line).get("versions").asLong())
                    .isPositive();
        }

        Path layer = Path.of(JsonMapper.shared()
                .readTree(lines.out().lines().findFirst().orElseThrow())
                .get("layer")
                .asString());
        Path damaged = Files.createDirectory(scratch.resolve("damaged")).resolve(layer.getFileName());
        byte[] bytes = Files.readAllBytes(layer);
        bytes[bytes.length / 2] ^= 1;
        Files.write(damaged, bytes);
        CommandRun found = CommandRun.of("layer", "dump", damaged.toString());
        assertThat(found.exitCode()).as(found.toString()).isEqualTo(1);
        assertThat(found.out()).contains(String.valueOf(layer.getFileName()));
        CommandRun nothing =
                CommandRun.of("layer", "dump", scratch.resolve("pg").toString());
        assertThat(nothing.exitCode()).isEqualTo(1);
        assertThat(nothing.err()).contains("no layer file");
    }

    @Test
    void whatIsNotThereIsOneAndWhatIsWrongIsTwo() {
        CommandRun missing = page("page get", BEFORE, "1663/5/999999");
        assertThat(missing.exitCode()).isEqualTo(1);
        assertThat(missing.err()).startsWith("tidemark page get: ").contains("does not exist");
        CommandRun nobody = CommandRun.of("timeline", "list", "--pageserver-http", "127.0.0.1:1");
        assertThat(nobody.exitCode()).isEqualTo(1);
        assertThat(nobody.err()).contains("no pageserver answers HTTP on 127.0.0.1:1");

        assertThat(page("page get", BEFORE, "16384").exitCode()).isEqualTo(2);
        assertThat(page("page get", BEFORE, changed, "--at", "yesterday").exitCode())
                .isEqualTo(2);
        assertThat(page("page get", BEFORE, changed, "--hex", "--json").exitCode())
                .isEqualTo(2);
        assertThat(page("page get", "xyz", changed).exitCode()).isEqualTo(2);
        assertThat(CommandRun.of("page", "get").exitCode()).isEqualTo(2);
        assertThat(http("timeline create", "f".repeat(32)).exitCode()).isEqualTo(2);
    }
}
