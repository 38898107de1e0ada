package io.tidemark.safekeeper.server;

import io.tidemark.runtime.auth.AuthException;
import io.tidemark.runtime.auth.Caller;
import io.tidemark.safekeeper.acceptor.ConnectionId;
import io.tidemark.safekeeper.timeline.Connections;
import io.tidemark.safekeeper.timeline.Timeline;
import io.tidemark.safekeeper.timeline.TimelineException;
import io.tidemark.safekeeper.timeline.TimelineSnapshot;
import io.tidemark.safekeeper.timeline.TimelineView;
import io.tidemark.wire.frame.Column;
import io.tidemark.wire.frame.ErrorFields;
import io.tidemark.wire.frame.InitialPacket.StartupMessage;
import io.tidemark.wire.frame.SqlState;
import io.tidemark.wire.frame.StartupOptions;
import io.tidemark.wire.frame.TextTable;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.server.PgServerConnection;
import io.tidemark.wire.server.PgSession;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One client of the PostgreSQL port: answers its questions, and becomes a stream when it asks for one. */
final class SafekeeperSession implements PgSession {
    /** The startup option of a reader that wants WAL and not what Neon's safekeepers make of it for one shard. */
    private static final String VANILLA = "{\"type\":\"vanilla\"}";

    private final PgServerConnection connection;
    private final EdgeContext context;
    private final Caller caller;
    private final ConnectionId id;
    private final String applicationName;
    private final Optional<TenantId> tenantId;
    private final Optional<TimelineId> timelineId;
    private final Optional<String> readingProtocol;

    /** Throws {@link io.tidemark.wire.frame.InvalidMessageException} when the startup options have malformed ids. */
    SafekeeperSession(PgServerConnection connection, StartupMessage startup, EdgeContext context, Caller caller) {
        this.connection = connection;
        this.context = context;
        this.caller = caller;
        this.applicationName = startup.applicationName();
        StartupOptions options = startup.options();
        this.tenantId = options.findTenantId();
        this.timelineId = options.findTimelineId();
        this.readingProtocol = options.find("protocol");
        this.id = context.connections().nextId();
        context.connections()
                .put(new Connections.Entry(
                        id,
                        PgEdge.peerOf(connection.channel()),
                        applicationName,
                        Instant.now(),
                        Connections.Kind.QUERY,
                        tenantId.isPresent() && timelineId.isPresent()
                                ? new TenantTimelineId(tenantId.get(), timelineId.get())
                                : null,
                        null));
    }

    @Override
    public String serverVersion() {
        // Who may not touch the timeline is not told its version either.
        Optional<TenantId> known = tenantId.filter(tenant -> caller.mayTouch(tenant.toString()));
        return PgEdge.serverVersion(context.registry(), known, timelineId);
    }

    @Override
    public void onCommand(String sql) {
        EdgeCommand command;
        try {
            command = EdgeCommand.parse(sql);
        } catch (IllegalArgumentException e) {
            context.metrics().queryReceived("other");
            connection.fail(ErrorFields.error(SqlState.SYNTAX_ERROR, String.valueOf(e.getMessage())));
            return;
        }
        context.metrics().queryReceived(command.label());
        try {
            run(command);
        } catch (TimelineException e) {
            connection.fail(ErrorFields.error(SqlState.INTERNAL_ERROR, e.text()));
        }
        context.metrics().queryFinished(command.label());
    }

    private void run(EdgeCommand command) throws TimelineException {
        switch (command) {
            case EdgeCommand.StartWalPush push -> startWalPush(push);
            case EdgeCommand.StartReplication start -> startReplication(start);
            case EdgeCommand.IdentifySystem _ -> identifySystem();
            case EdgeCommand.TimelineStatus _ -> timelineStatus();
            case EdgeCommand.Show show -> show(show.name());
            case EdgeCommand.ReadReplicationSlot _ -> readReplicationSlot();
            case EdgeCommand.CreateReplicationSlot create -> createReplicationSlot(create.name());
            case EdgeCommand.DropReplicationSlot _ -> connection.complete("DROP_REPLICATION_SLOT");
            case EdgeCommand.TimelineHistory history ->
                connection.fail(ErrorFields.error(
                        SqlState.UNDEFINED_OBJECT,
                        "there is no history of PostgreSQL timeline " + history.tli() + ": it is always 1 here"));
            case EdgeCommand.SetDateStyle _ -> connection.complete("SELECT 1");
            case EdgeCommand.Empty _ -> connection.complete("");
            case EdgeCommand.Unknown unknown ->
                connection.fail(ErrorFields.error(
                        SqlState.INTERNAL_ERROR,
                        "unsupported command " + unknown.text() + "; " + ShowAnswers.WHAT_CAN_BE_ASKED));
        }
    }

    /** The timeline that this connection names, if it may touch it: every command that concerns one comes by here. */
    private TenantTimelineId ttid() throws TimelineException {
        if (tenantId.isEmpty()) {
            throw new TimelineException(TimelineException.Kind.INVALID, "tenantid is required");
        }
        if (timelineId.isEmpty()) {
            throw new TimelineException(TimelineException.Kind.INVALID, "timelineid is required");
        }
        try {
            caller.requireTenant(tenantId.get().toString());
        } catch (AuthException e) {
            throw new TimelineException(TimelineException.Kind.FORBIDDEN, e.text());
        }
        return new TenantTimelineId(tenantId.get(), timelineId.get());
    }

    private void requireEverything() throws TimelineException {
        try {
            caller.requireEverything();
        } catch (AuthException e) {
            throw new TimelineException(TimelineException.Kind.FORBIDDEN, e.text());
        }
    }

    private static TimelineSnapshot requireSnapshot(Timeline timeline) throws TimelineException {
        TimelineView view = timeline.view();
        TimelineSnapshot snapshot = view.snapshot();
        if (snapshot == null || view.failure() != null) {
            throw new TimelineException(
                    TimelineException.Kind.BROKEN, "timeline " + view.ttid() + " stands still: " + view.failure());
        }
        return snapshot;
    }

    private TimelineSnapshot requireSnapshot() throws TimelineException {
        return requireSnapshot(context.registry().require(ttid()));
    }

    private void startWalPush(EdgeCommand.StartWalPush push) throws TimelineException {
        TenantTimelineId ttid = ttid();
        context.connections().update(id, entry -> entry.as(Connections.Kind.PROPOSER));
        connection.startCopyBoth(new WalPushHandler(connection, context, id, ttid, push));
    }

    private void startReplication(EdgeCommand.StartReplication start) throws TimelineException {
        if (readingProtocol.isPresent()
                && !readingProtocol.get().replace(" ", "").equals(VANILLA)) {
            // Bytes of WAL are not what it would take them for.
            context.metrics().refused("READING_PROTOCOL");
            connection.fail(ErrorFields.error(
                    SqlState.FEATURE_NOT_SUPPORTED,
                    "this safekeeper sends WAL as it is (protocol=" + VANILLA + ") and does not know protocol "
                            + readingProtocol.get()
                            + "; a pageserver needs its setting for the WAL receiver protocol to be vanilla"));
            return;
        }
        Timeline timeline = context.registry().require(ttid());
        requireSnapshot(timeline);
        Connections.Kind kind = WalSender.kindOf(applicationName, start);
        context.connections().update(id, entry -> entry.as(kind));
        WalSender.start(connection, context, timeline, new WalSender.Client(id, applicationName, kind), start);
    }

    private void identifySystem() throws TimelineException {
        TimelineSnapshot snapshot = requireSnapshot();
        // A recovering peer wants to know what is here, everybody else how far it may read.
        boolean recovery = applicationName.startsWith("safekeeper") || applicationName.equals("wal_proposer_recovery");
        Lsn position = recovery ? snapshot.flushLsn() : snapshot.commitLsn();
        connection.complete(
                TextTable.of(
                                Column.text("systemid"),
                                Column.int4("timeline"),
                                Column.text("xlogpos"),
                                Column.text("dbname"))
                        .row(snapshot.state().systemId(), 1, position, null)
                        .build(),
                "IDENTIFY_SYSTEM");
    }

    private void timelineStatus() throws TimelineException {
        TextTable.Builder table = TextTable.ofText("flush_lsn", "commit_lsn");
        try {
            TimelineSnapshot snapshot = requireSnapshot();
            table.row(snapshot.flushLsn(), snapshot.commitLsn());
        } catch (TimelineException e) {
            if (e.kind() != TimelineException.Kind.NOT_FOUND) {
                throw e;
            }
        }
        connection.complete(table.build(), "TIMELINE_STATUS");
    }

    private void show(String name) throws TimelineException {
        switch (name) {
            case "wal_segment_size" ->
                setting(name, sizeText(requireSnapshot().state().walSegmentSizeBytes()));
            // pg_receivewal gives its files the same mode.
            case "data_directory_mode" -> setting(name, "0700");
            case "server_version" -> setting(name, serverVersion());
            default -> {
                requireEverything();
                Optional<TextTable> table = new ShowAnswers(context).answer(name);
                if (table.isPresent()) {
                    connection.complete(table.get(), "SHOW");
                } else {
                    connection.fail(ErrorFields.error(
                            SqlState.UNDEFINED_OBJECT,
                            "there is no '" + name + "' to show; " + ShowAnswers.WHAT_CAN_BE_ASKED));
                }
            }
        }
    }

    private void setting(String name, String value) {
        connection.complete(TextTable.ofText(name).row(value).build(), "SHOW");
    }

    /** As PostgreSQL prints wal_segment_size. */
    private static String sizeText(int bytes) {
        int megabytes = bytes / (1024 * 1024);
        return megabytes % 1024 == 0 ? megabytes / 1024 + "GB" : megabytes + "MB";
    }

    // A safekeeper keeps WAL whether or not somebody has a slot, so every slot exists, and begins where the WAL begins.
    private void readReplicationSlot() throws TimelineException {
        TimelineSnapshot snapshot = requireSnapshot();
        connection.complete(
                TextTable.of(Column.text("slot_type"), Column.text("restart_lsn"), Column.int8("restart_tli"))
                        .row("physical", snapshot.state().localStartLsn(), 1)
                        .build(),
                "READ_REPLICATION_SLOT");
    }

    private void createReplicationSlot(String name) throws TimelineException {
        TimelineSnapshot snapshot = requireSnapshot();
        connection.complete(
                TextTable.ofText("slot_name", "consistent_point", "snapshot_name", "output_plugin")
                        .row(name, snapshot.commitLsn(), null, null)
                        .build(),
                "CREATE_REPLICATION_SLOT");
    }

    @Override
    public void onClosed(@Nullable Throwable cause) {
        context.connections().remove(id);
    }
}
