package io.tidemark.cli.wal;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.tidemark.shim.libpq.Questions;
import io.tidemark.shim.libpq.Sockets;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.shim.link.WalFeed;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.frame.StartupOptions;
import io.tidemark.wire.frame.TextTable;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.wal.WalSource;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Committed WAL of one timeline on a running safekeeper, read as any standby reads it. It ends at the commit_lsn of the moment it
 * was opened: a timeline that is written to would else never end.
 *
 * <p>The stream belongs to an event loop of its own; {@link #read} hands it a request and waits. It stops taking bytes from the socket
 * when nobody asks for them, so a slow terminal slows the safekeeper's sender and fills nobody's memory.
 */
final class SafekeeperWal implements WalSource, AutoCloseable {
    private static final long ANSWER_SECONDS = 30;
    private static final long STOP_SECONDS = 5;
    private static final int BYTES_PER_MEGABYTE = 1 << 20;

    private final EventLoopGroup loops;
    private final EventLoop loop;
    private final PgClientConfig safekeeper;
    private final Range range;

    // Both of the event loop.
    private @Nullable WalFeed feed;
    private @Nullable Request pending;

    /** What the safekeeper has, and how to read it. */
    private record Range(int pgMajor, int segmentSizeBytes, Lsn start, Lsn end) {}

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Request(Lsn at, byte[] into, int offset, int length, CompletableFuture<Integer> answer) {}

    private SafekeeperWal(EventLoopGroup loops, EventLoop loop, PgClientConfig safekeeper, Range range) {
        this.loops = loops;
        this.loop = loop;
        this.safekeeper = safekeeper;
        this.range = range;
    }

    /**
     * Asks the safekeeper what it has of a timeline.
     *
     * @throws IOException when it can't be reached, does not have the timeline, or has no committed WAL of it
     */
    static SafekeeperWal open(SafekeeperAddress address, TenantTimelineId timeline)
            throws IOException, InterruptedException {
        PgClientConfig safekeeper = PgClientConfig.of(address.host(), address.port(), "tidemark")
                .withPassword(address.token())
                .withParameter("replication", "true")
                .withParameter("application_name", "tidemark wal dump")
                .withParameter("options", StartupOptions.naming(timeline));
        EventLoopGroup loops = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("safekeeper-wal", true), Sockets.ioHandlerFactory());
        EventLoop loop = loops.next();
        boolean opened = false;
        try {
            Range range = ask(loop, safekeeper, timeline);
            opened = true;
            return new SafekeeperWal(loops, loop, safekeeper, range);
        } finally {
            if (!opened) {
                stop(loops);
            }
        }
    }

    private static Range ask(EventLoop loop, PgClientConfig safekeeper, TenantTimelineId timeline)
            throws IOException, InterruptedException {
        try (Questions questions = Questions.open(loop, safekeeper)) {
            Lsn end = Lsn.parse(value(questions.ask("IDENTIFY_SYSTEM"), "xlogpos"));
            if (!end.isValid()) {
                throw new IOException("safekeeper " + safekeeper + " has no committed WAL of timeline " + timeline);
            }
            String version = value(questions.ask("SHOW server_version"), "server_version");
            return new Range(
                    Integer.parseInt(version.split("\\.", 2)[0]),
                    sizeBytes(value(questions.ask("SHOW wal_segment_size"), "wal_segment_size")),
                    Lsn.parse(value(questions.ask("READ_REPLICATION_SLOT tidemark"), "restart_lsn")),
                    end);
        } catch (IllegalArgumentException e) {
            throw new IOException("no answer of a safekeeper from " + safekeeper + ": " + e.getMessage(), e);
        }
    }

    private static String value(TextTable answer, String column) {
        String value = answer.rows().isEmpty() ? null : answer.value(0, column);
        if (value == null) {
            throw new IllegalArgumentException(column + " is missing");
        }
        return value;
    }

    /** As PostgreSQL writes it: 16MB, 1GB. */
    private static int sizeBytes(String text) {
        int number = Integer.parseInt(text.substring(0, Math.max(0, text.length() - 2)));
        return switch (text.substring(text.length() - 2)) {
            case "MB" -> Math.multiplyExact(number, BYTES_PER_MEGABYTE);
            case "GB" -> Math.multiplyExact(number, 1024 * BYTES_PER_MEGABYTE);
            default -> throw new IllegalArgumentException("not a size: " + text);
        };
    }

    int pgMajor() {
        return range.pgMajor();
    }

    int segmentSizeBytes() {
        return range.segmentSizeBytes();
    }

    /** Where its WAL begins on this safekeeper, a record boundary. */
    Lsn start() {
        return range.start();
    }

    /** commit_lsn when it was opened. */
    Lsn end() {
        return range.end();
    }

    @Override
    public int read(Lsn at, byte[] into, int offset, int length) throws IOException {
        if (at.isAtLeast(range.end())) {
            return 0;
        }
        int wanted = (int) Math.min(length, range.end().minus(at));
        CompletableFuture<Integer> answer = new CompletableFuture<>();
        loop.execute(() -> serve(new Request(at, into, offset, wanted, answer)));
        try {
            return answer.get(ANSWER_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new IOException(
                    e.getCause() == null ? e.getMessage() : e.getCause().getMessage(), e);
        } catch (TimeoutException e) {
            throw new IOException(
                    "safekeeper " + safekeeper + " sent no WAL at " + at + " for " + ANSWER_SECONDS + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private void serve(Request request) {
        WalFeed open = feed;
        if (open == null || !open.takenLsn().equals(request.at())) {
            if (open != null) {
                open.close();
            }
            open = WalFeed.fromCommitted(loop, safekeeper, request.at(), new Arrivals());
            feed = open;
        }
        pending = request;
        answer(open);
    }

    private void answer(WalFeed from) {
        Request request = pending;
        long here = from.receivedLsn().minus(from.takenLsn());
        if (request != null && here > 0) {
            pending = null;
            int bytes = (int) Math.min(here, request.length());
            ByteBuf wal = from.take(bytes);
            wal.readBytes(request.into(), request.offset(), bytes);
            wal.release();
            request.answer().complete(bytes);
        }
    }

    private final class Arrivals implements WalFeed.Listener {
        @Override
        public void walArrived(WalFeed from) {
            if (from == feed) {
                answer(from);
            }
        }

        @Override
        public void failed(WalFeed from, String reason) {
            if (from == feed) {
                feed = null;
                Request request = pending;
                pending = null;
                if (request != null) {
                    request.answer().completeExceptionally(new IOException("safekeeper " + reason));
                }
            }
        }
    }

    @Override
    public void close() {
        loop.execute(() -> {
            if (feed != null) {
                feed.close();
            }
        });
        stop(loops);
    }

    private static void stop(EventLoopGroup loops) {
        loops.shutdownGracefully(0, STOP_SECONDS, TimeUnit.SECONDS)
                .awaitUninterruptibly(STOP_SECONDS, TimeUnit.SECONDS);
    }
}
