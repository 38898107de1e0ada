package io.tidemark.wire.client;

import io.tidemark.wire.frame.FrameLimits;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * Where to connect, as whom, and how.
 *
 * @param password null when there is none; never printed
 * @param parameters further startup parameters ({@code database}, {@code replication}, {@code options}, ...); unmodifiable
 * @param trust the authorities for {@code verify-ca} and {@code verify-full}; null: those the JDK trusts
 * @param connectTimeout from the first packet to the first ReadyForQuery
 * @param limits how long the server's frames may be
 */
public record PgClientConfig(
        String host,
        int port,
        String user,
        @Nullable String password,
        Map<String, String> parameters,
        SslMode sslMode,
        @Nullable TrustManagerFactory trust,
        Duration connectTimeout,
        FrameLimits limits) {

    /** Clear text, no password, 10 seconds. */
    public static PgClientConfig of(String host, int port, String user) {
        return new PgClientConfig(
                host, port, user, null, Map.of(), SslMode.DISABLE, null, Duration.ofSeconds(10), FrameLimits.DEFAULT);
    }

    public PgClientConfig {
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    }

    public PgClientConfig withPassword(@Nullable String newPassword) {
        return new PgClientConfig(host, port, user, newPassword, parameters, sslMode, trust, connectTimeout, limits);
    }

    /** Adds a startup parameter, or replaces its value. */
    public PgClientConfig withParameter(String key, String value) {
        Map<String, String> more = new LinkedHashMap<>(parameters);
        more.put(key, value);
        return new PgClientConfig(host, port, user, password, more, sslMode, trust, connectTimeout, limits);
    }

    public PgClientConfig withTls(SslMode mode, @Nullable TrustManagerFactory authorities) {
        return new PgClientConfig(host, port, user, password, parameters, mode, authorities, connectTimeout, limits);
    }

    public PgClientConfig withConnectTimeout(Duration timeout) {
        return new PgClientConfig(host, port, user, password, parameters, sslMode, trust, timeout, limits);
    }

    public PgClientConfig withLimits(FrameLimits newLimits) {
        return new PgClientConfig(host, port, user, password, parameters, sslMode, trust, connectTimeout, newLimits);
    }

    /** {@code user@host:port}, for logs. */
    @Override
    public String toString() {
        return user + "@" + host + ":" + port;
    }
}
