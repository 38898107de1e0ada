package io.tidemark.it.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.cli.wal.SupportMatrix;
import io.tidemark.cli.wal.WalVerification;
import io.tidemark.cli.workload.WalMaker;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.verify.Finding;
import io.tidemark.pageserver.verify.OpcodeCounts;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.ServerUser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * PostgreSQL judges redo: every page that a record changes is compared with the image in the record, every operation a primary can
 * write is reached, and in the end every block of every relation is as the stopped server left it, down to its LSN.
 */
class WalVerifyTest {
    private static final int ROWS = 500;

    /** It takes a million transactions until there is something to cut off, which only the thorough runs use up. */
    private static final String NEEDS_A_MILLION = "CLOG/TRUNCATE";

    private static final Path PG_CLASS = Path.of("base", "5", "1259");

    @Test
    void version17() throws Exception {
        List<String> missing = judge(17, false, false, Map.of());
        assertThat(missing).isSubsetOf(NEEDS_A_MILLION);
    }

    @Tag("slow")
    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18})
    void everyOperation(int major) throws Exception {
        assertThat(judge(major, true, false, Map.of())).isEmpty();
    }

    /** With checksums hint bits are logged whatever the setting, and images may be packed. */
    @Tag("slow")
    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18})
    void checksumsAndPackedImages(int major) throws Exception {
        judge(major, false, true, Map.of("wal_log_hints", "off", "wal_compression", "on"));
    }

    /** Without either, setting a page all-visible does not stamp it. */
    @Tag("slow")
    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18})
    void hintBitsNotLogged(int major) throws Exception {
        judge(major, false, false, Map.of("wal_log_hints", "off"));
    }

    /** As servers usually run: most pages come from images, and redo goes on from these. */
    @Tag("slow")
    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18})
    void fullPageWrites(int major) throws Exception {
        judge(major, false, true, Map.of("full_page_writes", "on"));
    }

    /** A judge that finds nothing wrong has to show that it would. */
    @Test
    void aWrongPageIsFound() throws Exception {
        WalMaker maker = new WalMaker(ServerUser.current().scratchDirectory("tidemark-verify-"));
        try {
            maker.make(PostgresArchives.configured().require(16), false, Map.of(), server -> {
                try (Connection session = WalMaker.connect(server, "postgres");
                        Statement statement = session.createStatement()) {
                    statement.execute("CREATE TABLE t (id int PRIMARY KEY, v text)");
                    statement.execute("INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 500) i");
                }
            });
            WalVerification verification =
                    new WalVerification(maker.walDirectory(), maker.base(), maker.dataDir(), 16, false, 3);
            assertThat(verification.run().isClean(false)).isTrue();
            damageFirstTuples(maker.dataDir().resolve(PG_CLASS));
            WalVerification.Result atTheEnd = verification.run();
            assertThat(atTheEnd.isClean(false)).isFalse();
            assertThat(atTheEnd.report().findings()).isEmpty();
            assertThat(Objects.requireNonNull(atTheEnd.comparison()).findings())
                    .first(InstanceOfAssertFactories.type(Finding.class))
                    .satisfies(finding -> {
                        assertThat(finding.title()).isEqualTo("block 0 of 1663/5/1259");
                        assertThat(finding.details()).singleElement().asString().matches(".*tuple \\d+ \\+ 50: .*");
                    });
            damageFirstTuples(maker.base().resolve(PG_CLASS));
            WalVerification.Result onTheWay = verification.run();
            assertThat(onTheWay.isClean(false)).isFalse();
            assertThat(onTheWay.report().findings())
                    .first(InstanceOfAssertFactories.type(Finding.class))
                    .satisfies(finding -> {
                        assertThat(finding.title()).matches("Heap .* at 0/\\p{XDigit}+, block \\d+ of 1663/5/1259 .*");
                        assertThat(finding.details()).singleElement().asString().matches(".*tuple \\d+ \\+ 50: .*");
                    });
        } finally {
            maker.delete();
        }
    }

    /** In each page, a byte of the first ordinary tuple's data. */
    private static void damageFirstTuples(Path file) throws IOException {
        byte[] all = Files.readAllBytes(file);
        for (int at = 0; at < all.length; at += Page.SIZE_BYTES) {
            Page page = new Page(Arrays.copyOfRange(all, at, at + Page.SIZE_BYTES));
            int offnum = 1;
            while (page.itemFlags(offnum) != Page.LP_NORMAL) {
                offnum++;
            }
            all[at + page.itemOffset(offnum) + 50] ^= 0x55;
        }
        Files.write(file, all);
    }

    /** Returns the operations that were not reached. */
    private static List<String> judge(int major, boolean thorough, boolean checksums, Map<String, String> settings)
            throws Exception {
        WalMaker maker = new WalMaker(ServerUser.current().scratchDirectory("tidemark-verify-"));
        try {
            maker.make(
                    PostgresArchives.configured().require(major),
                    checksums,
                    settings,
                    WalMaker.everything(ROWS, thorough));
            WalVerification.Result result =
                    new WalVerification(maker.walDirectory(), maker.base(), maker.dataDir(), major, false, 3).run();
            assertThat(result.report().findings()).isEmpty();
            assertThat(result.report().total(OpcodeCounts::unsupported)).isZero();
            assertThat(result.report().total(OpcodeCounts::seeded)).isZero();
            assertThat(result.report().total(OpcodeCounts::compared)).isGreaterThan(100_000);
            assertThat(Objects.requireNonNull(result.comparison()).findings()).isEmpty();
            assertThat(result.comparison().blocks()).isGreaterThan(10_000);
            return SupportMatrix.missing(major, result.report());
        } finally {
            maker.delete();
        }
    }
}
