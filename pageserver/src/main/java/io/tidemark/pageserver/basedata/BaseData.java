package io.tidemark.pageserver.basedata;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;

/**
 * What a timeline starts with.
 *
 * @param pgMajor 14 to 18
 * @param systemId of the cluster
 * @param startLsn the LSN of all imported values; WAL is ingested from here on
 * @param previousRecordLsn where the record before it starts: the shutdown checkpoint; invalid when not known
 * @param readableLsn the first LSN at which the data is consistent; the start, unless the data was copied from a running server
 * @param dataChecksums whether pages carry checksums, and must when they are served
 * @param walLogHints whether hint bits are logged though there are no checksums
 * @param walSegmentSizeBytes of the cluster
 */
public record BaseData(
        int pgMajor,
        SystemId systemId,
        Lsn startLsn,
        Lsn previousRecordLsn,
        Lsn readableLsn,
        boolean dataChecksums,
        boolean walLogHints,
        int walSegmentSizeBytes) {
    /** XLogHintBitIsNeeded: redo stamps pages whose hint bits are set. */
    public boolean hintBitsLogged() {
        return dataChecksums || walLogHints;
    }
}
