package io.tidemark.pageserver.server;

import io.tidemark.pageserver.metrics.PageserverMetrics;
import io.tidemark.pageserver.timeline.TimelineMaintenance;
import io.tidemark.pageserver.timeline.TimelineRegistry;
import io.tidemark.runtime.auth.Gate;
import java.time.Duration;
import java.util.Map;

/**
 * What every session of the page service needs.
 *
 * @param settings by the names of their flags, for people
 * @param waitLsnTimeout how long a request may wait for WAL to arrive
 * @param gate who may come in
 */
public record EdgeContext(
        TimelineRegistry timelines,
        TimelineMaintenance maintenance,
        PageserverMetrics metrics,
        Map<String, String> settings,
        Duration waitLsnTimeout,
        Gate gate) {}
