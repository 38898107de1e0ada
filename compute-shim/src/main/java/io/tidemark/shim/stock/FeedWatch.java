package io.tidemark.shim.stock;

import io.netty.channel.EventLoop;
import io.tidemark.shim.libpq.Questions;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.frame.TextTable;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices a replica that is not fed although there is WAL for it, and makes it ask another safekeeper.
 *
 * <p>PostgreSQL alone goes on with the next host only when the one before refuses the connection. One that takes it and is silent (a stopped
 * process), that does not answer packets, or that has lost the writer, would keep the replica where it is.
 */
final class FeedWatch implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(FeedWatch.class);
    private static final Duration PAUSE = Duration.ofSeconds(2);
    private static final int PATIENT_LOOKS = 3;
    private static final String RECEIVED =
            "SELECT coalesce(greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), '0/0') AS lsn";

    private final EventLoop loop;
    private final StreamSources sources;
    private final OwnedPostgres postgres;
    private final PgClientConfig client;
    private final Thread watching;
    private Lsn last = Lsn.INVALID;
    private int looksWithoutNews;

    private FeedWatch(EventLoop loop, StreamSources sources, OwnedPostgres postgres, String user) {
        this.loop = loop;
        this.sources = sources;
        this.postgres = postgres;
        PostgresServer server = postgres.server();
        this.client = PgClientConfig.of(server.host(), server.port(), user)
                .withParameter("database", "postgres")
                .withParameter("application_name", "tidemark_feed");
        this.watching = Thread.ofVirtual().name("replica-feed").unstarted(this::watch);
    }

    static FeedWatch start(EventLoop loop, StreamSources sources, OwnedPostgres postgres, String user) {
        FeedWatch watch = new FeedWatch(loop, sources, postgres, user);
        watch.watching.start();
        return watch;
    }

    private void watch() {
        try {
            while (true) {
                TimeUnit.NANOSECONDS.sleep(PAUSE.toNanos());
                try {
                    look();
                } catch (IOException e) {
                    log.debug("cannot look at the replica now: {}", e.toString());
                }
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    private void look() throws IOException, InterruptedException {
        Lsn received = received();
        if (received.isAfter(last) || sources.committed().isAtMost(received)) {
            last = received;
            looksWithoutNews = 0;
            return;
        }
        if (++looksWithoutNews >= PATIENT_LOOKS) {
            looksWithoutNews = 0;
            List<StreamSources.Source> better = sources.having(received);
            log.warn(
                    "the replica stands at {} although there is more; it is to ask {} now",
                    received,
                    better.getFirst().address());
            postgres.reconfigure(Map.of("primary_conninfo", sources.conninfo(better)));
        }
    }

    private Lsn received() throws IOException, InterruptedException {
        try (Questions questions = Questions.open(loop, client)) {
            TextTable answer = questions.ask(RECEIVED);
            return Lsn.parse(Objects.requireNonNull(answer.value(0, "lsn")));
        }
    }

    @Override
    public void close() {
        watching.interrupt();
    }
}
