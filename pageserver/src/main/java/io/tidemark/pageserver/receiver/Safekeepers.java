package io.tidemark.pageserver.receiver;

import io.tidemark.pageserver.receiver.SafekeeperChoice.Candidate;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgConnection;
import io.tidemark.wire.client.PgServerException;
import io.tidemark.wire.frame.TextTable;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The safekeepers of one timeline as its receiver knows them: who answers, how far it is, who is left alone for a while. */
final class Safekeepers {
    private static final Logger LOG = LoggerFactory.getLogger(Safekeepers.class);

    private final TenantTimelineId id;
    private final SystemId systemId;
    private final Supplier<List<HostPort>> addresses;
    private final Connections connections;
    private final @Nullable String password;
    private final WalReceiverConfig config;
    /** Shared with the thread that asks the others. */
    private final Map<HostPort, Blame> blames = new ConcurrentHashMap<>();

    private record Blame(int failures, long untilNanos) {}

    Safekeepers(
            TenantTimelineId id,
            SystemId systemId,
            Supplier<List<HostPort>> addresses,
            Connections connections,
            @Nullable String password,
            WalReceiverConfig config) {
        this.id = id;
        this.systemId = systemId;
        this.addresses = addresses;
        this.connections = connections;
        this.password = password;
        this.config = config;
    }

    /** How to reach one. Its name for us starts with "pageserver": so it knows whose word about remote_consistent_lsn counts. */
    PgClientConfig configOf(HostPort address) {
        String options = "-c timeline_id=" + id.timelineId() + " tenant_id=" + id.tenantId();
        return PgClientConfig.of(address.host(), address.port(), "pageserver")
                .withPassword(password)
                .withParameter("application_name", "pageserver")
                .withParameter("replication", "true")
                .withParameter("options", options)
                .withConnectTimeout(config.connectTimeout());
    }

    PgConnection open(HostPort address) throws IOException, InterruptedException {
        return connections.open(configOf(address));
    }

    /** Leaves one alone for a while, longer each time. */
    void blame(HostPort address) {
        Blame before = blames.get(address);
        int failures = before == null ? 1 : before.failures() + 1;
        blames.put(
                address,
                new Blame(failures, System.nanoTime() + config.backoff(failures).toNanos()));
    }

    /** It works again. */
    void forgive(HostPort address) {
        blames.remove(address);
    }

    /**
     * What safekeepers say.
     *
     * @param candidates those that have the timeline
     * @param withoutTimeline how many answer, and have never heard of it: nobody has written to it yet
     */
    record Answers(List<Candidate> candidates, int withoutTimeline) {}

    /** All except those left alone and {@code except}; asked at the same time. */
    Answers ask(@Nullable HostPort except) throws InterruptedException {
        List<HostPort> asked = new ArrayList<>(addresses.get());
        asked.remove(except);
        long now = System.nanoTime();
        asked.removeIf(address -> {
            Blame blame = blames.get(address);
            return blame != null && blame.untilNanos() - now > 0;
        });
        List<Candidate> candidates = new ArrayList<>();
        int withoutTimeline = 0;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Map<HostPort, Future<Candidate>> futures = new LinkedHashMap<>();
            for (HostPort address : asked) {
                futures.put(address, threads.submit(() -> askOne(address)));
            }
            for (var entry : futures.entrySet()) {
                try {
                    candidates.add(entry.getValue().get());
                } catch (ExecutionException e) {
                    Throwable cause = e.getCause() == null ? e : e.getCause();
                    if (isWithoutTimeline(cause)) {
                        withoutTimeline++;
                    } else {
                        doesNotAnswer(entry.getKey(), cause);
                    }
                } catch (InterruptedException e) {
                    threads.shutdownNow();
                    throw e;
                }
            }
        }
        return new Answers(candidates, withoutTimeline);
    }

    /** Both our safekeepers and Neon's say it in these words. */
    private static boolean isWithoutTimeline(Throwable cause) {
        return cause instanceof PgServerException said
                && String.valueOf(said.getMessage()).contains("not found");
    }

    private void doesNotAnswer(HostPort address, Throwable cause) {
        // One line when it begins. WalReceiver tells when somebody answers again.
        if (blames.containsKey(address)) {
            LOG.debug("{}: safekeeper {} still does not answer: {}", id, address, cause.getMessage());
        } else {
            LOG.info("{}: safekeeper {} does not answer: {}", id, address, cause.getMessage());
        }
        blame(address);
    }

    private Candidate candidate(HostPort address, PgConnection connection) throws IOException, InterruptedException {
        TextTable answer = Connections.ask(configOf(address), connection, "IDENTIFY_SYSTEM");
        String position = answer.rows().isEmpty() ? null : answer.rows().get(0).get(2);
        if (position == null) {
            throw new IOException(address + " does not say how far it is");
        }
        try {
            requireSameCluster(address, answer.rows().get(0).get(0));
            return new Candidate(address, Lsn.parse(position));
        } catch (IllegalArgumentException e) {
            throw new IOException(address + ": " + e.getMessage(), e);
        }
    }

    /** Ids can be mixed up; redo of another cluster's WAL would then make pages that nobody ever had. */
    private void requireSameCluster(HostPort address, @Nullable String said) throws IOException {
        SystemId theirs = said == null ? SystemId.UNKNOWN : SystemId.parse(said);
        if (systemId.isKnown() && theirs.isKnown() && !theirs.equals(systemId)) {
            throw new IOException(
                    address + " has WAL of another PostgreSQL under this timeline's id: its system identifier is "
                            + theirs + ", that of the timeline's data " + systemId);
        }
    }

    private Candidate askOne(HostPort address) throws IOException, InterruptedException {
        PgConnection connection = open(address);
        try {
            return candidate(address, connection);
        } finally {
            connection.close();
        }
    }
}
