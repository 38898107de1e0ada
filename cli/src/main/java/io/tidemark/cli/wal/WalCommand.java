package io.tidemark.cli.wal;

import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/** Groups the commands that look at WAL. */
@Command(
        name = "wal",
        description = "Look at write-ahead log.",
        subcommands = {
            WalDumpCommand.class,
            WalVerifyCommand.class,
            WalMakeCommand.class,
            WalMatrixCommand.class,
            HelpCommand.class
        })
public final class WalCommand {}
