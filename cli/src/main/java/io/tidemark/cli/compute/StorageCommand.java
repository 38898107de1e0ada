package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.storage.StorageDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** What the commands on a storage cluster have in common: its directory, and how failures are told. */
abstract class StorageCommand implements Callable<Integer> {
    static final String DEFAULT_DIRECTORY = ".tidemark";

    private static final JsonMapper MAPPER =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    @Spec
    @Nullable
    CommandSpec spec;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            defaultValue = DEFAULT_DIRECTORY,
            description = "Where the cluster lives (default: ${DEFAULT-VALUE}).")
    Path dir = Path.of(DEFAULT_DIRECTORY);

    /** Does it; an {@link IOException}'s message is for the person at the terminal. */
    abstract int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException;

    @Override
    public final Integer call() throws InterruptedException {
        Terminal terminal = Terminal.of(spec);
        try {
            return run(StorageDirectory.open(dir), terminal);
        } catch (IOException e) {
            return terminal.fail(name(), e);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(requireSpec().commandLine(), String.valueOf(e.getMessage()), e);
        } finally {
            terminal.out().flush();
        }
    }

    private String name() {
        return requireSpec().qualifiedName().replaceFirst("^tidemark ", "");
    }

    private CommandSpec requireSpec() {
        if (spec == null) {
            throw new IllegalStateException("not made by picocli");
        }
        return spec;
    }

    static String json(Object value) {
        return MAPPER.writeValueAsString(value);
    }
}
