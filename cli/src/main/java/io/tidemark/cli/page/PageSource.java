package io.tidemark.cli.page;

import io.tidemark.cli.TokenFile;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which page, and where from. */
@SuppressWarnings("NullAway.Init") // picocli sets the fields
final class PageSource {
    @Option(
            names = "--pageserver",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:6400",
            description = "The pageserver's page service (default: ${DEFAULT-VALUE}).")
    private String pageserver;

    @Option(
            names = "--auth-token-file",
            paramLabel = "FILE",
            description = "The first line is the token to show to a pageserver that asks for one.")
    private @Nullable Path authTokenFile;

    @Mixin
    private TimelineFlags timeline;

    @Option(
            names = "--rel",
            paramLabel = "SPC/DB/REL[.FORK]",
            required = true,
            description =
                    "The relation: oids of tablespace and database, file number; .fsm, .vm or .init for another fork.")
    private String relation;

    @Option(names = "--block", paramLabel = "N", required = true, description = "The block number.")
    private String block;

    TimelineFlags timeline() {
        return timeline;
    }

    HostPort pageserver() {
        return HostPort.parse(pageserver);
    }

    String relation() {
        return RelationText.parse(relation).toString();
    }

    int block() {
        try {
            return Integer.parseUnsignedInt(block);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("--block is a block number, not '" + block + "'", e);
        }
    }

    /** The page from here. */
    byte[] page(Lsn at) throws IOException, InterruptedException {
        return page(at, pageserver(), timeline.id());
    }

    /** The same page from elsewhere. */
    byte[] page(Lsn at, HostPort from, TenantTimelineId of) throws IOException, InterruptedException {
        int number = block();
        var tag = RelationText.parse(relation);
        try (PageService service =
                PageService.open(from, TokenFile.read(authTokenFile).orElse(null), of)) {
            return service.page(tag, number, at);
        }
    }
}
