package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.storage.ComputeStatus;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.Reader;
import io.tidemark.cli.storage.Readers;
import io.tidemark.cli.storage.StorageDirectory;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What starting a compute takes, and how it is told. */
final class ComputeFlags {
    @Option(
            names = "--branch",
            paramLabel = "NAME",
            defaultValue = StorageDirectory.MAIN,
            description = "Which branch (default: ${DEFAULT-VALUE}).")
    String branch = StorageDirectory.MAIN;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            description =
                    "PostgreSQL's port on 127.0.0.1 (default: the one it had before, 54321 for main, or any free one).")
    int port;

    @Option(
            names = "--pg-config",
            paramLabel = "NAME=VALUE",
            description = "A configuration parameter of PostgreSQL; may be repeated.")
    Map<String, String> settings = new LinkedHashMap<>();

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "A compute of the branch that only reads, by its name.")
    @Nullable
    String name;

    /** Starts the one that writes, or, when there is a name, the one that was defined under it. */
    int start(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
        return name == null
                ? startWriter(directory, terminal)
                : start(directory, new Readers(directory).require(branch, name), terminal);
    }

    /** Starts the one that writes. */
    int startWriter(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
        long begun = System.nanoTime();
        ComputeStatus status = new Computes(directory).start(branch, port, settings, told(terminal));
        report(terminal, status, "Branch " + branch + " takes commits", begun);
        return 0;
    }

    /** Starts one that only reads. */
    int start(StorageDirectory directory, Reader reader, Terminal terminal) throws IOException, InterruptedException {
        long begun = System.nanoTime();
        ComputeStatus status = new Computes(directory).start(reader, port, settings, told(terminal));
        String what = reader.follows() ? " can be read as it is written" : " can be read as it was at " + reader.lsn();
        report(terminal, status, "Branch " + branch + what, begun);
        if (!json) {
            terminal.out()
                    .println("It is compute " + reader.id() + ": --branch " + branch + " --name " + reader.name());
        }
        return 0;
    }

    private Consumer<ComputeStatus.Phase> told(Terminal terminal) {
        return phase -> {
            if (!json) {
                terminal.out().printf("  %-7s %6d ms  %s%n", phase.name(), phase.millis(), phase.detail());
                terminal.out().flush();
            }
        };
    }

    private void report(Terminal terminal, ComputeStatus status, String what, long begun) {
        if (json) {
            terminal.out().println(StorageCommand.json(status));
        } else {
            terminal.out().printf("%s, %.1f s after the start.%n", what, (System.nanoTime() - begun) / 1e9);
            terminal.printConnection(status.port());
        }
    }
}
