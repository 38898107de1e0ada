package io.tidemark.pageserver.server;

import io.tidemark.pageserver.basebackup.BackupRequest;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.pageserver.timeline.TimelineMaintenance;
import io.tidemark.runtime.auth.AuthException;
import io.tidemark.runtime.auth.Caller;
import io.tidemark.wire.frame.ErrorFields;
import io.tidemark.wire.frame.SqlState;
import io.tidemark.wire.frame.TextTable;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.page.PagestreamVersion;
import io.tidemark.wire.server.PgServerConnection;
import io.tidemark.wire.server.PgSession;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One client of the page service: answers questions in plain words, and becomes a stream of pages when it asks for one. */
final class PageSession implements PgSession {
    private final PgServerConnection connection;
    private final EdgeContext context;
    private final Caller caller;

    PageSession(PgServerConnection connection, EdgeContext context, Caller caller) {
        this.connection = connection;
        this.context = context;
        this.caller = caller;
        context.metrics().connections(1);
    }

    @Override
    public void onCommand(String sql) {
        String text = sql.strip();
        while (text.endsWith(";")) {
            text = text.substring(0, text.length() - 1).strip();
        }
        String[] words = text.split("\\s+", -1);
        Optional<PagestreamVersion> stream = PagestreamVersion.ofCommand(words[0]);
        if (stream.isPresent()) {
            startStream(stream.get(), words);
        } else if (startBackup(List.of(words))) {
            context.metrics().request("basebackup");
        } else if (words[0].equalsIgnoreCase("lease")) {
            lease(words);
        } else if (words[0].equalsIgnoreCase("set")) {
            connection.complete("SELECT 1");
        } else if (words[0].equalsIgnoreCase("show")) {
            show(text.substring(words[0].length()).strip().toLowerCase(Locale.ROOT));
        } else {
            fail(
                    SqlState.INTERNAL_ERROR,
                    "unsupported command " + words[0] + " in " + text + "; " + ShowAnswers.WHAT_CAN_BE_ASKED);
        }
    }

    private void startStream(PagestreamVersion version, String[] words) {
        if (words.length != 3) {
            fail(SqlState.SYNTAX_ERROR, "usage: " + version.command() + " TENANT_ID TIMELINE_ID");
            return;
        }
        Optional<Timeline> timeline = find(words[1], words[2]);
        if (timeline.isEmpty()) {
            return;
        }
        context.metrics().request(version.command());
        connection.startCopyBoth(new PagestreamHandler(
                connection,
                context,
                version,
                timeline.get(),
                context.timelines().sessionThreads()));
    }

    /** False when it is another command. */
    private boolean startBackup(List<String> words) {
        Optional<BackupRequest> request;
        try {
            request = BackupRequest.parse(words);
        } catch (IllegalArgumentException e) {
            fail(SqlState.SYNTAX_ERROR, String.valueOf(e.getMessage()));
            return true;
        }
        request.ifPresent(backup -> find(backup.id())
                .ifPresent(timeline -> context.timelines()
                        .sessionThreads()
                        .execute(new BackupSender(connection, context, timeline, backup))));
        return request.isPresent();
    }

    /** Empty when there is none, or none for this caller; that has been said then. */
    private Optional<Timeline> find(TenantTimelineId id) {
        try {
            caller.requireTenant(id.tenantId().toString());
        } catch (AuthException e) {
            fail(SqlState.INTERNAL_ERROR, e.text());
            return Optional.empty();
        }
        Optional<Timeline> timeline = context.timelines().find(id);
        if (timeline.isEmpty()) {
            context.metrics().refused("TIMELINE_NOT_FOUND");
            String broken = context.timelines().broken().get(id);
            fail(
                    SqlState.INTERNAL_ERROR,
                    broken == null
                            ? "not found: timeline " + id + " is not on this pageserver"
                            : "timeline " + id + " is not served: " + broken);
        }
        return timeline;
    }

    /** The same by the texts of its ids. */
    private Optional<Timeline> find(String tenant, String timeline) {
        try {
            return find(new TenantTimelineId(TenantId.parse(tenant), TimelineId.parse(timeline)));
        } catch (IllegalArgumentException e) {
            fail(SqlState.SYNTAX_ERROR, String.valueOf(e.getMessage()));
            return Optional.empty();
        }
    }

    /** One row: until when, in milliseconds since 1970, or null when the LSN is not readable any more. */
    private void lease(String[] words) {
        if (words.length != 5 || !words[1].equalsIgnoreCase("lsn")) {
            fail(SqlState.SYNTAX_ERROR, "usage: lease lsn TENANT_ID TIMELINE_ID LSN");
            return;
        }
        Optional<Timeline> timeline = find(words[2], words[3]);
        if (timeline.isEmpty()) {
            return;
        }
        Lsn lsn;
        try {
            lsn = Lsn.parse(words[4]);
        } catch (IllegalArgumentException e) {
            fail(SqlState.SYNTAX_ERROR, String.valueOf(e.getMessage()));
            return;
        }
        context.metrics().request("lease_lsn");
        // It may have to wait for a manifest that is being written.
        context.timelines().sessionThreads().execute(() -> {
            try {
                TimelineMaintenance maintenance = context.maintenance();
                Long end = maintenance
                        .lease(timeline.get(), lsn, maintenance.config().leaseLength())
                        .map(Instant::toEpochMilli)
                        .orElse(null);
                connection.complete(TextTable.ofText("valid_until").row(end).build(), "SELECT 1");
            } catch (RuntimeException e) {
                fail(SqlState.INTERNAL_ERROR, String.valueOf(e.getMessage()));
            }
        });
    }

    private void show(String what) {
        if (!what.equals("server_version")) {
            try {
                caller.requireEverything();
            } catch (AuthException e) {
                fail(SqlState.INTERNAL_ERROR, e.text());
                return;
            }
        }
        // Asks layer maps and counters only, never a disk: may run on the event loop.
        Optional<TextTable> table = new ShowAnswers(context).answer(what);
        if (table.isPresent()) {
            connection.complete(table.get(), "SHOW");
        } else {
            fail(SqlState.UNDEFINED_OBJECT, "there is no '" + what + "' to show; " + ShowAnswers.WHAT_CAN_BE_ASKED);
        }
    }

    private void fail(String sqlState, String message) {
        connection.fail(ErrorFields.error(sqlState, message));
    }

    @Override
    public void onClosed(@Nullable Throwable cause) {
        context.metrics().connections(-1);
    }
}
