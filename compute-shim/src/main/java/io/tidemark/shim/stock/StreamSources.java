package io.tidemark.shim.stock;

import io.netty.channel.EventLoop;
import io.tidemark.shim.libpq.Questions;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.frame.StartupOptions;
import io.tidemark.wire.frame.TextTable;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The safekeepers that a standby can stream a timeline from, the one with most committed WAL first.
 *
 * <p>All of them go into one primary_conninfo: libpq tries them in this order, so when one dies PostgreSQL goes on with the next.
 */
final class StreamSources {
    private static final Logger log = LoggerFactory.getLogger(StreamSources.class);
    private static final Pattern REDO = Pattern.compile("START WAL LOCATION: ([0-9A-F]+/[0-9A-F]+) ");
    private static final int CONNECT_SECONDS = 5;

    /** What was flushed without becoming a commit, by a compute that is gone, is not waited for any longer. */
    private static final Duration NEWS_PATIENCE = Duration.ofSeconds(2);

    private static final Duration NEWS_POLL = Duration.ofMillis(5);

    private final EventLoop loop;
    private final TenantTimelineId timeline;
    private final List<SafekeeperAddress> safekeepers;

    StreamSources(EventLoop loop, StockComputeConfig config) {
        this.loop = loop;
        this.timeline = config.timeline();
        this.safekeepers = config.safekeepers();
    }

    /** One of them, as it is now. */
    record Source(SafekeeperAddress address, Lsn localStartLsn, Lsn flushLsn, Lsn commitLsn) {}

    /** Where a standby's recovery begins, out of its backup_label. */
    static Lsn redo(Path dataDir) throws IOException {
        Path label = dataDir.resolve("backup_label");
        if (Files.exists(label)) {
            Matcher line = REDO.matcher(Files.readString(label));
            if (line.find()) {
                return Lsn.parse(line.group(1));
            }
        }
        throw new IOException(
                "the pageserver sent a standby's data directory without a backup_label; is it an older one?");
    }

    /**
     * Asks all of them; one that does not answer is left away.
     *
     * @param from what is to be streamed first
     * @throws IOException when none has it
     */
    List<Source> having(Lsn from) throws IOException, InterruptedException {
        List<Source> sources = new ArrayList<>();
        List<String> reasons = new ArrayList<>();
        for (SafekeeperAddress address : safekeepers) {
            try {
                Source source = ask(address);
                // Of the segment before the timeline's very first record they send what no one wrote; a safekeeper that
                // joined later has nothing before its local start.
                if (source.localStartLsn().isAtMost(from)) {
                    sources.add(source);
                } else {
                    reasons.add(address + " has WAL from " + source.localStartLsn() + " on");
                }
            } catch (IOException e) {
                reasons.add(e.getMessage());
            }
        }
        if (sources.isEmpty()) {
            throw new IOException("no safekeeper has the WAL of timeline " + timeline + " from " + from
                    + " on, where a standby begins (" + String.join("; ", reasons)
                    + "); after a CHECKPOINT on the compute that writes less is needed");
        }
        sources.sort(Comparator.comparing(Source::commitLsn).reversed());
        return sources;
    }

    /** The end of committed WAL as far as those know who answer; invalid when there is none, or nobody does. */
    Lsn committed() throws InterruptedException {
        return committed(answers());
    }

    /**
     * The same, with every commit that a client has been told of by now. A safekeeper hears of it a moment later; what a quorum has flushed is
     * that, or about to be, and is given that moment.
     */
    Lsn committedByNow() throws InterruptedException {
        List<Source> sources = answers();
        Lsn flushed = flushedByQuorum(sources);
        Lsn committed = committed(sources);
        long deadline = System.nanoTime() + NEWS_PATIENCE.toNanos();
        while (committed.isBefore(flushed) && System.nanoTime() < deadline) {
            TimeUnit.NANOSECONDS.sleep(NEWS_POLL.toNanos());
            committed = committed(answers());
        }
        return committed;
    }

    private static Lsn committed(List<Source> sources) {
        return sources.stream()
                .map(Source::commitLsn)
                .max(Comparator.naturalOrder())
                .orElse(Lsn.INVALID);
    }

    private Lsn flushedByQuorum(List<Source> sources) {
        return sources.stream()
                .map(Source::flushLsn)
                .sorted(Comparator.reverseOrder())
                .skip(safekeepers.size() / 2)
                .findFirst()
                .orElse(Lsn.INVALID);
    }

    private List<Source> answers() throws InterruptedException {
        List<Source> answers = new ArrayList<>();
        for (SafekeeperAddress address : safekeepers) {
            try {
                answers.add(ask(address));
            } catch (IOException e) {
                log.debug("safekeeper {} is not counted: {}", address, e.getMessage());
            }
        }
        return answers;
    }

    private Source ask(SafekeeperAddress address) throws IOException, InterruptedException {
        PgClientConfig config = PgClientConfig.of(address.host(), address.port(), "tidemark")
                .withPassword(address.token())
                .withParameter("database", "replication")
                .withParameter("application_name", "replica start")
                .withParameter("options", StartupOptions.naming(timeline));
        try (Questions questions = Questions.open(loop, config)) {
            TextTable status = questions.ask("TIMELINE_STATUS");
            return new Source(
                    address,
                    lsn(questions.ask("READ_REPLICATION_SLOT replica"), "restart_lsn"),
                    lsn(status, "flush_lsn"),
                    lsn(status, "commit_lsn"));
        }
    }

    private static Lsn lsn(TextTable table, String column) throws IOException {
        try {
            return Lsn.parse(Objects.requireNonNull(table.value(0, column)));
        } catch (IllegalArgumentException | NullPointerException | IndexOutOfBoundsException e) {
            throw new IOException("a safekeeper did not say its " + column, e);
        }
    }

    /** primary_conninfo with all of these, in this order, and behind them the others, which may come back. */
    String conninfo(List<Source> sources) {
        List<SafekeeperAddress> order =
                new ArrayList<>(sources.stream().map(Source::address).toList());
        safekeepers.stream().filter(address -> !order.contains(address)).forEach(order::add);
        String token = order.getFirst().token();
        return "host=" + join(order, address -> address.host()) + " port="
                + join(order, address -> Integer.toString(address.port()))
                + " user=tidemark application_name=replica sslmode=disable connect_timeout=" + CONNECT_SECONDS
                + " options='" + StartupOptions.naming(timeline) + "'"
                + (token == null
                        ? ""
                        : " password='" + token.replace("\\", "\\\\").replace("'", "\\'") + "'");
    }

    private static String join(List<SafekeeperAddress> addresses, Function<SafekeeperAddress, String> part) {
        return addresses.stream().map(part).collect(Collectors.joining(","));
    }
}
