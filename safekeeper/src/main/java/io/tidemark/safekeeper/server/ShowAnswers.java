package io.tidemark.safekeeper.server;

import io.tidemark.safekeeper.timeline.Connections;
import io.tidemark.safekeeper.timeline.Timeline;
import io.tidemark.safekeeper.timeline.TimelineSnapshot;
import io.tidemark.safekeeper.timeline.TimelineView;
import io.tidemark.wire.frame.Column;
import io.tidemark.wire.frame.TextTable;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Answers to people's questions on the PostgreSQL port: {@code SHOW timelines | lsns | connections | config}. */
final class ShowAnswers {
    /** For whoever asked something else. */
    static final String WHAT_CAN_BE_ASKED =
            "one can ask: SHOW timelines, SHOW lsns, SHOW connections, SHOW config; with a tenant_id and timeline_id in"
                    + " the connection's options also IDENTIFY_SYSTEM, TIMELINE_STATUS, START_REPLICATION, START_WAL_PUSH";

    private static final int MAX_ROWS = 10_000;

    private final EdgeContext context;

    ShowAnswers(EdgeContext context) {
        this.context = context;
    }

    /** The answer; empty when that is not a question. */
    Optional<TextTable> answer(String name) {
        return switch (name) {
            case "timelines" -> Optional.of(timelines());
            case "lsns" -> Optional.of(lsns());
            case "connections" -> Optional.of(connections());
            case "config", "all" -> Optional.of(config());
            default -> Optional.empty();
        };
    }

    private TextTable timelines() {
        TextTable.Builder table = TextTable.of(
                Column.text("tenant_id"),
                Column.text("timeline_id"),
                Column.text("state"),
                Column.text("pg_version"),
                Column.text("system_id"),
                Column.int8("generation"),
                Column.text("term"),
                Column.text("last_log_term"),
                Column.int4("proposers"),
                Column.int4("readers"),
                Column.text("problem"));
        context.registry().all().stream().limit(MAX_ROWS).map(Timeline::view).forEach(view -> {
            TimelineSnapshot snapshot = view.snapshot();
            table.row(
                    view.ttid().tenantId(),
                    view.ttid().timelineId(),
                    state(view),
                    snapshot == null ? null : snapshot.state().pgVersion(),
                    snapshot == null ? null : snapshot.state().systemId(),
                    snapshot == null ? null : snapshot.state().membership().generation(),
                    snapshot == null ? null : snapshot.state().term(),
                    snapshot == null ? null : snapshot.lastLogTerm(),
                    view.proposers().size(),
                    view.readers().size(),
                    view.failure());
        });
        return table.build();
    }

    private static String state(TimelineView view) {
        if (!view.isLoaded()) {
            return "broken";
        }
        return view.proposers().isEmpty() ? "idle" : "active";
    }

    private TextTable lsns() {
        TextTable.Builder table = TextTable.ofText(
                "tenant_id",
                "timeline_id",
                "timeline_start_lsn",
                "local_start_lsn",
                "write_lsn",
                "flush_lsn",
                "commit_lsn",
                "persisted_commit_lsn",
                "peer_horizon_lsn",
                "backup_lsn",
                "remote_consistent_lsn");
        context.registry().all().stream().limit(MAX_ROWS).map(Timeline::view).forEach(view -> {
            TimelineSnapshot snapshot = view.snapshot();
            if (snapshot != null) {
                table.row(
                        view.ttid().tenantId(),
                        view.ttid().timelineId(),
                        snapshot.state().timelineStartLsn(),
                        snapshot.state().localStartLsn(),
                        snapshot.writeLsn(),
                        snapshot.flushLsn(),
                        snapshot.commitLsn(),
                        snapshot.state().commitLsn(),
                        snapshot.peerHorizonLsn(),
                        snapshot.backupLsn(),
                        snapshot.remoteConsistentLsn());
            }
        });
        return table.build();
    }

    private TextTable connections() {
        TextTable.Builder table = TextTable.of(
                Column.int8("id"),
                Column.text("kind"),
                Column.text("peer"),
                Column.text("application_name"),
                Column.text("tenant_id"),
                Column.text("timeline_id"),
                Column.text("term"),
                Column.int8("seconds"));
        Instant now = Instant.now();
        context.connections().all().stream().limit(MAX_ROWS).forEach(entry -> {
            @Nullable Object tenant = entry.ttid() == null ? null : entry.ttid().tenantId();
            @Nullable
            Object timeline = entry.ttid() == null ? null : entry.ttid().timelineId();
            table.row(
                    entry.id(),
                    kind(entry.kind()),
                    entry.peer(),
                    entry.applicationName(),
                    tenant,
                    timeline,
                    entry.term(),
                    entry.since().until(now, ChronoUnit.SECONDS));
        });
        return table.build();
    }

    private static String kind(Connections.Kind kind) {
        return switch (kind) {
            case QUERY -> "query";
            case PROPOSER -> "proposer";
            case PAGESERVER -> "pageserver";
            case STANDBY -> "standby";
            case RECEIVEWAL -> "receivewal";
            case RECOVERY -> "recovery";
        };
    }

    private TextTable config() {
        TextTable.Builder table = TextTable.ofText("name", "setting");
        context.settings().forEach(table::row);
        return table.build();
    }
}
