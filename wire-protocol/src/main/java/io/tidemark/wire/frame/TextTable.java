package io.tidemark.wire.frame;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A tabular answer in text format: what a SHOW question is answered with, and what a simple query brings back.
 *
 * @param columns may be empty: a command without a result
 * @param rows one value per column each, null for SQL's NULL
 */
public record TextTable(List<Column> columns, List<List<@Nullable String>> rows) {
    public static final TextTable EMPTY = new TextTable(List.of(), List.of());

    /** Throws {@link IllegalArgumentException} for a row with too few or too many values. */
    public TextTable {
        columns = List.copyOf(columns);
        List<List<@Nullable String>> copies = new ArrayList<>(rows.size());
        for (List<@Nullable String> row : rows) {
            if (row.size() != columns.size()) {
                throw new IllegalArgumentException(row.size() + " values for " + columns.size() + " columns: " + row);
            }
            copies.add(Collections.unmodifiableList(new ArrayList<>(row)));
        }
        rows = Collections.unmodifiableList(copies);
    }

    /** A table without rows yet; see {@link Builder#row}. */
    public static Builder of(Column... columns) {
        return new Builder(List.of(columns));
    }

    /** A table without rows yet, all columns of type text. */
    public static Builder ofText(String... columnNames) {
        return new Builder(Arrays.stream(columnNames).map(Column::text).toList());
    }

    /** The value of a column in a row; throws when either does not exist. */
    public @Nullable String value(int row, String columnName) {
        for (int i = 0; i < columns.size(); i++) {
            if (columns.get(i).name().equals(columnName)) {
                return rows.get(row).get(i);
            }
        }
        throw new IllegalArgumentException("no column " + columnName + " in " + columns);
    }

    /** Collects rows. */
    public static final class Builder {
        private final List<Column> columns;
        private final List<List<@Nullable String>> rows = new ArrayList<>();

        private Builder(List<Column> columns) {
            this.columns = columns;
        }

        /** Adds a row; values become text by {@code toString}, booleans as PostgreSQL's t and f. */
        public Builder row(@Nullable Object... values) {
            List<@Nullable String> row = new ArrayList<>(values.length);
            for (Object value : values) {
                row.add(text(value));
            }
            rows.add(row);
            return this;
        }

        private static @Nullable String text(@Nullable Object value) {
            if (value instanceof Boolean bool) {
                return bool ? "t" : "f";
            }
            return value == null ? null : value.toString();
        }

        public TextTable build() {
            return new TextTable(columns, rows);
        }
    }
}
