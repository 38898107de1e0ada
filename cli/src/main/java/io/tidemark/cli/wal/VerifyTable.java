package io.tidemark.cli.wal;

import io.tidemark.pageserver.verify.OpcodeCounts;
import java.util.List;
import java.util.function.ToLongFunction;

/** The result of {@code tidemark wal verify}: a row per operation. */
final class VerifyTable {
    private static final String FORMAT = "%-34s %9s %9s %9s %7s %9s %11s %10s %6s\n";

    private final List<OpcodeCounts> rows;

    VerifyTable(List<OpcodeCounts> rows) {
        this.rows = rows;
    }

    /** Appends a table with a line of totals. */
    void appendText(StringBuilder out) {
        out.append(FORMAT.formatted(
                "Operation",
                "Records",
                "Restored",
                "Compared",
                "Seeded",
                "Unchecked",
                "Unsupported",
                "Mismatches",
                "Known"));
        for (OpcodeCounts row : rows) {
            out.append(FORMAT.formatted(
                    row.rmgr() + "/" + row.opcode(),
                    row.records(),
                    row.restored(),
                    row.compared(),
                    row.seeded(),
                    row.unchecked(),
                    row.unsupported(),
                    row.mismatches(),
                    row.knownDifferences()));
        }
        out.append(FORMAT.formatted(
                "Total",
                sum(OpcodeCounts::records),
                sum(OpcodeCounts::restored),
                sum(OpcodeCounts::compared),
                sum(OpcodeCounts::seeded),
                sum(OpcodeCounts::unchecked),
                sum(OpcodeCounts::unsupported),
                sum(OpcodeCounts::mismatches),
                sum(OpcodeCounts::knownDifferences)));
    }

    private long sum(ToLongFunction<OpcodeCounts> of) {
        return rows.stream().mapToLong(of).sum();
    }

    /** Appends one JSON object. */
    void appendJson(StringBuilder out) {
        out.append("{\"mismatches\":").append(sum(OpcodeCounts::mismatches));
        out.append(",\"unsupported\":").append(sum(OpcodeCounts::unsupported));
        out.append(",\"operations\":[");
        String separator = "";
        for (OpcodeCounts row : rows) {
            out.append(separator).append("{\"rmgr\":\"").append(row.rmgr());
            out.append("\",\"operation\":\"").append(row.opcode());
            out.append("\",\"records\":").append(row.records());
            out.append(",\"restored\":").append(row.restored());
            out.append(",\"compared\":").append(row.compared());
            out.append(",\"seeded\":").append(row.seeded());
            out.append(",\"unchecked\":").append(row.unchecked());
            out.append(",\"unsupported\":").append(row.unsupported());
            out.append(",\"mismatches\":").append(row.mismatches());
            out.append(",\"known\":").append(row.knownDifferences()).append('}');
            separator = ",";
        }
        out.append("]}\n");
    }
}
