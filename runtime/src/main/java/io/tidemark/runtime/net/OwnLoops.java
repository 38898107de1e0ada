package io.tidemark.runtime.net;

import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.ThreadPerTaskExecutor;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** Loops with the number of connections on each; a new connection gets the one with the fewest. */
final class OwnLoops {
    // Filled once, while the group is made.
    private final Map<EventExecutor, AtomicInteger> connections = new LinkedHashMap<>();
    private final EventLoopGroup group;

    OwnLoops(String name, int loops) {
        group = new MultiThreadIoEventLoopGroup(
                loops,
                new ThreadPerTaskExecutor(new DefaultThreadFactory(name, true)),
                executors -> {
                    for (EventExecutor executor : executors) {
                        connections.put(executor, new AtomicInteger());
                    }
                    return this::fewest;
                },
                EventLoops.io());
    }

    EventLoopGroup group() {
        return group;
    }

    /** Counts the connection that is about to be registered: the next one may come before it is. */
    private synchronized EventExecutor fewest() {
        Map.Entry<EventExecutor, AtomicInteger> chosen = connections.entrySet().stream()
                .min(Comparator.comparingInt(entry -> entry.getValue().get()))
                .orElseThrow();
        chosen.getValue().incrementAndGet();
        return chosen.getKey();
    }

    void left(Channel connection) {
        of(connection).decrementAndGet();
    }

    boolean isAlone(Channel connection) {
        return of(connection).get() == 1;
    }

    private AtomicInteger of(Channel connection) {
        AtomicInteger count = connections.get(connection.eventLoop());
        if (count == null) {
            throw new IllegalArgumentException(connection + " is on no loop of these");
        }
        return count;
    }
}
