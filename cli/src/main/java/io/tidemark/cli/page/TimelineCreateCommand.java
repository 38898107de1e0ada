package io.tidemark.cli.page;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** {@code tidemark timeline create}: a timeline out of a data directory, or as a branch of another one. */
@Command(
        name = "create",
        mixinStandardHelpOptions = true,
        description = "Make a timeline: out of the data directory of a PostgreSQL that was shut down, or as a branch.",
        footer = {
            "",
            "The WAL from where the data directory ends has to be on the safekeepers under the same ids.",
            "Exit codes: 0 made, 1 refused, 2 wrong command line."
        })
@SuppressWarnings("NullAway.Init") // picocli sets the fields
final class TimelineCreateCommand extends Inspection {
    @Mixin
    private PageserverFlags pageserver;

    @Mixin
    private TimelineFlags timeline;

    @ArgGroup(multiplicity = "1")
    private Origin origin;

    /** What it begins with. */
    private static final class Origin {
        @Option(
                names = "--from-data-dir",
                paramLabel = "DIR",
                required = true,
                description = "A data directory on the pageserver's machine.")
        private @Nullable Path dataDir;

        @ArgGroup(exclusive = false)
        private @Nullable BranchPoint branch;
    }

    /** Where it branches off. */
    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    private static final class BranchPoint {
        @Option(
                names = "--ancestor-timeline-id",
                paramLabel = "HEX",
                required = true,
                description = "The timeline of the same tenant that it branches off.")
        private String ancestor;

        @Option(names = "--ancestor-lsn", paramLabel = "LSN", description = "Where (default: its end).")
        private @Nullable String lsn;
    }

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Override
    int run(PrintWriter out) throws IOException, InterruptedException {
        TenantTimelineId id = timeline.id();
        ObjectNode body = JsonNodeFactory.instance
                .objectNode()
                .put("new_timeline_id", id.timelineId().toString());
        BranchPoint branch = origin.branch;
        Path dataDir = origin.dataDir;
        if (branch != null) {
            body.put("ancestor_timeline_id", TimelineId.parse(branch.ancestor).toString());
            if (branch.lsn != null) {
                body.put("ancestor_start_lsn", Lsn.parse(branch.lsn).toString());
            }
        } else if (dataDir != null) {
            body.putObject("import_pgdata")
                    .putObject("location")
                    .putObject("LocalFs")
                    .put("path", dataDir.toAbsolutePath().toString());
        }
        try (PageserverHttp http = pageserver.connect()) {
            JsonNode made = http.send("POST", "/v1/tenant/" + id.tenantId() + "/timeline", body.toString());
            if (json) {
                out.println(text(made));
            } else {
                out.println("timeline " + id + " is made; it can be read from "
                        + made.path("min_readable_lsn").asString("") + " on");
            }
        }
        return 0;
    }
}
