package io.tidemark.cli.page;

import io.tidemark.pageserver.verify.PageDiff;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** {@code tidemark page diff}: what differs between two versions of a page. */
@Command(
        name = "diff",
        mixinStandardHelpOptions = true,
        description = "Compare a page with itself at another LSN, on another timeline or another pageserver.",
        footer = {
            "",
            "Of each difference the first page's value comes first.",
            "Exit codes: 0 the pages are equal, 1 they differ or one can't be had, 2 wrong command line."
        })
@SuppressWarnings("NullAway.Init") // picocli sets the fields
final class PageDiffCommand extends Inspection {
    @Mixin
    private PageSource source;

    @Option(names = "--at", paramLabel = "LSN", description = "The first page's position (default: the newest).")
    private @Nullable String at;

    @Option(names = "--other-at", paramLabel = "LSN", description = "The second page's (default: as the first).")
    private @Nullable String otherAt;

    @Option(
            names = "--other-timeline-id",
            paramLabel = "HEX",
            description = "The second page's (default: as the first).")
    private @Nullable String otherTimelineId;

    @Option(names = "--other-tenant-id", paramLabel = "HEX", description = "The second page's (default: as the first).")
    private @Nullable String otherTenantId;

    @Option(
            names = "--other-pageserver",
            paramLabel = "HOST:PORT",
            description = "Where the second page is (default: as the first).")
    private @Nullable String otherPageserver;

    @Option(names = "--json", description = "One JSON object.")
    private boolean json;

    @Override
    int run(PrintWriter out) throws IOException, InterruptedException {
        Lsn lsn = lsn(at);
        Lsn otherLsn = otherAt == null ? lsn : lsn(otherAt);
        TenantTimelineId id = source.timeline().id();
        TenantTimelineId otherId = new TenantTimelineId(
                otherTenantId == null ? id.tenantId() : TenantId.parse(otherTenantId),
                otherTimelineId == null ? id.timelineId() : TimelineId.parse(otherTimelineId));
        HostPort otherPlace = otherPageserver == null ? source.pageserver() : HostPort.parse(otherPageserver);
        if (lsn.equals(otherLsn) && id.equals(otherId) && otherPlace.equals(source.pageserver())) {
            throw new IllegalArgumentException(
                    "a page is compared with itself: --other-at, --other-timeline-id or --other-pageserver is needed");
        }
        List<String> differences = PageDiff.describe(source.page(lsn), source.page(otherLsn, otherPlace, otherId));
        if (json) {
            out.println(text(json(lsn, otherLsn, differences)));
        } else if (differences.isEmpty()) {
            out.println("equal");
        } else {
            differences.forEach(out::println);
        }
        return differences.isEmpty() ? 0 : 1;
    }

    private static Lsn lsn(@Nullable String text) {
        return text == null ? Lsn.INVALID : Lsn.parse(text);
    }

    private ObjectNode json(Lsn lsn, Lsn otherLsn, List<String> differences) {
        ObjectNode node = JsonNodeFactory.instance
                .objectNode()
                .put("relation", source.relation())
                .put("block", Integer.toUnsignedLong(source.block()))
                .put("at_lsn", lsn.isValid() ? lsn.toString() : null)
                .put("other_at_lsn", otherLsn.isValid() ? otherLsn.toString() : null)
                .put("equal", differences.isEmpty());
        ArrayNode lines = node.putArray("differences");
        differences.forEach(lines::add);
        return node;
    }
}
