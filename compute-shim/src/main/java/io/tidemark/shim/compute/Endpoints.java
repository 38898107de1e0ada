package io.tidemark.shim.compute;

import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.shim.source.PostgresAddress;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.frame.StartupOptions;
import io.tidemark.wire.id.TenantTimelineId;
import java.util.List;

/**
 * Who a shim connects to, and as what.
 *
 * @param replication the stream that is a synchronous standby, under the name that the server waits for
 * @param reader further replication connections: under another name, since the server must not wait for those
 * @param plain an ordinary session
 * @param safekeepers in the order of the configuration
 */
record Endpoints(
        PgClientConfig replication, PgClientConfig reader, PgClientConfig plain, List<PgClientConfig> safekeepers) {
    static Endpoints of(ShimConfig config) {
        PgClientConfig postgres = postgres(config.postgres());
        String name = config.applicationName();
        // The name is how a fenced shim tells who won.
        String nameAtSafekeepers = name + " for " + config.postgres();
        return new Endpoints(
                postgres.withParameter("replication", "true").withParameter("application_name", name),
                postgres.withParameter("replication", "true").withParameter("application_name", name + "_reader"),
                postgres.withParameter("database", config.postgres().database())
                        .withParameter("application_name", name + "_admin"),
                safekeepers(config.safekeepers(), config.timeline(), nameAtSafekeepers));
    }

    private static PgClientConfig postgres(PostgresAddress address) {
        String password = address.password();
        return PgClientConfig.of(address.host(), address.port(), address.user())
                .withPassword(password.isEmpty() ? null : password)
                .withTls(address.sslMode(), null);
    }

    static List<PgClientConfig> safekeepers(
            List<SafekeeperAddress> addresses, TenantTimelineId timeline, String applicationName) {
        return addresses.stream()
                .map(address -> PgClientConfig.of(address.host(), address.port(), "tidemark")
                        .withPassword(address.token())
                        .withParameter("database", "replication")
                        .withParameter("application_name", applicationName)
                        .withParameter("options", StartupOptions.naming(timeline)))
                .toList();
    }
}
