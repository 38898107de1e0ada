package io.tidemark.shim.pager;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.tidemark.shim.libpq.CopyStream;
import io.tidemark.shim.libpq.Ending;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.page.PageRequest;
import io.tidemark.wire.page.PageResponse;
import io.tidemark.wire.page.PagestreamVersion;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A stream of page requests to one pageserver, for threads that may block. Answers come in the order of the requests.
 *
 * <p>Bounded: a sender waits while {@value #MAX_IN_FLIGHT} requests have no answer that somebody has taken.
 */
public final class PageClient implements AutoCloseable {
    /** Requests whose answers have not been taken. */
    public static final int MAX_IN_FLIGHT = 1024;

    private static final int REQUEST_BYTES = 64;

    private final String server;
    private final PagestreamVersion version;
    private final EventLoop loop;
    private final CopyStream stream;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<PageRequest> unanswered = new ArrayDeque<>();
    private final Deque<PageResponse> answers = new ArrayDeque<>();
    private boolean open;
    private @Nullable String ending;

    private PageClient(EventLoop loop, PgClientConfig server, TenantTimelineId timeline, PagestreamVersion version) {
        this.server = server.toString();
        this.version = version;
        this.loop = loop;
        String command = version.command() + " " + timeline.tenantId() + " " + timeline.timelineId();
        this.stream = CopyStream.open(loop, server, command, new Inbound());
    }

    /**
     * Connects and starts the stream.
     *
     * @param loop whose thread is never one that calls this client
     * @throws IOException when the pageserver cannot be reached, or does not have the timeline
     */
    public static PageClient connect(
            EventLoop loop,
            PgClientConfig server,
            TenantTimelineId timeline,
            PagestreamVersion version,
            Duration patience)
            throws IOException, InterruptedException {
        PageClient client = new PageClient(loop, server, timeline, version);
        client.lock.lock();
        try {
            long nanos = patience.toNanos();
            while (!client.open && client.ending == null && nanos > 0) {
                nanos = client.changed.awaitNanos(nanos);
            }
            if (client.open) {
                return client;
            }
        } finally {
            client.lock.unlock();
        }
        client.close();
        throw new IOException(
                client.ending == null ? "pageserver " + server + " did not answer within " + patience : client.ending);
    }

    private final class Inbound implements CopyStream.Handler {
        @Override
        public void opened() {
            lock.lock();
            try {
                open = true;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void received(ByteBuf message) {
            lock.lock();
            try {
                PageRequest request = unanswered.peek();
                if (request == null) {
                    throw new InvalidMessageException("an answer to nothing");
                }
                answers.add(PageResponse.decode(message, version, request));
                unanswered.remove();
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void readComplete() {
            signal();
        }

        @Override
        public void writabilityChanged(boolean writable) {}

        @Override
        public void closed(Ending why) {
            lock.lock();
            try {
                ending = "pageserver " + server + ": " + why.reason();
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    private void signal() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Sends requests; waits while too many are in flight. */
    public void send(Iterable<? extends PageRequest> requests) throws IOException, InterruptedException {
        for (PageRequest request : requests) {
            lock.lock();
            try {
                while (unanswered.size() + answers.size() >= MAX_IN_FLIGHT && ending == null) {
                    loop.execute(stream::flush);
                    changed.await();
                }
                requireAlive();
                unanswered.add(request);
                loop.execute(() -> stream.write(REQUEST_BYTES, out -> request.encode(out, version)));
            } finally {
                lock.unlock();
            }
        }
        loop.execute(stream::flush);
    }

    /** The next answer; {@link PageResponse.Failure} is one too. */
    public PageResponse receive(Duration patience) throws IOException, InterruptedException {
        lock.lock();
        try {
            long nanos = patience.toNanos();
            while (answers.isEmpty() && ending == null && nanos > 0) {
                nanos = changed.awaitNanos(nanos);
            }
            PageResponse answer = answers.poll();
            if (answer == null) {
                requireAlive();
                throw new IOException("pageserver " + server + " did not answer within "
                        + TimeUnit.NANOSECONDS.toSeconds(patience.toNanos()) + " s");
            }
            if (answers.isEmpty()) {
                changed.signalAll();
            }
            return answer;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Sends a request and waits for its answer; for a client that has nothing in flight.
     *
     * @throws IOException also when the pageserver answers with a failure
     */
    public PageResponse ask(PageRequest request, Duration patience) throws IOException, InterruptedException {
        send(java.util.List.of(request));
        PageResponse response = receive(patience);
        if (response instanceof PageResponse.Failure failure) {
            throw new IOException("pageserver " + server + ": " + failure.text());
        }
        return response;
    }

    private void requireAlive() throws IOException {
        if (ending != null) {
            throw new IOException(ending);
        }
    }

    @Override
    public void close() {
        loop.execute(stream::close);
        lock.lock();
        try {
            if (ending == null) {
                ending = "closed";
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
