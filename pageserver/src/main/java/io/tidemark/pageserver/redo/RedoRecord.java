package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.WalRecord;
import org.jspecify.annotations.Nullable;

/** A record together with the rules of the server that wrote it, as the resource managers read it. */
public final class RedoRecord {
    private final WalRecord record;
    private final RedoRules rules;

    public RedoRecord(WalRecord record, RedoRules rules) {
        this.record = record;
        this.rules = rules;
    }

    public WalRecord wal() {
        return record;
    }

    public RedoRules rules() {
        return rules;
    }

    public int pgMajor() {
        return rules.pgMajor();
    }

    /** The end LSN: what is stamped. */
    public long end() {
        return record.end().value();
    }

    /** xl_info without the low nibble, which belongs to the WAL itself. */
    public int info() {
        return record.info() & 0xF0;
    }

    public int xid() {
        return record.xid();
    }

    /** The bytes in which the record's data lies, see {@link #mainAt} and {@link #dataAt}. */
    public byte[] array() {
        return record.array();
    }

    /** Where the main data starts in {@link #array}; throws unless it has at least this many bytes. */
    public int mainAt(int minimumSizeBytes) {
        if (record.mainDataLength() < minimumSizeBytes) {
            throw tooShort("main data", record.mainDataLength(), minimumSizeBytes);
        }
        return record.mainDataOffset();
    }

    /** Where a block's data starts in {@link #array}; throws unless it has at least this many bytes. */
    public int dataAt(BlockReference block, int minimumSizeBytes) {
        if (block.dataLength() < minimumSizeBytes) {
            throw tooShort("block data", block.dataLength(), minimumSizeBytes);
        }
        return block.dataOffset();
    }

    private static PageException tooShort(String what, int length, int needed) {
        return new PageException("the record's " + what + " has " + length + " bytes, " + needed + " are needed");
    }

    /** The main data, from its start. */
    public RecordData main() {
        return new RecordData(record.array(), record.mainDataOffset(), record.mainDataLength());
    }

    /** A block's data, from its start. */
    public RecordData data(BlockReference block) {
        return new RecordData(record.array(), block.dataOffset(), block.dataLength());
    }

    /** The block reference of this id, null when the record has none. */
    public @Nullable BlockReference block(int id) {
        return record.block(id);
    }

    /** The block number of a reference that must be there. */
    public int blockNumber(int id) {
        BlockReference block = block(id);
        if (block == null) {
            throw new PageException("the record has no block reference " + id);
        }
        return block.block();
    }

    /** For what a redo routine does not know: names the opcode and the block. */
    public PageException unknown(BlockReference block) {
        return new PageException("no redo for opcode %02X, block reference %d".formatted(info(), block.id()));
    }
}
