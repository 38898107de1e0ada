package io.tidemark.pageserver.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.tidemark.pageserver.timeline.ReadException;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.pageserver.timeline.TimelineReader;
import io.tidemark.runtime.owner.Owner;
import io.tidemark.runtime.owner.OwnerBehavior;
import io.tidemark.runtime.owner.OwnerLimits;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyFrames;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.frame.ErrorFields;
import io.tidemark.wire.frame.SqlState;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.page.PageRequest;
import io.tidemark.wire.page.PageResponse;
import io.tidemark.wire.page.PagestreamVersion;
import io.tidemark.wire.page.RequestHeader;
import io.tidemark.wire.server.PgServerConnection;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One stream of page requests: takes them on the event loop, answers them one after the other on a borrowed virtual thread.
 *
 * <p>What waits is bounded three times: the mailbox (a full one stops the reading of the socket), a batch of answers (written at
 * its end, and before any wait), and what the channel holds for a client that does not read (then the thread waits).
 */
final class PagestreamHandler implements CopyHandler {
    private static final Logger LOG = LoggerFactory.getLogger(PagestreamHandler.class);

    /** Computes have up to 128 requests in flight; more wait in the socket. */
    private static final OwnerLimits LIMITS = new OwnerLimits(512, 1 << 20, 32, 1 << 20);

    private static final int FRAME_OVERHEAD_BYTES = 64;
    private static final int PAGE = PageResponse.PAGE_SIZE_BYTES;

    private final PgServerConnection connection;
    private final Channel channel;
    private final EdgeContext context;
    private final PagestreamVersion version;
    private final Timeline timeline;
    private final Owner<PageRequest> owner;

    // Event loop only.
    private boolean stopped;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition writableAgain = lock.newCondition();
    private volatile boolean ended;

    PagestreamHandler(
            PgServerConnection connection,
            EdgeContext context,
            PagestreamVersion version,
            Timeline timeline,
            Executor threads) {
        this.connection = connection;
        this.channel = connection.channel();
        this.context = context;
        this.version = version;
        this.timeline = timeline;
        this.owner = new Owner<>(threads, LIMITS, new Answering());
    }

    @Override
    public void onCopyData(ByteBuf data) {
        PageRequest request = PageRequest.decode(data, version);
        if (!owner.tell(request, 0) && !stopped) {
            stopped = true;
            channel.config().setAutoRead(false);
            owner.whenRoom(() -> channel.eventLoop().execute(() -> {
                stopped = false;
                channel.config().setAutoRead(true);
            }));
        }
    }

    @Override
    public void onWritabilityChanged(boolean writable) {
        if (writable) {
            signal();
        }
    }

    @Override
    public void onCopyEnd(CopyEnd end) {
        ended = true;
        owner.close();
        signal();
        switch (end) {
            case CopyEnd.Done _, CopyEnd.ClientFailed _ ->
                connection.fail(ErrorFields.error(
                        SqlState.INTERNAL_ERROR, "unexpected message: the client ended the stream during COPY"));
            case CopyEnd.ServerFailed _, CopyEnd.Lost _ -> {}
        }
    }

    private void signal() {
        lock.lock();
        try {
            writableAgain.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The side that answers; its fields belong to the thread that has the owner. */
    private final class Answering implements OwnerBehavior<PageRequest> {
        private final TimelineReader reader = timeline.reader();
        private final byte[] page = new byte[PAGE];
        private @Nullable ByteBuf out;

        @Override
        public void on(PageRequest request) {
            if (ended) {
                return;
            }
            try {
                append(answer(request));
            } catch (ReadException e) {
                if (e.kind() == ReadException.Kind.CLOSED) {
                    flush();
                    connection.closeWith(ErrorFields.error(SqlState.ADMIN_SHUTDOWN, "shutdown"));
                    ended = true;
                    return;
                }
                if (e.kind() == ReadException.Kind.DAMAGED) {
                    LOG.error("{}", e.text(), e);
                }
                context.metrics().refused("PAGE_" + e.kind());
                append(new PageResponse.Failure(request.header(), e.text()));
            }
        }

        private PageResponse answer(PageRequest request) throws ReadException {
            Lsn at = effectiveLsn(request.header());
            return switch (request) {
                case PageRequest.GetPage getPage -> {
                    context.metrics().getPage();
                    long start = System.nanoTime();
                    reader.page(getPage.rel(), getPage.block(), at, page);
                    context.metrics().getPageTook((System.nanoTime() - start) / 1e9);
                    yield new PageResponse.GetPage(getPage, page);
                }
                case PageRequest.Exists exists -> {
                    context.metrics().request("get_rel_exists");
                    yield new PageResponse.Exists(exists, reader.exists(exists.rel(), at));
                }
                case PageRequest.Nblocks nblocks -> {
                    context.metrics().request("get_rel_size");
                    yield new PageResponse.Nblocks(nblocks, reader.blocks(nblocks.rel(), at));
                }
                case PageRequest.DbSize dbSize -> {
                    context.metrics().request("get_db_size");
                    yield new PageResponse.DbSize(dbSize, reader.databaseBytes(dbSize.database(), at));
                }
                case PageRequest.GetSlruSegment segment -> {
                    context.metrics().request("get_slru_segment");
                    yield new PageResponse.SlruSegment(
                            segment, reader.slruSegment(segment.kind(), segment.segment(), at));
                }
            };
        }

        private Lsn effectiveLsn(RequestHeader header) throws ReadException {
            if (header.notModifiedSince().isAfter(timeline.lastRecordLsn())) {
                flush(); // what is answered must not wait for WAL that another request needs
            }
            return timeline.effectiveLsn(header.requestLsn(), header.notModifiedSince(), context.waitLsnTimeout());
        }

        private void append(PageResponse response) {
            ByteBuf buffer = out;
            if (buffer == null) {
                buffer = channel.alloc().directBuffer(LIMITS.batchMessages() * (PAGE + FRAME_OVERHEAD_BYTES));
                out = buffer;
            }
            CopyFrames.append(buffer, body -> response.encode(body, version));
        }

        @Override
        public void batchEnd() {
            flush();
            awaitWritable();
        }

        private void flush() {
            ByteBuf buffer = out;
            out = null;
            if (buffer != null) {
                connection.writeAndFlush(buffer);
            }
        }

        private void awaitWritable() {
            if (channel.isWritable()) {
                return;
            }
            lock.lock();
            try {
                while (!channel.isWritable() && channel.isActive() && !ended) {
                    writableAgain.awaitUninterruptibly();
                }
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void discard(PageRequest message) {}

        @Override
        public void failed(Throwable cause) {
            LOG.error("a stream of timeline {} ends: a bug", timeline.metadata().id(), cause);
            ByteBuf buffer = out;
            out = null;
            if (buffer != null) {
                buffer.release();
            }
            connection.closeWith(ErrorFields.error(SqlState.INTERNAL_ERROR, "internal error: " + cause));
        }
    }
}
