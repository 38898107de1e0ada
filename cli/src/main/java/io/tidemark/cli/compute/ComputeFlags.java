package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.storage.ComputeStatus;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.StorageDirectory;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
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

    int start(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
        long begun = System.nanoTime();
        ComputeStatus status = new Computes(directory).start(branch, port, settings, phase -> {
            if (!json) {
                terminal.out().printf("  %-7s %6d ms  %s%n", phase.name(), phase.millis(), phase.detail());
                terminal.out().flush();
            }
        });
        if (json) {
            terminal.out().println(StorageCommand.json(status));
        } else {
            terminal.out()
                    .printf(
                            "Branch %s takes commits, %.1f s after the start.%n",
                            branch, (System.nanoTime() - begun) / 1e9);
            terminal.printConnection(status.port());
        }
        return 0;
    }
}
