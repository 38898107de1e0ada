package io.tidemark.it.wal;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.shim.postgres.PostgresBinaries;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/** Every record of a varied workload, as {@code tidemark wal dump} and as PostgreSQL 15's pg_waldump print it. */
@EnabledIf("hasPgWaldump")
class PgWaldumpOracleTest {
    private static final Path BIN = Path.of("/usr/lib/postgresql/15/bin");
    private static final Path PG_WALDUMP = BIN.resolve("pg_waldump");

    /** Up to the operation's name, then the block references; pg_waldump has a description in between. */
    private static final Pattern LINE = Pattern.compile("(rmgr: .*, desc: (?:UNKNOWN \\(\\w+\\)|[\\w+]+))(.*)");

    static boolean hasPgWaldump() {
        return Files.isExecutable(PG_WALDUMP) && Files.isExecutable(BIN.resolve("initdb"));
    }

    @Test
    void everyRecordIsPrintedAlike() throws Exception {
        try (WalServer server = WalServer.start(PostgresBinaries.at(BIN))) {
            for (String compression : List.of("off", "pglz", "lz4", "zstd")) {
                server.execute("ALTER SYSTEM SET wal_compression = '" + compression + "'");
                server.execute("SELECT pg_reload_conf()");
                server.execute("CHECKPOINT");
                if (compression.equals("off")) {
                    server.runVariedWorkload(1000);
                } else {
                    server.execute("CREATE TABLE packed_" + compression + " AS SELECT * FROM item LIMIT 1000");
                    server.execute("UPDATE item SET note = '" + compression + "' WHERE id % 7 = 0");
                }
            }
            String end = server.flushedEnd().toString();
            List<String> ours = server.dump("--end", end);
            List<String> theirs = pgWaldump(server.walDirectory(), end).stream()
                    .filter(line -> line.startsWith("rmgr: "))
                    .toList();
            assertThat(ours).hasSizeGreaterThan(50_000).hasSameSizeAs(theirs);
            Set<String> operations = new HashSet<>();
            for (int i = 0; i < ours.size(); i++) {
                compare(ours.get(i), theirs.get(i));
                operations.add(ours.get(i).replaceAll("rmgr: (\\w+) .*desc: ([\\w+]+).*", "$1/$2"));
            }
            assertThat(operations).as("the workload is varied").hasSizeGreaterThan(85);
            for (String stats : List.of("--stats", "--stats=record")) {
                assertThat(server.dump("--end", end, stats)).isEqualTo(pgWaldump(server.walDirectory(), end, stats));
            }
        }
    }

    private static void compare(String ours, String theirs) {
        Matcher line = LINE.matcher(ours);
        assertThat(line.matches()).as(ours).isTrue();
        String head = line.group(1);
        String blocks = line.group(2);
        assertThat(theirs).startsWith(head).endsWith(blocks);
        assertThat(theirs.substring(head.length())).matches("(?:[ ,].*)?");
        assertThat(theirs.split("blkref #", -1)).hasSameSizeAs(ours.split("blkref #", -1));
    }

    private static List<String> pgWaldump(Path walDirectory, String end, String... options)
            throws IOException, InterruptedException {
        // WAL of a new cluster begins with its second segment, after the long header.
        List<String> command = new ArrayList<>(
                List.of(PG_WALDUMP.toString(), "--path=" + walDirectory, "--start=0/1000028", "--end=" + end));
        command.addAll(List.of(options));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        byte[] output = process.getInputStream().readAllBytes();
        assertThat(process.waitFor()).isZero();
        return new String(output, StandardCharsets.UTF_8).lines().toList();
    }
}
