package io.tidemark.cli.wal;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.PageImage;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalRecord;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Writes records the way pg_waldump does, one line each, with the operation's name for a description. */
final class RecordText {
    private static final String[] FORKS = {"main", "fsm", "vm", "init"};

    private final int pgMajor;

    RecordText(int pgMajor) {
        this.pgMajor = pgMajor;
    }

    /** Appends one line, without its end. */
    void append(StringBuilder out, WalRecord record) {
        out.append("rmgr: ");
        padRight(out, ResourceManagers.nameOf(record.rmgrId()), 11);
        out.append(" len (rec/tot): ");
        padLeft(out, record.totalLength() - record.imageLength(), 6);
        out.append('/');
        padLeft(out, record.totalLength(), 6);
        out.append(", tx: ");
        padLeft(out, Integer.toUnsignedLong(record.xid()), 10);
        out.append(", lsn: ");
        lsn(out, record.start());
        out.append(", prev ");
        lsn(out, record.prev());
        out.append(", desc: ").append(operation(record, pgMajor));
        for (BlockReference block : record.blocks()) {
            block(out, block);
        }
    }

    static String forkName(int fork) {
        return FORKS[fork];
    }

    /** The operation's name, or what pg_waldump writes for an opcode that it doesn't know. */
    static String operation(WalRecord record, int pgMajor) {
        String name = ResourceManagers.opcodeOf(record.rmgrId(), record.info(), pgMajor);
        return name != null ? name : "UNKNOWN (" + Integer.toHexString(record.info() & 0xF0) + ")";
    }

    private static void block(StringBuilder out, BlockReference block) {
        out.append(", blkref #").append(block.id()).append(": rel ");
        out.append(Integer.toUnsignedString(block.tablespace())).append('/');
        out.append(Integer.toUnsignedString(block.database())).append('/');
        out.append(Integer.toUnsignedString(block.relation()));
        if (block.fork() != 0) {
            out.append(" fork ").append(FORKS[block.fork()]);
        }
        out.append(" blk ").append(Integer.toUnsignedString(block.block()));
        @Nullable PageImage image = block.image();
        if (image != null) {
            out.append(image.apply() ? " FPW" : " FPW for WAL verification");
        }
    }

    /** {@code %X/%08X}, as PostgreSQL's tools print positions. */
    static void lsn(StringBuilder out, Lsn lsn) {
        out.append(Long.toHexString(lsn.value() >>> 32).toUpperCase(Locale.ROOT))
                .append('/');
        String low = Long.toHexString(lsn.value() & 0xFFFF_FFFFL).toUpperCase(Locale.ROOT);
        out.repeat('0', 8 - low.length()).append(low);
    }

    private static void padRight(StringBuilder out, String text, int width) {
        out.append(text).repeat(' ', Math.max(0, width - text.length()));
    }

    private static void padLeft(StringBuilder out, long number, int width) {
        String text = Long.toString(number);
        out.repeat(' ', Math.max(0, width - text.length())).append(text);
    }
}
