package io.tidemark.cli.wal;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalRecord;
import org.jspecify.annotations.Nullable;

/** Counts records and their sizes, and prints them in pg_waldump's table: a row per resource manager, or per operation. */
final class RecordStatistics {
    private static final int RMGRS = 256;
    private static final int OPERATIONS = 16;

    private final int pgMajor;
    private final boolean perOperation;
    private final long[] counts = new long[RMGRS * OPERATIONS];
    private final long[] recordBytes = new long[RMGRS * OPERATIONS];
    private final long[] imageBytes = new long[RMGRS * OPERATIONS];
    private @Nullable Lsn start;
    private Lsn end = Lsn.INVALID;

    RecordStatistics(int pgMajor, boolean perOperation) {
        this.pgMajor = pgMajor;
        this.perOperation = perOperation;
    }

    void add(WalRecord record) {
        int slot = record.rmgrId() * OPERATIONS + operationOf(record);
        int images = record.imageLength();
        counts[slot]++;
        recordBytes[slot] += record.totalLength() - images;
        imageBytes[slot] += images;
        if (start == null) {
            start = record.start();
        }
        end = record.end();
    }

    private static int operationOf(WalRecord record) {
        int operation = record.info() >> 4;
        // The high bit of a transaction record's opcode only says that extra information follows.
        return record.rmgrId() == ResourceManagers.TRANSACTION ? operation & 0x7 : operation;
    }

    /** Appends the table: plain text, one line per row. */
    void appendTable(StringBuilder out) {
        if (start == null) {
            return;
        }
        out.append("WAL statistics between ")
                .append(start)
                .append(" and ")
                .append(end)
                .append(":\n");
        String heads = "%-27s %20s %8s %20s %8s %20s %8s %20s %8s\n";
        out.append(
                heads.formatted("Type", "N", "(%)", "Record size", "(%)", "FPI size", "(%)", "Combined size", "(%)"));
        out.append(
                heads.formatted("----", "-", "---", "-----------", "---", "--------", "---", "-------------", "---"));
        long count = sum(counts, 0, counts.length);
        long records = sum(recordBytes, 0, recordBytes.length);
        long images = sum(imageBytes, 0, imageBytes.length);
        forEachRow((name, from, to) -> row(out, name, from, to, count, records, images));
        out.append("%-27s %20s %8s %20s %8s %20s %8s %20s\n"
                .formatted("", "--------", "", "--------", "", "--------", "", "--------"));
        out.append("%-27s %20d %8s %20d %-9s%20d %-9s%20d %-6s\n"
                .formatted(
                        "Total",
                        count,
                        "",
                        records,
                        "[%.02f%%]".formatted(percent(records, records + images)),
                        images,
                        "[%.02f%%]".formatted(percent(images, records + images)),
                        records + images,
                        "[100%]"));
    }

    /** Appends one JSON object. */
    void appendJson(StringBuilder out) {
        out.append("{\"start_lsn\":\"").append(start == null ? Lsn.INVALID : start);
        out.append("\",\"end_lsn\":\"").append(end).append("\",\"rows\":[");
        String[] separator = {""};
        forEachRow((name, from, to) -> {
            long count = sum(counts, from, to);
            if (count > 0) {
                out.append(separator[0]).append("{\"type\":\"").append(name);
                out.append("\",\"count\":").append(count);
                out.append(",\"record_size\":").append(sum(recordBytes, from, to));
                out.append(",\"fpi_size\":").append(sum(imageBytes, from, to)).append('}');
                separator[0] = ",";
            }
        });
        out.append("]}\n");
    }

    private interface Row {
        void accept(String name, int fromSlot, int toSlot);
    }

    private void forEachRow(Row row) {
        for (int rmgr = 0; rmgr < RMGRS; rmgr++) {
            int first = rmgr * OPERATIONS;
            boolean seen = sum(counts, first, first + OPERATIONS) > 0;
            String rmgrName = ResourceManagers.nameOf(rmgr);
            if (perOperation) {
                for (int i = 0; i < OPERATIONS; i++) {
                    if (counts[first + i] > 0) {
                        String name = ResourceManagers.opcodeOf(rmgr, i << 4, pgMajor);
                        row.accept(
                                rmgrName + "/" + (name != null ? name : "0x" + Integer.toHexString(i << 4)),
                                first + i,
                                first + i + 1);
                    }
                }
            } else if (seen || rmgr <= ResourceManagers.LAST_BUILTIN) {
                row.accept(rmgrName, first, first + OPERATIONS);
            }
        }
    }

    private void row(StringBuilder out, String name, int from, int to, long count, long records, long images) {
        long n = sum(counts, from, to);
        long ownRecords = sum(recordBytes, from, to);
        long ownImages = sum(imageBytes, from, to);
        out.append("%-27s %20d (%6.02f) %20d (%6.02f) %20d (%6.02f) %20d (%6.02f)\n"
                .formatted(
                        name,
                        n,
                        percent(n, count),
                        ownRecords,
                        percent(ownRecords, records),
                        ownImages,
                        percent(ownImages, images),
                        ownRecords + ownImages,
                        percent(ownRecords + ownImages, records + images)));
    }

    private static double percent(long part, long whole) {
        return whole == 0 ? 0 : 100.0 * part / whole;
    }

    private static long sum(long[] values, int from, int to) {
        long sum = 0;
        for (int i = from; i < to; i++) {
            sum += values[i];
        }
        return sum;
    }
}
