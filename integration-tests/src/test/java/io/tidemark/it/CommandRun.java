package io.tidemark.it;

import io.tidemark.cli.TidemarkCommand;
import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;

/** One {@code tidemark} command line, run in this process, and what came of it. */
public record CommandRun(int exitCode, String out, String err) {
    /** Runs it to its end. */
    public static CommandRun of(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine commandLine =
                TidemarkCommand.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        int exitCode = commandLine.execute(arguments);
        return new CommandRun(exitCode, out.toString(), err.toString());
    }

    /** For a failure's message. */
    @Override
    public String toString() {
        return "exit code " + exitCode + "\n--- out\n" + out + "--- err\n" + err;
    }
}
