package io.tidemark.cli.wal;

import io.tidemark.wire.wal.ResourceManagers;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which operations PostgreSQL knows, and which of them no primary that Tidemark serves can write. */
public final class ExpectedOperations {
    private static final int OPERATIONS = 16;
    private static final int TRANSACTION_OPERATIONS = 8;

    private static final Map<String, String> NEVER_WRITTEN = neverWritten();

    private ExpectedOperations() {}

    private static Map<String, String> neverWritten() {
        Map<String, String> reasons = new LinkedHashMap<>();
        reasons.put("XLOG/NOOP", "no code of PostgreSQL writes it");
        reasons.put(
                "XLOG/END_OF_RECOVERY",
                "written when a standby is promoted to a new timeline; computes here stay on timeline 1");
        reasons.put("Heap/HOT_UPDATE+INIT", "the old version is on the same page, so the page is never new");
        reasons.put("Gist/ASSIGN_LSN", "only with wal_level = minimal, which is refused");
        return reasons;
    }

    /** All names {@code rmgr/operation} of a version, as {@code tidemark wal verify} prints them. */
    public static List<String> of(int pgMajor) {
        List<String> names = new ArrayList<>();
        for (int rmgr = 0; rmgr <= ResourceManagers.LAST_BUILTIN; rmgr++) {
            int operations = rmgr == ResourceManagers.TRANSACTION
                    ? TRANSACTION_OPERATIONS
                    : rmgr == ResourceManagers.GENERIC ? 1 : OPERATIONS;
            for (int operation = 0; operation < operations; operation++) {
                String name = ResourceManagers.opcodeOf(rmgr, operation << 4, pgMajor);
                if (name != null) {
                    names.add(ResourceManagers.nameOf(rmgr) + "/" + name);
                }
            }
        }
        return names;
    }

    /** Why an operation is never seen; null when it can be. */
    public static @Nullable String whyNever(String name) {
        return NEVER_WRITTEN.get(name);
    }
}
