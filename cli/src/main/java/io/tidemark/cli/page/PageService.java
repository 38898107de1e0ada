package io.tidemark.cli.page;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.shim.libpq.Sockets;
import io.tidemark.shim.pager.PageClient;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.page.PageRequest;
import io.tidemark.wire.page.PageResponse;
import io.tidemark.wire.page.PagestreamVersion;
import io.tidemark.wire.page.RequestHeader;
import io.tidemark.wire.rel.RelTag;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One timeline at the page service of a pageserver, asked as a compute asks. */
final class PageService implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(6); // more than a pageserver's --wait-lsn-timeout

    private final EventLoopGroup loops =
            new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("page", true), Sockets.ioHandlerFactory());
    private final PageClient client;

    private PageService(HostPort address, @Nullable String token, TenantTimelineId timeline)
            throws IOException, InterruptedException {
        boolean opened = false;
        try {
            client = PageClient.connect(
                    loops.next(),
                    PgClientConfig.of(address.host(), address.port(), "tidemark")
                            .withPassword(token),
                    timeline,
                    PagestreamVersion.V3,
                    Duration.ofSeconds(30));
            opened = true;
        } finally {
            if (!opened) {
                stop();
            }
        }
    }

    static PageService open(HostPort address, @Nullable String token, TenantTimelineId timeline)
            throws IOException, InterruptedException {
        return new PageService(address, token, timeline);
    }

    /** The page at an LSN, or the newest for an invalid one. */
    byte[] page(RelTag relation, int block, Lsn at) throws IOException, InterruptedException {
        RequestHeader header =
                at.isValid() ? new RequestHeader(1, at, at) : new RequestHeader(1, RequestHeader.LATEST, Lsn.INVALID);
        PageRequest.GetPage request = new PageRequest.GetPage(header, relation, block);
        if (client.ask(request, PATIENCE) instanceof PageResponse.GetPage answer) {
            return answer.page();
        }
        throw new IOException("the pageserver answered something else than a page");
    }

    private void stop() {
        loops.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    @Override
    public void close() {
        client.close();
        stop();
    }
}
