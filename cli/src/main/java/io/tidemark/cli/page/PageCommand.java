package io.tidemark.cli.page;

import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/** Groups the commands that look at pages. */
@Command(
        name = "page",
        description = "Look at pages of a timeline, at any LSN.",
        subcommands = {PageGetCommand.class, PageDiffCommand.class, HelpCommand.class})
public final class PageCommand {}
