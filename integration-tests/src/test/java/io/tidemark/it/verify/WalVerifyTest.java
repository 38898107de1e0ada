package io.tidemark.it.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.cli.wal.SupportMatrix;
import io.tidemark.cli.wal.WalVerification;
import io.tidemark.cli.workload.WalMaker;
import io.tidemark.pageserver.verify.OpcodeCounts;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.ServerUser;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
