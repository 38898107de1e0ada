package io.tidemark.wire.frame;

import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The startup parameter {@code options}, taken apart: {@code -c timeline_id=<hex> tenant_id=<hex> ...}.
 *
 * <p>Tokens are separated by white space that has no backslash before it; a backslash stands for the character behind it. A
 * token is a key and a value around its first {@code =}; one without ({@code -c}) is ignored, and so are keys nobody asks
 * for.
 *
 * @param values by key; of a key that comes twice the last value counts. Unmodifiable
 */
public record StartupOptions(Map<String, String> values) {
    public StartupOptions {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /** Total: any text is options. */
    public static StartupOptions parse(String text) {
        Map<String, String> values = new LinkedHashMap<>();
        StringBuilder token = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (isAsciiSpace(c)) {
                add(token, values);
            } else if (c == '\\' && i + 1 < text.length()) {
                token.append(text.charAt(++i));
            } else {
                token.append(c);
            }
        }
        add(token, values);
        return new StartupOptions(values);
    }

    private static void add(StringBuilder token, Map<String, String> values) {
        int equals = token.indexOf("=");
        if (equals >= 0) {
            values.put(token.substring(0, equals), token.substring(equals + 1));
        }
        token.setLength(0);
    }

    private static boolean isAsciiSpace(char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
    }

    /** The value of a key, as it was sent. */
    public Optional<String> find(String key) {
        return Optional.ofNullable(values.get(key));
    }

    /** {@code tenant_id}, or its old name {@code ztenantid}; throws {@link InvalidMessageException} when malformed. */
    public Optional<TenantId> findTenantId() {
        return find("tenant_id").or(() -> find("ztenantid")).map(text -> {
            try {
                return TenantId.parse(text);
            } catch (IllegalArgumentException e) {
                throw new InvalidMessageException("startup options: " + e.getMessage(), e);
            }
        });
    }

    /** {@code timeline_id}, or its old name {@code ztimelineid}; throws {@link InvalidMessageException} when malformed. */
    public Optional<TimelineId> findTimelineId() {
        return find("timeline_id").or(() -> find("ztimelineid")).map(text -> {
            try {
                return TimelineId.parse(text);
            } catch (IllegalArgumentException e) {
                throw new InvalidMessageException("startup options: " + e.getMessage(), e);
            }
        });
    }

    /** The value a client sends to name its timeline. */
    public static String naming(TenantTimelineId id) {
        return "-c timeline_id=" + id.timelineId() + " tenant_id=" + id.tenantId();
    }
}
