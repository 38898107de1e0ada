package io.tidemark.pageserver.server;

import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.wire.frame.TextTable;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** What {@code SHOW ...} answers, for people with psql. */
final class ShowAnswers {
    static final String WHAT_CAN_BE_ASKED =
            "ask SHOW timelines, SHOW lsns, SHOW layers, SHOW config, or start pagestream_v3 TENANT_ID TIMELINE_ID";

    private final EdgeContext context;

    ShowAnswers(EdgeContext context) {
        this.context = context;
    }

    Optional<TextTable> answer(String what) {
        return switch (what) {
            case "timelines" -> Optional.of(timelines());
            case "lsns" -> Optional.of(lsns());
            case "layers" -> Optional.of(layers());
            case "config" -> Optional.of(config());
            case "server_version" ->
                Optional.of(TextTable.ofText("server_version").row("14.1").build());
            default -> Optional.empty();
        };
    }

    private List<Timeline> sorted() {
        return context.timelines().all().stream()
                .sorted(Comparator.comparing(
                        timeline -> timeline.metadata().id().toString()))
                .toList();
    }

    private TextTable timelines() {
        TextTable.Builder table =
                TextTable.ofText("tenant_id", "timeline_id", "pg_version", "ancestor", "ancestor_lsn", "ingest");
        for (Timeline timeline : sorted()) {
            var branch = timeline.metadata().ancestor();
            table.row(
                    timeline.metadata().id().tenantId(),
                    timeline.metadata().id().timelineId(),
                    timeline.metadata().pgMajor(),
                    branch.map(point -> point.timelineId().toString()).orElse(null),
                    branch.map(point -> point.lsn().toString()).orElse(null),
                    timeline.ingestStatus());
        }
        return table.build();
    }

    private TextTable lsns() {
        TextTable.Builder table = TextTable.ofText(
                "tenant_id",
                "timeline_id",
                "start_lsn",
                "min_readable_lsn",
                "gc_cutoff",
                "disk_consistent_lsn",
                "last_record_lsn");
        for (Timeline timeline : sorted()) {
            table.row(
                    timeline.metadata().id().tenantId(),
                    timeline.metadata().id().timelineId(),
                    timeline.metadata().startLsn(),
                    timeline.minReadableLsn(),
                    timeline.gcCutoff(),
                    timeline.diskConsistentLsn(),
                    timeline.lastRecordLsn());
        }
        return table.build();
    }

    private TextTable layers() {
        TextTable.Builder table =
                TextTable.ofText("timeline_id", "file", "kind", "start_lsn", "end_lsn", "keys", "size_bytes");
        for (Timeline timeline : sorted()) {
            for (var layer : timeline.store().layers().layers()) {
                var descriptor = layer.descriptor();
                table.row(
                        timeline.metadata().id().timelineId(),
                        layer.path().getFileName(),
                        descriptor.kind(),
                        descriptor.startLsn(),
                        descriptor.endLsn(),
                        descriptor.keys(),
                        descriptor.fileBytes());
            }
        }
        return table.build();
    }

    private TextTable config() {
        TextTable.Builder table = TextTable.ofText("name", "value");
        context.settings().forEach(table::row);
        return table.build();
    }
}
