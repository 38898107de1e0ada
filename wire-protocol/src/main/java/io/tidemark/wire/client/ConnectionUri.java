package io.tidemark.wire.client;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Where a PostgreSQL listens and as whom to come, as people write it: libpq's connection URI, of which only sslmode is known as a
 * parameter.
 *
 * @param password empty when none is given; never printed
 */
public record ConnectionUri(String host, int port, String user, String database, SslMode sslMode, String password) {

    /**
     * Reads {@code postgres://user[:password]@host[:port]/[database][?sslmode=...]}. The port defaults to 5432, the
     * database to {@code postgres}, sslmode to {@code prefer}.
     *
     * @throws IllegalArgumentException when it is anything else
     */
    public static ConnectionUri parse(String text) {
        URI uri;
        try {
            uri = new URI(text);
        } catch (URISyntaxException e) {
            // Without the cause: it repeats the text, password and all.
            throw new IllegalArgumentException("not a postgres:// address: '" + withoutPassword(text) + "'");
        }
        if (!"postgres".equals(uri.getScheme()) && !"postgresql".equals(uri.getScheme())) {
            throw new IllegalArgumentException("not a postgres:// address: '" + withoutPassword(text) + "'");
        }
        String userPart = uri.getRawUserInfo();
        if (uri.getHost() == null || userPart == null || userPart.startsWith(":")) {
            throw new IllegalArgumentException(
                    "a user and a host are needed: postgres://user@host:port/, not '" + withoutPassword(text) + "'");
        }
        int colon = userPart.indexOf(':');
        String user = decode(colon < 0 ? userPart : userPart.substring(0, colon));
        String password = colon < 0 ? "" : decode(userPart.substring(colon + 1));
        String path = uri.getPath() == null ? "" : uri.getPath().replaceFirst("^/", "");
        String host = uri.getHost().replaceAll("^\\[|]$", "");
        return new ConnectionUri(
                host,
                uri.getPort() < 0 ? 5432 : uri.getPort(),
                user,
                path.isEmpty() ? "postgres" : path,
                parseQuery(uri.getQuery()),
                password);
    }

    private static SslMode parseQuery(@Nullable String query) {
        if (query == null || query.isEmpty()) {
            return SslMode.PREFER;
        }
        if (!query.startsWith("sslmode=") || query.indexOf('&') >= 0) {
            throw new IllegalArgumentException("unknown connection parameters '" + query + "' (only sslmode is known)");
        }
        return SslMode.parse(query.substring("sslmode=".length()));
    }

    private static String decode(String part) {
        return URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    private static String withoutPassword(String text) {
        return text.replaceFirst("(://[^:/@]*):[^@]*@", "$1:***@");
    }

    /** How to connect there; authorities are those that the JDK trusts. */
    public PgClientConfig config() {
        return PgClientConfig.of(host, port, user)
                .withPassword(password.isEmpty() ? null : password)
                .withTls(sslMode, null);
    }

    @Override
    public String toString() {
        return "postgres://" + user + "@" + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
