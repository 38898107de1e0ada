package io.tidemark.safekeeper.server;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A question or an order on the PostgreSQL port, from the text of a simple query.
 *
 * <p>The grammar is that of the clients in the field: Neon's computes, pageservers, PostgreSQL's walreceiver and pg_receivewal. It is
 * matched by prefix, so what a client appends (a standby's {@code TIMELINE 1}) is ignored.
 */
sealed interface EdgeCommand {
    /** Longer queries are not commands; also keeps the patterns of {@link EdgeGrammar} from being fed with megabytes. */
    int MAX_CHARS = 8192;

    /** {@code START_WAL_PUSH [(proto_version '3', allow_timeline_creation 'true')]}. */
    record StartWalPush(int protocolVersion, boolean allowTimelineCreation) implements EdgeCommand {}

    /** {@code START_REPLICATION [SLOT x] [PHYSICAL] X/X [(term='N')] ...}; without a term only committed WAL is read. */
    record StartReplication(Lsn startLsn, @Nullable Term term) implements EdgeCommand {}

    record IdentifySystem() implements EdgeCommand {}

    record TimelineStatus() implements EdgeCommand {}

    /** {@code SHOW name}: a question of a person, or of pg_receivewal about a setting. Lower case. */
    record Show(String name) implements EdgeCommand {}

    /** {@code TIMELINE_HISTORY n}: about PostgreSQL's own timeline, which here is always 1 and has no history. */
    record TimelineHistory(String tli) implements EdgeCommand {}

    /** {@code READ_REPLICATION_SLOT name}. */
    record ReadReplicationSlot(String name) implements EdgeCommand {}

    /** {@code CREATE_REPLICATION_SLOT name ...}. */
    record CreateReplicationSlot(String name) implements EdgeCommand {}

    /** {@code DROP_REPLICATION_SLOT name ...}. */
    record DropReplicationSlot() implements EdgeCommand {}

    /** {@code set datestyle to ...}, which some client libraries send. */
    record SetDateStyle() implements EdgeCommand {}

    /** Nothing but white space and semicolons. */
    record Empty() implements EdgeCommand {}

    record Unknown(String text) implements EdgeCommand {}

    /** The name of the command, for metrics: one of few, whatever the peer sends. */
    default String label() {
        return switch (this) {
            case StartWalPush _ -> "start_wal_push";
            case StartReplication _ -> "start_replication";
            case IdentifySystem _ -> "identify_system";
            case TimelineStatus _ -> "timeline_status";
            case Show _ -> "show";
            case TimelineHistory _, ReadReplicationSlot _, CreateReplicationSlot _, DropReplicationSlot _ ->
                "replication_slot";
            case SetDateStyle _, Empty _, Unknown _ -> "other";
        };
    }

    /**
     * Reads a query.
     *
     * @throws IllegalArgumentException when a known command has arguments that can't be, with a text for the client
     */
    static EdgeCommand parse(String query) {
        String text = query.strip();
        while (text.endsWith(";")) {
            text = text.substring(0, text.length() - 1).stripTrailing();
        }
        if (text.length() > MAX_CHARS) {
            return new Unknown(text.substring(0, 40) + "...");
        }
        if (text.isEmpty()) {
            return new Empty();
        }
        if (text.startsWith("START_WAL_PUSH")) {
            return EdgeGrammar.startWalPush(text);
        }
        String[] words = text.split("\\s+", 3);
        return switch (words[0].toUpperCase(Locale.ROOT)) {
            case "IDENTIFY_SYSTEM" -> new IdentifySystem();
            case "TIMELINE_STATUS" -> new TimelineStatus();
            case "START_REPLICATION" -> EdgeGrammar.startReplication(text);
            case "SHOW" -> new Show(EdgeGrammar.rest(words, text).toLowerCase(Locale.ROOT));
            case "TIMELINE_HISTORY" -> new TimelineHistory(EdgeGrammar.name(words));
            case "READ_REPLICATION_SLOT" -> new ReadReplicationSlot(EdgeGrammar.name(words));
            case "CREATE_REPLICATION_SLOT" -> new CreateReplicationSlot(EdgeGrammar.name(words));
            case "DROP_REPLICATION_SLOT" -> new DropReplicationSlot();
            default ->
                text.toLowerCase(Locale.ROOT).startsWith("set datestyle to ") ? new SetDateStyle() : new Unknown(text);
        };
    }
}
