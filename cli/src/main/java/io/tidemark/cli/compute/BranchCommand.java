package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.storage.BranchTime;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tidemark branch}: histories of a database by name. */
@Command(
        name = "branch",
        mixinStandardHelpOptions = true,
        description =
                "Make, list and remove branches: each is a database of its own, and shares its past with its parent.",
        subcommands = {
            BranchCommand.Create.class,
            BranchListCommand.class,
            BranchPointsCommand.class,
            BranchCommand.Delete.class,
            BranchCommand.Rename.class,
            BranchCommand.Restore.class,
            BranchCommand.Reset.class
        })
public final class BranchCommand {
    private static final String TIMES = "An LSN (0/16B3748), a time (2026-11-26T10:15:30Z, '2026-11-26 10:15:30+01'),"
            + " so long ago (-90s, -10m, -2h, -1d), a restore point (point:NAME), or head";

    private BranchCommand() {}

    /** {@code tidemark branch create}. */
    @Command(
            name = "create",
            mixinStandardHelpOptions = true,
            description = "Make a branch of another one at some time of its history; nothing is copied.")
    static final class Create extends StorageCommand {
        @Parameters(paramLabel = "NAME", description = "The new branch.")
        String name = "";

        @Option(
                names = "--from",
                paramLabel = "BRANCH",
                description = "Its parent (default: " + StorageDirectory.MAIN + ").")
        @Nullable
        String from;

        @Option(names = "--at", paramLabel = "TIME", defaultValue = "head", description = TIMES + " (default: head).")
        String at = "head";

        @Option(names = "--empty", description = "A new, empty database instead of a branch of another one.")
        boolean empty;

        @Option(names = "--pg", paramLabel = "MAJOR", description = "PostgreSQL's major version, with --empty.")
        int major;

        @Option(names = "--json", description = "Print JSON.")
        boolean json;

        @Override
        int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
            Branches branches = new Branches(directory);
            if (empty) {
                return createEmpty(branches, directory, terminal);
            }
            if (major != 0) {
                throw new IllegalArgumentException("--pg goes with --empty: a branch has its parent's version");
            }
            String parent = from == null ? StorageDirectory.MAIN : from;
            Branches.Created made = branches.create(name, parent, BranchTime.parse(at, Instant.now()));
            terminal.out()
                    .println(
                            json
                                    ? json(Map.of(
                                            "branch",
                                            name,
                                            "timeline",
                                            made.branch().timeline(),
                                            "from",
                                            parent,
                                            "lsn",
                                            made.lsn().toString()))
                                    : "Branch " + name + " leaves " + parent + " at " + made.lsn() + ".");
            return 0;
        }

        private int createEmpty(Branches branches, StorageDirectory directory, Terminal terminal)
                throws IOException, InterruptedException {
            if (from != null || !at.equals("head")) {
                throw new IllegalArgumentException("--empty goes without --from and --at");
            }
            int wanted = major == 0 ? directory.config().pgMajor() : major;
            if (wanted < PgVersion.OLDEST_MAJOR || wanted > PgVersion.NEWEST_MAJOR) {
                throw new IllegalArgumentException(
                        "--pg is " + PgVersion.OLDEST_MAJOR + " to " + PgVersion.NEWEST_MAJOR + ", not " + wanted);
            }
            var made = branches.createEmpty(name, wanted);
            terminal.out()
                    .println(
                            json
                                    ? json(Map.of("branch", name, "timeline", made.timeline()))
                                    : "Branch " + name + " is an empty database of PostgreSQL " + wanted + ".");
            return 0;
        }
    }

    /** {@code tidemark branch delete}. */
    @Command(
            name = "delete",
            mixinStandardHelpOptions = true,
            description = "Remove a branch with its history. Refused while others have been made from it.")
    static final class Delete extends StorageCommand {
        @Parameters(paramLabel = "NAME", description = "The branch.")
        String name = "";

        @Override
        int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
            List<String> silent = new Branches(directory).delete(name);
            terminal.out().println("Branch " + name + " is gone.");
            if (!silent.isEmpty()) {
                terminal.out().println("These did not answer and may keep its WAL: " + String.join(", ", silent));
            }
            return 0;
        }
    }

    /** {@code tidemark branch rename}. */
    @Command(name = "rename", mixinStandardHelpOptions = true, description = "Give a branch another name.")
    static final class Rename extends StorageCommand {
        @Parameters(index = "0", paramLabel = "NAME", description = "The branch.")
        String name = "";

        @Parameters(index = "1", paramLabel = "NEW", description = "Its new name.")
        String newName = "";

        @Override
        int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
            new Branches(directory).rename(name, newName);
            terminal.out().println("Branch " + name + " is called " + newName + " now.");
            return 0;
        }
    }

    /** {@code tidemark branch restore}. */
    @Command(
            name = "restore",
            mixinStandardHelpOptions = true,
            description =
                    "Put a branch back to a time of its history; what it was until now stays as a branch of its own.")
    static final class Restore extends StorageCommand {
        @Parameters(paramLabel = "NAME", description = "The branch.")
        String name = "";

        @Option(names = "--at", paramLabel = "TIME", required = true, description = TIMES + ".")
        String at = "";

        @Override
        int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
            Instant now = Instant.now();
            String kept = new Branches(directory).restore(name, BranchTime.parse(at, now), now);
            terminal.out()
                    .println("Branch " + name + " is back at " + at + "; what it was is branch " + kept
                            + ". tidemark compute start --branch " + name + " runs it.");
            return 0;
        }
    }

    /** {@code tidemark branch reset}. */
    @Command(
            name = "reset",
            mixinStandardHelpOptions = true,
            description = "Make a branch what its parent is now. What was written to it is lost.")
    static final class Reset extends StorageCommand {
        @Parameters(paramLabel = "NAME", description = "The branch.")
        String name = "";

        @Override
        int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
            Lsn lsn = new Branches(directory).reset(name);
            terminal.out().println("Branch " + name + " is what its parent is at " + lsn + ".");
            return 0;
        }
    }
}
