package io.tidemark.wire.client;

import io.tidemark.wire.frame.TextTable;

/**
 * What a simple query brought back; of several statements the last one's.
 *
 * @param table empty for a command without a result
 * @param tag the command tag, e.g. {@code SELECT 1}
 */
public record QueryResult(TextTable table, String tag) {}
