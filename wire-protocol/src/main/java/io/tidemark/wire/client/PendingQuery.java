package io.tidemark.wire.client;

import io.tidemark.wire.frame.BackendMessage;
import io.tidemark.wire.frame.Column;
import io.tidemark.wire.frame.ErrorFields;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.frame.TextTable;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A query whose rows are being collected. */
final class PendingQuery implements PendingCommand {
    /** A result larger than this ends the connection: these are questions about state, not about data. */
    static final long MAX_RESULT_BYTES = 64L << 20;

    private static final int BYTES_PER_VALUE = 32;

    private final CompletableFuture<QueryResult> result = new CompletableFuture<>();
    private List<Column> columns = List.of();
    private List<List<@Nullable String>> rows = new ArrayList<>();
    private long resultBytes;
    private String tag = "";
    private @Nullable ErrorFields error;

    CompletableFuture<QueryResult> result() {
        return result;
    }

    @Override
    public boolean on(BackendMessage message) {
        switch (message) {
            case BackendMessage.RowDescription description -> {
                columns = description.columns();
                rows = new ArrayList<>();
            }
            case BackendMessage.DataRow row -> addRow(row.values());
            case BackendMessage.CommandComplete complete -> tag = complete.tag();
            case BackendMessage.ErrorResponse response -> error = response.fields();
            case BackendMessage.Marker marker -> {}
            case BackendMessage.ReadyForQuery ready -> {
                return true;
            }
            default ->
                throw new InvalidMessageException(
                        "unexpected in answer to a query: " + message.getClass().getSimpleName());
        }
        return false;
    }

    private void addRow(List<@Nullable String> row) {
        if (row.size() != columns.size()) {
            throw new InvalidMessageException("a row of " + row.size() + " values for " + columns.size() + " columns");
        }
        for (String value : row) {
            resultBytes += BYTES_PER_VALUE + (value == null ? 0 : value.length());
        }
        if (resultBytes > MAX_RESULT_BYTES) {
            throw new InvalidMessageException("a result of more than " + MAX_RESULT_BYTES + " bytes");
        }
        rows.add(row);
    }

    @Override
    public void complete() {
        if (error != null) {
            result.completeExceptionally(new PgServerException(error));
        } else {
            result.complete(new QueryResult(new TextTable(columns, rows), tag));
        }
    }

    @Override
    public void lost(Throwable cause) {
        // A fatal error is followed by the end of the connection, and says why.
        result.completeExceptionally(error == null ? cause : new PgServerException(error));
    }
}
