package io.tidemark.pageserver;

import io.tidemark.pageserver.timeline.RetentionConfig;
import io.tidemark.runtime.net.HostPort;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Everything one can choose about a pageserver process.
 *
 * @param id node id, for those who ask
 * @param dataDir where timelines live; made when it does not exist
 * @param listenPg where the page service is
 * @param listenHttp where the HTTP API is
 * @param safekeepers where the WAL of all timelines comes from; none: nothing is ingested
 * @param pageCacheBytes memory for pages that have been built, off the heap
 * @param retention how much of the past stays readable
 * @param gcPeriod how often garbage is looked for; zero: only when asked
 * @param waitLsnTimeout how long a request waits for WAL to arrive
 * @param auth who may come in, and as whom it comes to the safekeepers
 */
public record PageserverConfig(
        long id,
        Path dataDir,
        HostPort listenPg,
        HostPort listenHttp,
        List<HostPort> safekeepers,
        long pageCacheBytes,
        RetentionConfig retention,
        Duration gcPeriod,
        Duration waitLsnTimeout,
        PageserverAuth auth) {
    public static final HostPort DEFAULT_LISTEN_PG = new HostPort("127.0.0.1", 6400);
    public static final HostPort DEFAULT_LISTEN_HTTP = new HostPort("127.0.0.1", 9898);
    public static final long DEFAULT_PAGE_CACHE_BYTES = 256L << 20;

    public static final Duration DEFAULT_GC_PERIOD = Duration.ofHours(1);
    public static final Duration DEFAULT_WAIT_LSN_TIMEOUT = Duration.ofMinutes(5);

    /** Throws {@link IllegalArgumentException} with a sentence for the user when a value can't be. */
    public PageserverConfig {
        safekeepers = List.copyOf(safekeepers);
        if (listenPg.port() != 0 && listenPg.equals(listenHttp)) {
            throw new IllegalArgumentException("--listen-pg and --listen-http are both " + listenPg);
        }
        if (pageCacheBytes < 1 << 20) {
            throw new IllegalArgumentException("--page-cache-mb must be at least 1");
        }
        if (gcPeriod.isNegative()) {
            throw new IllegalArgumentException("--gc-period must not be negative");
        }
        if (!waitLsnTimeout.isPositive()) {
            throw new IllegalArgumentException("--wait-lsn-timeout must be longer than 0");
        }
    }

    /** The defaults, for a data directory. */
    public static PageserverConfig of(Path dataDir, List<HostPort> safekeepers) {
        return new PageserverConfig(
                1,
                dataDir,
                DEFAULT_LISTEN_PG,
                DEFAULT_LISTEN_HTTP,
                safekeepers,
                DEFAULT_PAGE_CACHE_BYTES,
                RetentionConfig.DEFAULT,
                DEFAULT_GC_PERIOD,
                DEFAULT_WAIT_LSN_TIMEOUT,
                PageserverAuth.OFF);
    }

    /** The same, listening elsewhere. */
    public PageserverConfig listeningOn(HostPort pg, HostPort http) {
        return new PageserverConfig(
                id, dataDir, pg, http, safekeepers, pageCacheBytes, retention, gcPeriod, waitLsnTimeout, auth);
    }

    /** The same with other authentication. */
    public PageserverConfig withAuth(PageserverAuth other) {
        return new PageserverConfig(
                id,
                dataDir,
                listenPg,
                listenHttp,
                safekeepers,
                pageCacheBytes,
                retention,
                gcPeriod,
                waitLsnTimeout,
                other);
    }

    /** The same, keeping more or less of the past. */
    public PageserverConfig withRetention(RetentionConfig other) {
        return new PageserverConfig(
                id, dataDir, listenPg, listenHttp, safekeepers, pageCacheBytes, other, gcPeriod, waitLsnTimeout, auth);
    }

    /** The settings by the names of their flags, in a fixed order, for people. */
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("id", Long.toString(id));
        settings.put("data-dir", dataDir.toString());
        settings.put("listen-pg", listenPg.toString());
        settings.put("listen-http", listenHttp.toString());
        settings.put(
                "safekeepers",
                String.join(",", safekeepers.stream().map(HostPort::toString).toList()));
        settings.put("page-cache-mb", Long.toString(pageCacheBytes >> 20));
        settings.put("gc-horizon-mb", Long.toString(retention.horizonBytes() >> 20));
        settings.put("pitr-interval", retention.pitrInterval().toSeconds() + "s");
        settings.put("lsn-lease-length", retention.leaseLength().toSeconds() + "s");
        settings.put("gc-period", gcPeriod.toSeconds() + "s");
        settings.put("wait-lsn-timeout", waitLsnTimeout.toSeconds() + "s");
        settings.put("auth-public-key", auth.publicKey().map(Path::toString).orElse(""));
        return settings;
    }
}
