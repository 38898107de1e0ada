package io.tidemark.pageserver.receiver;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyHandler;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What a COPY brings, from the event loop to the one thread that takes it.
 *
 * <p>When more than {@link #HIGH_BYTES} wait, the socket is not read until half of them are taken; so a slow taker stops the server
 * through TCP. A lock and not a mailbox, because the taker is a plain thread that may block.
 */
public final class CopyQueue implements CopyHandler, AutoCloseable {
    private static final int HIGH_BYTES = 4 << 20;

    /** What comes, in this order: rows, data, the end of the COPY, rows, the end of the command. */
    public sealed interface Event {
        /** One CopyData; whoever takes it releases it. */
        record Data(ByteBuf bytes) implements Event {}

        /** A row outside of the COPY. */
        record Row(List<@Nullable String> values) implements Event {}

        record CopyEnded(CopyEnd end) implements Event {}

        record CommandEnded(CopyEnd end) implements Event {}
    }

    private final Channel channel;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final Deque<Event> events = new ArrayDeque<>();
    private long waitingBytes;
    private boolean paused;
    private boolean closed;
    private boolean woken;

    public CopyQueue(Channel channel) {
        this.channel = channel;
    }

    @Override
    public void onCopyData(ByteBuf data) {
        add(new Event.Data(data.retain()), data.readableBytes());
    }

    @Override
    public void onRow(List<@Nullable String> values) {
        add(new Event.Row(Collections.unmodifiableList(new ArrayList<>(values))), 0);
    }

    @Override
    public void onCopyEnd(CopyEnd end) {
        add(new Event.CopyEnded(end), 0);
    }

    @Override
    public void onCommandEnd(CopyEnd end) {
        add(new Event.CommandEnded(end), 0);
    }

    private void add(Event event, int bytes) {
        lock.lock();
        try {
            if (closed) {
                release(event);
                return;
            }
            events.add(event);
            waitingBytes += bytes;
            if (waitingBytes > HIGH_BYTES && !paused) {
                paused = true;
                channel.config().setAutoRead(false);
            }
            arrived.signal();
        } finally {
            lock.unlock();
        }
    }

    /** The next event; null when none comes in time, or once after {@link #wake}. */
    public @Nullable Event take(Duration patience) throws InterruptedException {
        long nanos = patience.toNanos();
        lock.lock();
        try {
            while (events.isEmpty()) {
                if (nanos <= 0 || woken) {
                    woken = false;
                    return null;
                }
                nanos = arrived.awaitNanos(nanos);
            }
            Event event = events.remove();
            if (event instanceof Event.Data data) {
                waitingBytes -= data.bytes().readableBytes();
                if (paused && waitingBytes <= HIGH_BYTES / 2) {
                    paused = false;
                    channel.config().setAutoRead(true);
                }
            }
            return event;
        } finally {
            lock.unlock();
        }
    }

    /** Lets the taker go on without an event; once. */
    void wake() {
        lock.lock();
        try {
            woken = true;
            arrived.signal();
        } finally {
            lock.unlock();
        }
    }

    /** The next event; waits for it as long as {@link #take}, in whole seconds, then gives up. */
    public Event require(Duration patience) throws InterruptedException, IOException {
        Event event = take(patience);
        if (event == null) {
            throw new IOException("the server has said nothing for " + patience.toSeconds() + " s");
        }
        return event;
    }

    /** Drops what waits and whatever still comes. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            events.forEach(CopyQueue::release);
            events.clear();
        } finally {
            lock.unlock();
        }
    }

    private static void release(Event event) {
        if (event instanceof Event.Data data) {
            data.bytes().release();
        }
    }
}
