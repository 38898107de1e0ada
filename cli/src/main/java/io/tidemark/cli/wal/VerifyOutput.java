package io.tidemark.cli.wal;

import io.tidemark.pageserver.verify.FinalComparison;
import io.tidemark.pageserver.verify.Finding;
import io.tidemark.pageserver.verify.OpcodeCounts;
import io.tidemark.pageserver.verify.VerifyReport;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The result of {@code tidemark wal verify}: differences, a row per operation, and what the comparison at the end found. */
final class VerifyOutput {
    private static final String FORMAT = "%-34s %9s %9s %9s %7s %9s %11s %10s %6s\n";

    private final VerifyReport report;
    private final @Nullable FinalComparison comparison;

    VerifyOutput(VerifyReport report, @Nullable FinalComparison comparison) {
        this.report = report;
        this.comparison = comparison;
    }

    /** Appends the differences and a table with a line of totals. */
    void appendText(StringBuilder out) {
        report.findings().forEach(finding -> out.append(finding).append('\n'));
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
        for (OpcodeCounts row : report.operations()) {
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
                report.total(OpcodeCounts::records),
                report.total(OpcodeCounts::restored),
                report.total(OpcodeCounts::compared),
                report.total(OpcodeCounts::seeded),
                report.total(OpcodeCounts::unchecked),
                report.total(OpcodeCounts::unsupported),
                report.total(OpcodeCounts::mismatches),
                report.total(OpcodeCounts::knownDifferences)));
        FinalComparison end = comparison;
        if (end != null) {
            end.findings().forEach(finding -> out.append(finding).append('\n'));
            out.append("At the end: %d blocks of %d forks compared, %d mismatches, %d known differences\n"
                    .formatted(end.blocks(), end.relations(), end.mismatches(), end.knownDifferences()));
        }
    }

    /** Appends one JSON object. */
    void appendJson(StringBuilder out) {
        JsonMapper mapper = new JsonMapper();
        ObjectNode root = mapper.createObjectNode();
        root.put("mismatches", report.total(OpcodeCounts::mismatches));
        root.put("unsupported", report.total(OpcodeCounts::unsupported));
        ArrayNode operations = root.putArray("operations");
        for (OpcodeCounts row : report.operations()) {
            operations
                    .addObject()
                    .put("rmgr", row.rmgr())
                    .put("operation", row.opcode())
                    .put("records", row.records())
                    .put("restored", row.restored())
                    .put("compared", row.compared())
                    .put("seeded", row.seeded())
                    .put("unchecked", row.unchecked())
                    .put("unsupported", row.unsupported())
                    .put("mismatches", row.mismatches())
                    .put("known", row.knownDifferences());
        }
        appendFindings(root, report.findings());
        FinalComparison end = comparison;
        if (end != null) {
            ObjectNode node = root.putObject("final");
            node.put("forks", end.relations());
            node.put("blocks", end.blocks());
            node.put("mismatches", end.mismatches());
            node.put("known", end.knownDifferences());
            appendFindings(node, end.findings());
        }
        out.append(mapper.writeValueAsString(root)).append('\n');
    }

    private static void appendFindings(ObjectNode node, List<Finding> findings) {
        ArrayNode array = node.putArray("findings");
        for (Finding finding : findings) {
            ObjectNode entry = array.addObject().put("title", finding.title());
            ArrayNode details = entry.putArray("details");
            finding.details().forEach(details::add);
        }
    }
}
