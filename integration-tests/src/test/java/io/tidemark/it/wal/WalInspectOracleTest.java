package io.tidemark.it.wal;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.tidemark.cli.wal.SegmentFiles;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.PageImage;
import io.tidemark.wire.wal.WalRecord;
import io.tidemark.wire.wal.WalRecordReader;
import io.tidemark.wire.wal.WalRecordScanner;
import io.tidemark.wire.wal.WalSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Servers of every version judge our reading of their WAL: record by record through pg_walinspect where it exists, page by
 * page where it or pageinspect shows what an image should become, and by CRCs and back links from the first byte to the last.
 */
class WalInspectOracleTest {
    private static final int ROWS = 500;
    private static final Path DISTRIBUTION_15 = Path.of("/usr/lib/postgresql/15/bin");

    @Test
    void version14() throws Exception {
        judge(14);
    }

    @Test
    void version17() throws Exception {
        judge(17);
    }

    @Tag("slow")
    @ParameterizedTest
    @ValueSource(ints = {15, 16, 18})
    void otherVersions(int major) throws Exception {
        judge(major);
    }

    /** The distribution's server was built with all three compressions. */
    @Test
    @EnabledIf("hasDistribution15")
    void distribution15() throws Exception {
        judge(PostgresBinaries.at(DISTRIBUTION_15));
    }

    static boolean hasDistribution15() {
        return Files.isExecutable(DISTRIBUTION_15.resolve("initdb"));
    }

    private static void judge(int major) throws Exception {
        judge(PostgresArchives.configured().require(major));
    }

    private static void judge(PostgresBinaries binaries) throws Exception {
        int major = binaries.major();
        try (WalServer server = WalServer.start(binaries)) {
            server.execute("CREATE EXTENSION pageinspect");
            server.runVariedWorkload(ROWS);
            imagesBecomeThePagesThatTheServerHas(server);
            Lsn end = server.flushedEnd();
            theWholeWalHoldsTogether(server, end, major);
            if (major >= 15) {
                server.execute("CREATE EXTENSION pg_walinspect");
                agreesOnEveryRecord(server, end, major);
            }
        }
    }

    private static void agreesOnEveryRecord(WalServer server, Lsn end, int major) throws Exception {
        List<String> ours = server.dump("--json", "--end", end.toString());
        String start = json(ours.get(0)).get("start_lsn").asString();
        String range = "('" + start + "', '" + end + "')";
        String[] columns = {
            "start_lsn",
            "end_lsn",
            "prev_lsn",
            "xid",
            "resource_manager",
            "record_type",
            "record_length",
            "main_data_length",
            "fpi_length"
        };
        List<List<String>> records = server.rows("SELECT " + String.join(", ", columns)
                + " FROM pg_get_wal_records_info" + range + " ORDER BY start_lsn");
        assertThat(ours).hasSizeGreaterThan(20_000).hasSameSizeAs(records);
        for (int i = 0; i < ours.size(); i++) {
            assertThat(fields(json(ours.get(i)), columns)).isEqualTo(records.get(i));
        }
        if (major >= 16) {
            agreesOnEveryBlock(server, ours, range);
            agreesOnEveryImage(server, range, end);
        }
    }

    private static void agreesOnEveryBlock(WalServer server, List<String> ours, String range) throws Exception {
        List<List<String>> blocks = server.rows("SELECT start_lsn, block_id, reltablespace, reldatabase, relfilenode,"
                + " relforknumber, relblocknumber, block_data_length, block_fpi_length,"
                + " array_to_string(block_fpi_info, ',') FROM pg_get_wal_block_info" + range.replace(")", ", false)")
                + " ORDER BY start_lsn, block_id");
        int next = 0;
        for (String line : ours) {
            JsonNode record = json(line);
            for (JsonNode block : record.get("blocks")) {
                List<String> theirs = blocks.get(next++);
                assertThat(theirs.get(0)).isEqualTo(record.get("start_lsn").asString());
                assertThat(fields(
                                block,
                                "block_id",
                                "reltablespace",
                                "reldatabase",
                                "relfilenode",
                                "relforknumber",
                                "relblocknumber",
                                "block_data_length"))
                        .isEqualTo(theirs.subList(1, 8));
                JsonNode length = block.get("block_fpi_length");
                assertThat(length == null ? "0" : length.asString()).isEqualTo(theirs.get(8));
                assertThat(length == null ? null : imageFlags(block)).isEqualTo(theirs.get(9));
            }
        }
        assertThat(next).isEqualTo(blocks.size());
    }

    private static String imageFlags(JsonNode block) {
        String flags = block.get("hole_length").asInt() > 0 ? "HAS_HOLE" : "";
        flags += block.get("apply").asBoolean() ? (flags.isEmpty() ? "" : ",") + "APPLY" : "";
        String compression = block.get("compression").asString();
        return compression.equals("none")
                ? flags
                : flags + ",COMPRESS_" + compression.toUpperCase(java.util.Locale.ROOT);
    }

    /** From 16 on pg_walinspect restores images itself. */
    private static void agreesOnEveryImage(WalServer server, String range, Lsn end) throws Exception {
        Map<String, byte[]> pages = new HashMap<>();
        for (List<String> row : server.rows("SELECT start_lsn || '#' || block_id, encode(block_fpi_data, 'hex')"
                + " FROM pg_get_wal_block_info" + range
                + " WHERE block_fpi_data IS NOT NULL AND (block_fpi_info::text LIKE '%COMPRESS%' OR block_id = 0)")) {
            pages.put(row.get(0), HexFormat.of().parseHex(row.get(1)));
        }
        assertThat(pages).hasSizeGreaterThan(100);
        int compared = 0;
        byte[] page = new byte[PageImage.PAGE_SIZE_BYTES];
        try (SegmentFiles files = SegmentFiles.at(server.walDirectory())) {
            WalRecordReader reader = reader(files, files.start());
            while (reader.position().isBefore(end)) {
                WalRecord record = reader.next();
                assertThat(record).isNotNull();
                for (BlockReference block : record.blocks()) {
                    byte[] expected = pages.get(record.start() + "#" + block.id());
                    if (expected != null) {
                        PageImage image = block.image();
                        assertThat(image).isNotNull();
                        image.restore(page);
                        assertThat(page)
                                .as("%s block %d", record.start(), block.id())
                                .isEqualTo(expected);
                        compared++;
                    }
                }
            }
        }
        assertThat(compared).isEqualTo(pages.size());
    }

    private static WalRecordReader reader(SegmentFiles files, Lsn start) throws Exception {
        Lsn boundary = WalRecordReader.findRecordBoundary(files, files.segmentSizeBytes(), start)
                .orElseThrow();
        return new WalRecordReader(files, 0, files.segmentSizeBytes(), boundary);
    }

    /** Makes each compression that this server was built with write images of full and of nearly empty pages. */
    private static List<String> compressedImages(WalServer server) throws Exception {
        List<String> methods = server
                .rows("SELECT unnest(coalesce(enumvals, '{on}')) FROM pg_settings WHERE name = 'wal_compression'")
                .stream()
                .map(row -> row.get(0))
                .filter(method -> List.of("on", "pglz", "lz4", "zstd").contains(method))
                .toList();
        assertThat(methods).isNotEmpty();
        for (String method : methods) {
            server.execute("SET wal_compression = " + method);
            server.execute("CREATE TABLE image_" + method + " AS SELECT i, repeat('text ', i % 30) || md5(i::text) t"
                    + " FROM generate_series(1, 2000) i");
            for (String kind : List.of("btree (i)", "btree (t)", "hash (i)", "brin (i)")) {
                server.execute("CREATE INDEX ON image_" + method + " USING " + kind);
            }
        }
        server.execute("RESET wal_compression");
        return methods;
    }

    /** An index that was just built is as its images say, but for the LSN and the checksum, which come later. */
    private static void imagesBecomeThePagesThatTheServerHas(WalServer server) throws Exception {
        String start = server.ask("SELECT pg_current_wal_insert_lsn()");
        List<String> methods = compressedImages(server);
        Map<String, String> indexes = new HashMap<>();
        for (List<String> row : server.rows("SELECT pg_relation_filenode(indexrelid), indexrelid::regclass"
                + " FROM pg_index i JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = relam"
                + " WHERE indrelid::regclass::text LIKE 'image_%' AND amname = 'btree'")) {
            indexes.put(row.get(0), row.get(1));
        }
        assertThat(indexes).hasSize(2 * methods.size());
        Lsn end = server.flushedEnd();
        Map<PageImage.Compression, Integer> compressions = new EnumMap<>(PageImage.Compression.class);
        Map<String, byte[]> images = lastImages(server, indexes, Lsn.parse(start), end, compressions);
        compressions.remove(PageImage.Compression.NONE); // a page that would not get smaller is left as it is
        assertThat(compressions).hasSize((int) methods.stream()
                .map(method -> method.equals("on") ? "pglz" : method)
                .distinct()
                .count());
        assertThat(compressions.values()).allMatch(count -> count > 10);
        for (Map.Entry<String, byte[]> image : images.entrySet()) {
            String[] place = image.getKey().split("#", 2);
            byte[] actual = HexFormat.of()
                    .parseHex(server.ask("SELECT encode(get_raw_page('" + place[0] + "', " + place[1] + "), 'hex')"));
            // What a page has between its line pointers and its tuples is no content, and an image leaves it out.
            int lower = ByteBuffer.wrap(actual).order(ByteOrder.LITTLE_ENDIAN).getShort(12);
            int upper = ByteBuffer.wrap(actual).order(ByteOrder.LITTLE_ENDIAN).getShort(14);
            Arrays.fill(actual, lower, upper, (byte) 0);
            assertThat(HexFormat.of().formatHex(image.getValue(), 10, 8192))
                    .as(image.getKey())
                    .isEqualTo(HexFormat.of().formatHex(actual, 10, 8192));
        }
    }

    private static Map<String, byte[]> lastImages(
            WalServer server,
            Map<String, String> indexes,
            Lsn start,
            Lsn end,
            Map<PageImage.Compression, Integer> compressions)
            throws Exception {
        Map<String, byte[]> images = new HashMap<>();
        try (SegmentFiles files = SegmentFiles.at(server.walDirectory())) {
            WalRecordReader reader = reader(files, start);
            while (reader.position().isBefore(end)) {
                WalRecord record = reader.next();
                assertThat(record).isNotNull();
                for (BlockReference block : record.blocks()) {
                    String index = indexes.get(Integer.toUnsignedString(block.relation()));
                    PageImage image = block.image();
                    if (index != null && image != null) {
                        compressions.merge(image.compression(), 1, Integer::sum);
                        byte[] page = new byte[PageImage.PAGE_SIZE_BYTES];
                        image.restore(page);
                        images.put(index + "#" + block.block(), page);
                    }
                }
            }
        }
        return images;
    }

    /** CRCs and back links from the first record to the last; reader and scanner agree on every record's end. */
    private static void theWholeWalHoldsTogether(WalServer server, Lsn end, int major) throws Exception {
        try (SegmentFiles files = SegmentFiles.at(server.walDirectory())) {
            WalRecordReader reader = reader(files, files.start());
            WalRecordScanner scanner = WalRecordScanner.startingAt(files.start(), major, files.segmentSizeBytes());
            int records = 0;
            while (reader.position().isBefore(end)) {
                assertThat(reader.next()).isNotNull();
                feedTo(scanner, files, reader.position());
                assertThat(scanner.lastRecordEnd()).isEqualTo(reader.position());
                records++;
            }
            assertThat(reader.pgMajor()).isEqualTo(major);
            assertThat(records).isGreaterThan(20_000);
        }
    }

    private static void feedTo(WalRecordScanner scanner, WalSource files, Lsn end) throws Exception {
        byte[] bytes = new byte[8192];
        while (scanner.position().isBefore(end)) {
            int n = files.read(
                    scanner.position(), bytes, 0, (int) Math.min(bytes.length, end.minus(scanner.position())));
            assertThat(n).isPositive();
            scanner.feed(Unpooled.wrappedBuffer(bytes, 0, n));
        }
    }

    private static List<String> fields(JsonNode node, String... names) {
        return Arrays.stream(names).map(name -> node.get(name).asString()).toList();
    }

    private static JsonNode json(String line) {
        return JsonMapper.shared().readTree(line);
    }
}
