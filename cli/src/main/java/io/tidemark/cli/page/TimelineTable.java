package io.tidemark.cli.page;

import io.tidemark.cli.Terminal;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** What a pageserver says of timelines, for people. */
final class TimelineTable {
    private TimelineTable() {}

    /** One row per timeline. */
    static void print(Iterable<JsonNode> timelines, PrintWriter out) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of(
                "TENANT_ID",
                "TIMELINE_ID",
                "PG",
                "STATE",
                "MIN_READABLE_LSN",
                "DISK_CONSISTENT_LSN",
                "LAST_RECORD_LSN",
                "BYTES",
                "ANCESTOR"));
        for (JsonNode timeline : timelines) {
            String ancestor = timeline.path("ancestor_timeline_id").asString("");
            rows.add(List.of(
                    text(timeline, "tenant_id"),
                    text(timeline, "timeline_id"),
                    text(timeline, "pg_version"),
                    text(timeline, "state"),
                    text(timeline, "min_readable_lsn"),
                    text(timeline, "disk_consistent_lsn"),
                    text(timeline, "last_record_lsn"),
                    text(timeline, "current_physical_size"),
                    ancestor.isEmpty() ? "" : ancestor + "@" + text(timeline, "ancestor_lsn")));
        }
        Terminal.table(rows).forEach(out::println);
    }

    /** One line per field. */
    static void printFields(JsonNode timeline, PrintWriter out) {
        List<List<String>> rows = new ArrayList<>();
        timeline.forEachEntry((name, value) -> rows.add(List.of(name, value.asString(""))));
        Terminal.table(rows).forEach(out::println);
    }

    private static String text(JsonNode timeline, String field) {
        return timeline.path(field).asString("");
    }
}
