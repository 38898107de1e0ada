package io.tidemark.cli.page;

import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/** {@code tidemark timeline info}: all that a pageserver says of one timeline. */
@Command(
        name = "info",
        mixinStandardHelpOptions = true,
        description = "Show a timeline: where it is readable, how far it is, where its WAL comes from.",
        footer = {"", "Exit codes: 0 shown, 1 there is no such timeline or pageserver, 2 wrong command line."})
@SuppressWarnings("NullAway.Init") // picocli sets the fields
final class TimelineInfoCommand extends Inspection {
    @Mixin
    private PageserverFlags pageserver;

    @Mixin
    private TimelineFlags timeline;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Override
    int run(PrintWriter out) throws IOException, InterruptedException {
        String path = PageserverHttp.path(timeline.id());
        try (PageserverHttp http = pageserver.connect()) {
            JsonNode info = http.get(path);
            if (json) {
                out.println(text(info));
            } else {
                TimelineTable.printFields(info, out);
            }
        }
        return 0;
    }
}
