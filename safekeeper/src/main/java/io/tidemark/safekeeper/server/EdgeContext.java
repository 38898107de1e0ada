package io.tidemark.safekeeper.server;

import io.tidemark.runtime.auth.Gate;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.safekeeper.metrics.SafekeeperMetrics;
import io.tidemark.safekeeper.timeline.Connections;
import io.tidemark.safekeeper.timeline.TimelineRegistry;
import java.util.Map;

/**
 * What all sessions of a safekeeper share.
 *
 * @param loops that the connections are on
 * @param settings by the names of their flags, for {@code SHOW config}
 * @param gate who may come in
 */
public record EdgeContext(
        EventLoops loops,
        TimelineRegistry registry,
        Connections connections,
        Map<String, String> settings,
        SafekeeperMetrics metrics,
        Gate gate) {}
