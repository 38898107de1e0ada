package io.tidemark.cli.page;

import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/** Groups the commands that look at layer files. */
@Command(
        name = "layer",
        description = "Look at the layer files of a pageserver, without the pageserver.",
        subcommands = {LayerDumpCommand.class, HelpCommand.class})
public final class LayerCommand {}
