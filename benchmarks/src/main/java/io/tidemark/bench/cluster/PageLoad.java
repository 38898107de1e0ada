package io.tidemark.bench.cluster;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgConnection;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyFrames;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.page.PageRequest;
import io.tidemark.wire.page.PagestreamVersion;
import io.tidemark.wire.page.RequestHeader;
import io.tidemark.wire.rel.RelTag;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.HdrHistogram.Histogram;

/**
 * Clients that ask for random pages of a relation, each again as soon as it has an answer, with one or more requests on their way. All
 * on one event loop, so the loop's thread is the whole cost of the asking side.
 */
public final class PageLoad {
    private static final PagestreamVersion VERSION = PagestreamVersion.V3;
    private static final int REQUEST_BYTES = 64;
    private static final int GET_PAGE_RESPONSE = 102;
    private static final Duration GRACE = Duration.ofSeconds(60);
    private static final long HIGHEST_NANOS = 100_000_000_000L;

    private final RelTag relation;
    private final int blocks;
    private final RequestHeader header;
    private final int inFlight;
    /** Written by the event loop alone, read when every stream has ended. */
    private final Histogram latencies = new Histogram(HIGHEST_NANOS, 3);

    private long deadlineNanos;

    /**
     * What came of it.
     *
     * @param pages how many answers there were
     * @param seconds how long it took
     * @param latencies from request to answer, in nanoseconds
     */
    public record Result(long pages, double seconds, Histogram latencies) {
        public double pagesPerSecond() {
            return pages / seconds;
        }
    }

    private PageLoad(RelTag relation, int blocks, Lsn at, int inFlight) {
        this.relation = relation;
        this.blocks = blocks;
        this.header = new RequestHeader(1, at, at);
        this.inFlight = inFlight;
    }

    /**
     * Runs for a while.
     *
     * @param at the LSN that is asked for
     * @param count how many clients
     * @param inFlight requests on their way, for each
     */
    public static Result run(
            Clients clients,
            int port,
            TenantTimelineId timeline,
            RelTag relation,
            int blocks,
            Lsn at,
            int count,
            int inFlight,
            Duration time)
            throws IOException, InterruptedException {
        PageLoad load = new PageLoad(relation, blocks, at, inFlight);
        List<Stream> streams = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                PgConnection connection = clients.connect(PgClientConfig.of("127.0.0.1", port, "bench"));
                Stream stream = load.new Stream(connection, i);
                streams.add(stream);
                Clients.await(connection.copy(
                        VERSION.command() + " " + timeline.tenantId() + " " + timeline.timelineId(), stream));
            }
            long begun = System.nanoTime();
            load.deadlineNanos = begun + time.toNanos();
            streams.forEach(Stream::begin);
            for (Stream stream : streams) {
                stream.await(time.plus(GRACE));
            }
            double seconds = (System.nanoTime() - begun) / 1e9;
            return new Result(load.latencies.getTotalCount(), seconds, load.latencies);
        } finally {
            streams.forEach(Stream::close);
        }
    }

    private final class Stream implements CopyHandler {
        private final PgConnection connection;
        private final SplittableRandom random;
        private final ArrayDeque<Long> sent = new ArrayDeque<>();
        private final CompletableFuture<Void> done = new CompletableFuture<>();

        Stream(PgConnection connection, int number) {
            this.connection = connection;
            this.random = new SplittableRandom(number);
        }

        void begin() {
            connection.channel().eventLoop().execute(() -> {
                for (int i = 0; i < inFlight; i++) {
                    send();
                }
                connection.channel().flush();
            });
        }

        private void send() {
            PageRequest request = new PageRequest.GetPage(header, relation, random.nextInt(blocks));
            sent.add(System.nanoTime());
            ByteBuf frame =
                    CopyFrames.frame(connection.channel().alloc(), REQUEST_BYTES, out -> request.encode(out, VERSION));
            var _ = connection.channel().write(frame, connection.channel().voidPromise());
        }

        @Override
        public void onCopyData(ByteBuf data) {
            if (data.getUnsignedByte(data.readerIndex()) != GET_PAGE_RESPONSE) {
                done.completeExceptionally(
                        new IOException("not a page: " + data.toString(java.nio.charset.StandardCharsets.UTF_8)));
                return;
            }
            long now = System.nanoTime();
            latencies.recordValue(now - sent.remove());
            if (now < deadlineNanos) {
                send();
            } else if (sent.isEmpty()) {
                done.complete(null);
            }
        }

        @Override
        public void onReadComplete() {
            connection.channel().flush();
        }

        @Override
        public void onCopyEnd(CopyEnd end) {
            done.completeExceptionally(new IOException("the stream ended: " + end));
        }

        void await(Duration limit) throws IOException, InterruptedException {
            try {
                done.get(limit.toMillis(), TimeUnit.MILLISECONDS);
            } catch (java.util.concurrent.ExecutionException e) {
                throw new IOException(e.getCause());
            } catch (TimeoutException e) {
                throw new IOException("no answer within " + limit, e);
            }
        }

        void close() {
            connection.close();
        }
    }
}
