package io.tidemark.shim.stock;

import io.tidemark.wire.wal.LittleEndian;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a standby must have at least as much of as the server that wrote the WAL, out of global/pg_control (ControlFileData).
 *
 * <pre>
 *   180 MaxConnections(i32) | 184 max_worker_processes(i32) | 188 max_wal_senders(i32) | 192 max_prepared_xacts(i32)
 *   196 max_locks_per_xact(i32)                                                   the same in 14 to 18
 * </pre>
 */
final class ServerLimits {
    private static final int FIRST = 180;
    private static final List<String> NAMES = List.of(
            "max_connections",
            "max_worker_processes",
            "max_wal_senders",
            "max_prepared_transactions",
            "max_locks_per_transaction");

    private ServerLimits() {}

    /** The configuration parameters with their values; the ones that are 0 are left away. */
    static Map<String, String> read(Path dataDir) throws IOException {
        byte[] control = Files.readAllBytes(dataDir.resolve("global/pg_control"));
        if (control.length < FIRST + NAMES.size() * Integer.BYTES) {
            throw new IOException("pg_control in " + dataDir + " has only " + control.length + " bytes");
        }
        Map<String, String> limits = new LinkedHashMap<>();
        for (int i = 0; i < NAMES.size(); i++) {
            int value = LittleEndian.i32(control, FIRST + i * Integer.BYTES);
            if (value > 0) {
                limits.put(NAMES.get(i), Integer.toString(value));
            }
        }
        return limits;
    }
}
