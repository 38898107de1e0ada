package io.tidemark.cli.page;

import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/** Groups the commands about the timelines of a pageserver. */
@Command(
        name = "timeline",
        description = "List, look at, make and delete timelines of a pageserver.",
        subcommands = {
            TimelineListCommand.class,
            TimelineInfoCommand.class,
            TimelineCreateCommand.class,
            TimelineImportCommand.class,
            TimelineDeleteCommand.class,
            HelpCommand.class
        })
public final class TimelineCommand {}
