package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.TokenFile;
import io.tidemark.cli.follow.CutOver;
import io.tidemark.cli.follow.Imports;
import io.tidemark.cli.storage.Branch;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.wire.client.ConnectionUri;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tidemark import}: a PostgreSQL that runs elsewhere becomes a branch. */
@Command(
        name = "import",
        mixinStandardHelpOptions = true,
        description =
                "Make a branch of a PostgreSQL 14 to 18 that runs, without stopping it, and follow it until it is cut over.",
        footer = {
            "",
            "Afterwards the branch has what the server has, a moment later; other branches may be made of it, but it takes no",
            "writes. Then shut the server down, or make it read-only, and run tidemark import cut-over: the branch is one like",
            "any other, and tidemark compute start runs it. The server needs wal_level = replica or logical, no tablespaces of",
            "its own, a role with REPLICATION that pg_hba.conf lets in, two free replication slots and four free WAL senders.",
            "Its commits do not wait. For a branch main in a new cluster: tidemark start --no-main. Exit codes: 0 the branch",
            "can be read, 1 it failed and nothing is left of it, 2 wrong command line. After an interruption: tidemark import",
            "abort."
        },
        subcommands = {ImportCommand.Finish.class, ImportCommand.Abort.class, ImportRunCommand.class})
public final class ImportCommand extends StorageCommand {
    @Parameters(
            paramLabel = "URL",
            arity = "0..1",
            description = "postgres://user[:password]@host:port/[database][?sslmode=disable|prefer|require].")
    @Nullable
    String url;

    @Option(names = "--branch", paramLabel = "NAME", description = "The new branch (default: main).")
    String branch = StorageDirectory.MAIN;

    @Option(names = "--password-file", paramLabel = "FILE", description = "The first line is the password.")
    @Nullable
    Path passwordFile;

    @Option(names = "--again", description = "Also when there is a branch of the same server already.")
    boolean again;

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    @Override
    int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
        if (url == null) {
            throw new IllegalArgumentException("a server is needed: tidemark import postgres://user@host:port/");
        }
        ConnectionUri uri = ConnectionUri.parse(url);
        String password = TokenFile.read(passwordFile).orElse(uri.password());
        try (CopyProgressBar progress = new CopyProgressBar(terminal.err())) {
            Branch made = new Imports(directory).start(branch, withoutPassword(url), password, again, progress);
            progress.close();
            terminal.out()
                    .println(
                            json
                                    ? json(Map.of(
                                            "branch",
                                            made.name(),
                                            "timeline",
                                            made.timeline(),
                                            "pgMajor",
                                            made.pgMajor()))
                                    : "Branch " + branch + " follows " + uri + " (PostgreSQL " + made.pgMajor()
                                            + "). When that is shut down or read-only: tidemark import cut-over --branch "
                                            + branch);
        }
        return 0;
    }

    private static String withoutPassword(String url) {
        return url.replaceFirst("(://[^:/@]*):[^@]*@", "$1@");
    }

    /** {@code tidemark import cut-over}. */
    @Command(
            name = "cut-over",
            mixinStandardHelpOptions = true,
            description = {
                "Complete an import: make sure that everything the server has committed is here, and follow it no more.",
                "Refused while the server takes writes, or when it went down and its last WAL did not arrive."
            })
    static final class Finish extends StorageCommand {
        @Option(
                names = "--branch",
                paramLabel = "NAME",
                defaultValue = StorageDirectory.MAIN,
                description = "Which branch (default: ${DEFAULT-VALUE}).")
        String branch = StorageDirectory.MAIN;

        @Option(
                names = "--force",
                description = "Take what is here by now; what the server commits besides is not part of the branch.")
        boolean force;

        @Option(names = "--json", description = "Print JSON.")
        boolean json;

        @Override
        int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
            try (CopyProgressBar progress = new CopyProgressBar(terminal.err())) {
                CutOver.Done done = new CutOver(directory).run(branch, force, progress);
                progress.close();
                if (json) {
                    terminal.out()
                            .println(json(Map.of(
                                    "branch", branch, "lsn", done.lsn().toString(), "slotLeft", done.slotLeft())));
                    return 0;
                }
                terminal.out()
                        .println("Branch " + branch + " has everything up to " + done.lsn()
                                + " and follows no more. tidemark compute start --branch " + branch + " runs it.");
                if (!done.slotLeft().isEmpty()) {
                    terminal.out().println(done.slotLeft());
                }
            }
            return 0;
        }
    }

    /** {@code tidemark import abort}. */
    @Command(
            name = "abort",
            mixinStandardHelpOptions = true,
            description = "Give an import up: the branch goes, the server is left as it was.")
    static final class Abort extends StorageCommand {
        @Option(
                names = "--branch",
                paramLabel = "NAME",
                defaultValue = StorageDirectory.MAIN,
                description = "Which branch (default: ${DEFAULT-VALUE}).")
        String branch = StorageDirectory.MAIN;

        @Override
        int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
            try (CopyProgressBar progress = new CopyProgressBar(terminal.err())) {
                String slotLeft = new Imports(directory).abort(branch, progress);
                progress.close();
                terminal.out().println("The import of branch " + branch + " is given up; the branch is gone.");
                if (!slotLeft.isEmpty()) {
                    terminal.out().println(slotLeft);
                }
            }
            return 0;
        }
    }
}
