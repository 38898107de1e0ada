package io.tidemark.cli;

import io.tidemark.shim.postgres.PostgresServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/**
 * How commands talk to the person who gave them.
 *
 * @param out what was asked for
 * @param err what went wrong
 */
public record Terminal(PrintWriter out, PrintWriter err) {
    /** The terminal of a command. */
    public static Terminal of(@Nullable CommandSpec spec) {
        if (spec == null) {
            throw new IllegalStateException("not made by picocli");
        }
        return new Terminal(spec.commandLine().getOut(), spec.commandLine().getErr());
    }

    /** Says why a command failed, in the exception's own words, and answers exit code 1. */
    public int fail(String command, IOException e) {
        String message = e.getMessage() == null ? e.toString() : e.getMessage();
        err.println("tidemark " + command + ": " + message);
        err.flush();
        return 1;
    }

    /** How to reach a PostgreSQL. */
    public void printConnection(PostgresServer postgres) {
        printConnection(postgres.port());
    }

    /** How to reach a PostgreSQL on this machine. */
    public void printConnection(int port) {
        out.println("  psql:  psql -h 127.0.0.1 -p " + port + " -U postgres");
        out.println("  JDBC:  jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=postgres");
        out.flush();
    }

    /** Lines of columns as wide as their widest cell, two blanks apart. */
    public static List<String> table(List<List<String>> rows) {
        List<String> lines = new ArrayList<>();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < row.size(); column++) {
                int width = width(rows, column);
                line.append(row.get(column)).repeat(' ', width - row.get(column).length() + 2);
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }

    private static int width(List<List<String>> rows, int column) {
        return rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0);
    }
}
