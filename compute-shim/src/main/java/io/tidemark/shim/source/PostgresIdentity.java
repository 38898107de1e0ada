package io.tidemark.shim.source;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;

/**
 * Who a PostgreSQL says it is, over a replication connection.
 *
 * @param tli PostgreSQL's WAL timeline; 1 until somebody promotes a standby
 * @param flushLsn what it has flushed itself; not necessarily a record boundary
 * @param walLevel its wal_level setting
 * @param synchronousStandbyNames its setting, as text
 */
public record PostgresIdentity(
        SystemId systemId,
        long tli,
        Lsn flushLsn,
        PgVersion version,
        int segmentSizeBytes,
        String walLevel,
        String synchronousStandbyNames) {}
