package io.tidemark.runtime.auth;

import java.util.Locale;
import java.util.Optional;

/** What a token is for: the claim {@code scope}, with the names that Neon's components use. */
public enum Scope {
    /** Everything of one tenant: a compute. Needs the claim tenant_id. */
    TENANT,
    /** A compute's own services. */
    TENANTENDPOINT,
    /** Everything on a pageserver: operators, a controller. */
    PAGESERVERAPI,
    /** Everything on a safekeeper: pageservers, peers, operators. */
    SAFEKEEPERDATA,
    /** A pageserver's calls to a controller. */
    GENERATIONS_API,
    /** A controller's administration. */
    ADMIN,
    /** A controller's infrastructure. */
    INFRA,
    /** The scrubber of object storage. */
    SCRUBBER,
    /** One controller to another. */
    CONTROLLER_PEER;

    /** As it stands in a token. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The scope of this name. */
    public static Optional<Scope> find(String label) {
        for (Scope scope : values()) {
            if (scope.label().equals(label)) {
                return Optional.of(scope);
            }
        }
        return Optional.empty();
    }
}
