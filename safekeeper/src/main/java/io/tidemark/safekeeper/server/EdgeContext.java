package io.tidemark.safekeeper.server;

import io.tidemark.safekeeper.metrics.SafekeeperMetrics;
import io.tidemark.safekeeper.timeline.Connections;
import io.tidemark.safekeeper.timeline.TimelineRegistry;
import io.tidemark.wire.server.PasswordCheck;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What all sessions of a safekeeper share.
 *
 * @param settings by the names of their flags, for {@code SHOW config}
 * @param passwordCheck null: everybody may come in
 */
public record EdgeContext(
        TimelineRegistry registry,
        Connections connections,
        Map<String, String> settings,
        SafekeeperMetrics metrics,
        @Nullable PasswordCheck passwordCheck) {}
