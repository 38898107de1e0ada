package io.tidemark.cli.page;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** What the commands of this package have in common: how they fail, and how they print. */
@SuppressWarnings("NullAway.Init") // picocli sets the fields
abstract class Inspection implements Callable<Integer> {
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    @Spec
    private CommandSpec spec;

    @Override
    public final Integer call() throws InterruptedException {
        try {
            int exitCode = run(spec.commandLine().getOut());
            spec.commandLine().getOut().flush();
            return exitCode;
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        } catch (IOException e) {
            String message = e.getMessage() == null ? e.toString() : e.getMessage();
            spec.commandLine().getErr().println(spec.qualifiedName() + ": " + message);
            return 1;
        }
    }

    /**
     * Does it.
     *
     * @return the exit code
     * @throws IllegalArgumentException when the command line is wrong
     */
    abstract int run(PrintWriter out) throws IOException, InterruptedException;

    /** For what is not asked for: progress. */
    final PrintWriter err() {
        return spec.commandLine().getErr();
    }

    static String text(JsonNode json) {
        return JSON.writeValueAsString(json);
    }
}
