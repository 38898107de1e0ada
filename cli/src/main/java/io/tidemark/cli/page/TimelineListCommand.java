package io.tidemark.cli.page;

import io.tidemark.wire.id.TenantId;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** {@code tidemark timeline list}: the timelines of a pageserver. */
@Command(
        name = "list",
        mixinStandardHelpOptions = true,
        description = "List the timelines of one tenant, or of all.",
        footer = {"", "Exit codes: 0 listed, 1 there is no such pageserver, 2 wrong command line."})
@SuppressWarnings("NullAway.Init") // picocli sets the fields
final class TimelineListCommand extends Inspection {
    @Mixin
    private PageserverFlags pageserver;

    @Option(names = "--tenant-id", paramLabel = "HEX", description = "Only of this tenant (default: of all).")
    private @Nullable String tenantId;

    @Option(names = "--json", description = "Print a JSON array.")
    private boolean json;

    @Override
    int run(PrintWriter out) throws IOException, InterruptedException {
        List<String> tenants = new ArrayList<>();
        ArrayNode timelines = JsonNodeFactory.instance.arrayNode();
        if (tenantId != null) {
            tenants.add(TenantId.parse(tenantId).toString());
        }
        try (PageserverHttp http = pageserver.connect()) {
            if (tenantId == null) {
                for (JsonNode tenant : http.get("/v1/tenant")) {
                    tenants.add(tenant.path("id").asString(""));
                }
            }
            for (String tenant : tenants) {
                http.get("/v1/tenant/" + tenant + "/timeline").forEach(timelines::add);
            }
        }
        if (json) {
            out.println(text(timelines));
        } else {
            TimelineTable.print(timelines, out);
        }
        return 0;
    }
}
