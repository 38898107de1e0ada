package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.Reader;
import io.tidemark.cli.storage.Readers;
import io.tidemark.cli.storage.StorageDirectory;
import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code tidemark compute promote}. */
@Command(
        name = "promote",
        mixinStandardHelpOptions = true,
        description =
                "Let a compute that takes commits stand in for a replica, which is removed: the one that wrote before is"
                        + " stopped, or fenced where it cannot be reached, and nothing that was acknowledged is lost.",
        footer = {
            "",
            "It is the only way: pg_promote() and pg_ctl promote fail on a replica. The new one is built from storage, at the end",
            "of committed WAL, and listens where the one that wrote before did.",
            "Exit codes: 0 commits go through, 1 it failed, 2 wrong command line."
        })
final class ComputePromoteCommand extends StorageCommand {
    @Mixin
    ComputeFlags flags = new ComputeFlags();

    @Override
    int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
        String name = flags.name == null ? Readers.REPLICA : flags.name;
        directory.branches().require(flags.branch);
        Readers readers = new Readers(directory);
        Reader replica = readers.require(flags.branch, name);
        if (!replica.follows()) {
            throw new ClusterException("compute " + replica.id() + " shows the past; tidemark branch create --from "
                    + flags.branch + " --at " + replica.lsn() + " makes it a branch that can be written");
        }
        Computes computes = new Computes(directory);
        computes.stop(flags.branch);
        int done = flags.startWriter(directory, terminal);
        computes.stop(replica);
        readers.remove(replica);
        return done;
    }
}
