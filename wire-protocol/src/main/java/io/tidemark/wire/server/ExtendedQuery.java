package io.tidemark.wire.server;

import io.tidemark.wire.frame.BackendMessage;
import io.tidemark.wire.frame.BackendMessage.ErrorResponse;
import io.tidemark.wire.frame.BackendMessage.Marker;
import io.tidemark.wire.frame.BackendMessage.ParameterDescription;
import io.tidemark.wire.frame.BackendMessage.ReadyForQuery;
import io.tidemark.wire.frame.ErrorFields;
import io.tidemark.wire.frame.FrontendMessage;
import io.tidemark.wire.frame.FrontendMessage.Bind;
import io.tidemark.wire.frame.FrontendMessage.Describe;
import io.tidemark.wire.frame.FrontendMessage.Execute;
import io.tidemark.wire.frame.FrontendMessage.Parse;
import io.tidemark.wire.frame.FrontendMessage.Target;
import io.tidemark.wire.frame.SqlState;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The extended protocol as far as drivers need it to ask a question: one statement without parameters, whatever its name (drivers in
 * Rust name theirs), one unnamed portal, no row limit.
 *
 * <p>A result's columns are known only when the command has run. So the answer to Describe of a portal waits for Execute: on
 * the wire the order is the same. A described statement has no columns.
 *
 * <p>After an error everything up to the next Sync is skipped.
 */
final class ExtendedQuery {
    private String statement = "";
    private String sql = "";
    private boolean running;
    private boolean describePending;
    private boolean skipping;

    /** True while the command that runs came by Execute. */
    boolean isRunning() {
        return running;
    }

    String sql() {
        return sql;
    }

    void simpleQuery() {
        running = false;
        describePending = false;
    }

    boolean skips(FrontendMessage message) {
        return skipping && !(message instanceof FrontendMessage.Sync);
    }

    /** An error has been sent. */
    void failed() {
        skipping = running || skipping;
        describePending = false;
    }

    /** True once for each Describe whose answer is still due. */
    boolean takesDescription() {
        boolean due = running && describePending;
        describePending = describePending && !due;
        return due;
    }

    /** The command is over; returns whether ReadyForQuery has to wait for Sync. */
    boolean ends() {
        boolean wasRunning = running;
        running = false;
        return wasRunning;
    }

    List<BackendMessage> parse(Parse parse) {
        if (!parse.parameterTypeOids().isEmpty()) {
            return refuse("only a statement without parameters can be prepared here");
        }
        statement = parse.statement();
        sql = parse.sql();
        return List.of(Marker.PARSE_COMPLETE);
    }

    List<BackendMessage> bind(Bind bind) {
        if (!bind.portal().isEmpty()
                || !bind.statement().equals(statement)
                || !bind.parameters().isEmpty()) {
            return refuse("only the unnamed portal of the statement prepared last, without parameters, exists here");
        }
        return List.of(Marker.BIND_COMPLETE);
    }

    List<BackendMessage> describe(Describe describe) {
        if (describe.target() == Target.STATEMENT) {
            return List.of(new ParameterDescription(List.of()), Marker.NO_DATA);
        }
        describePending = true;
        return List.of();
    }

    List<BackendMessage> close() {
        return List.of(Marker.CLOSE_COMPLETE);
    }

    /** Null when the command may run. */
    @Nullable
    ErrorFields execute(Execute execute) {
        if (execute.rowLimit() != 0) {
            skipping = true;
            return ErrorFields.error(SqlState.FEATURE_NOT_SUPPORTED, "Execute with a row limit is not supported");
        }
        running = true;
        return null;
    }

    List<BackendMessage> sync() {
        List<BackendMessage> answer = new ArrayList<>();
        if (describePending && !skipping) {
            answer.add(Marker.NO_DATA);
        }
        skipping = false;
        describePending = false;
        answer.add(ReadyForQuery.IDLE);
        return answer;
    }

    private List<BackendMessage> refuse(String message) {
        skipping = true;
        return List.of(new ErrorResponse(ErrorFields.error(SqlState.FEATURE_NOT_SUPPORTED, message)));
    }
}
