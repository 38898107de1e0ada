package io.tidemark.cli.page;

import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.JsonNodeFactory;

/** {@code tidemark timeline delete}: a timeline, its files and all. */
@Command(
        name = "delete",
        mixinStandardHelpOptions = true,
        description = "Delete a timeline from a pageserver, for good; its WAL stays on the safekeepers.",
        footer = {"", "Exit codes: 0 deleted, 1 refused (it has branches) or not there, 2 wrong command line."})
@SuppressWarnings("NullAway.Init") // picocli sets the fields
final class TimelineDeleteCommand extends Inspection {
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
            http.send("DELETE", path, "");
        }
        out.println(
                json
                        ? text(JsonNodeFactory.instance
                                .objectNode()
                                .put("deleted", timeline.id().toString()))
                        : "timeline " + timeline.id() + " is deleted");
        return 0;
    }
}
