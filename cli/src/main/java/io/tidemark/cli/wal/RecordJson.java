package io.tidemark.cli.wal;

import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.PageImage;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalRecord;
import java.util.Locale;

/** Writes records as JSON objects, one per line, with the column names of pg_get_wal_records_info and _block_info. */
final class RecordJson {
    private final int pgMajor;

    RecordJson(int pgMajor) {
        this.pgMajor = pgMajor;
    }

    /** Appends one object, without a line end. Every text in it is a name or a number, so nothing needs escaping. */
    void append(StringBuilder out, WalRecord record) {
        out.append("{\"start_lsn\":\"").append(record.start());
        out.append("\",\"end_lsn\":\"").append(record.end());
        out.append("\",\"prev_lsn\":\"").append(record.prev());
        out.append("\",\"xid\":").append(Integer.toUnsignedString(record.xid()));
        out.append(",\"resource_manager\":\"").append(ResourceManagers.nameOf(record.rmgrId()));
        out.append("\",\"record_type\":\"").append(RecordText.operation(record, pgMajor));
        out.append("\",\"info\":").append(record.info());
        out.append(",\"record_length\":").append(record.totalLength());
        out.append(",\"main_data_length\":").append(record.mainDataLength());
        out.append(",\"fpi_length\":").append(record.imageLength());
        out.append(",\"crc\":\"")
                .append(String.format(Locale.ROOT, "%08x", record.crc()))
                .append('"');
        if (record.originId() != 0) {
            out.append(",\"origin\":").append(record.originId());
        }
        if (record.topLevelXid() != 0) {
            out.append(",\"toplevel_xid\":").append(Integer.toUnsignedString(record.topLevelXid()));
        }
        out.append(",\"blocks\":[");
        String separator = "";
        for (BlockReference block : record.blocks()) {
            out.append(separator);
            block(out, block);
            separator = ",";
        }
        out.append("]}");
    }

    private static void block(StringBuilder out, BlockReference block) {
        out.append("{\"block_id\":").append(block.id());
        out.append(",\"reltablespace\":").append(Integer.toUnsignedString(block.tablespace()));
        out.append(",\"reldatabase\":").append(Integer.toUnsignedString(block.database()));
        out.append(",\"relfilenode\":").append(Integer.toUnsignedString(block.relation()));
        out.append(",\"relforknumber\":").append(block.fork());
        out.append(",\"relblocknumber\":").append(Integer.toUnsignedString(block.block()));
        out.append(",\"block_data_length\":").append(block.dataLength());
        out.append(",\"will_init\":").append(block.willInit());
        PageImage image = block.image();
        if (image != null) {
            out.append(",\"block_fpi_length\":").append(image.length());
            out.append(",\"hole_offset\":").append(image.holeOffset());
            out.append(",\"hole_length\":").append(image.holeLength());
            out.append(",\"compression\":\"")
                    .append(image.compression().name().toLowerCase(Locale.ROOT))
                    .append('"');
            out.append(",\"apply\":").append(image.apply());
        }
        out.append('}');
    }
}
