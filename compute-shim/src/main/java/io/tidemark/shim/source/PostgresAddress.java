package io.tidemark.shim.source;

import io.tidemark.wire.client.ConnectionUri;
import io.tidemark.wire.client.SslMode;

/**
 * Where a PostgreSQL listens and as whom to come.
 *
 * @param database for the few plain questions that a replication connection can't ask
 * @param password empty when none is known; never printed
 */
public record PostgresAddress(String host, int port, String user, String database, SslMode sslMode, String password) {

    /**
     * Reads {@code postgres://user[:password]@host[:port]/[database][?sslmode=...]}, see {@link ConnectionUri}.
     *
     * @throws IllegalArgumentException when it is anything else
     */
    public static PostgresAddress parse(String text) {
        ConnectionUri uri = ConnectionUri.parse(text);
        return new PostgresAddress(uri.host(), uri.port(), uri.user(), uri.database(), uri.sslMode(), uri.password());
    }

    public PostgresAddress withPassword(String newPassword) {
        return new PostgresAddress(host, port, user, database, sslMode, newPassword);
    }

    @Override
    public String toString() {
        return "postgres://" + user + "@" + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port + "/"
                + database;
    }
}
