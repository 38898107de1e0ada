package io.tidemark.runtime.auth;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a token that was checked says of its bearer.
 *
 * @param tenantId 32 lower-case hex digits; present when the scope is {@link Scope#TENANT}
 */
public record Claims(Scope scope, Optional<String> tenantId) {
    private static final Pattern TENANT_ID = Pattern.compile("[0-9a-f]{32}");

    /** Throws {@link IllegalArgumentException} when the tenant id is missing or none. */
    public Claims {
        if (tenantId.isPresent() && !TENANT_ID.matcher(tenantId.get()).matches()) {
            throw new IllegalArgumentException("its tenant_id is not 32 hex digits");
        }
        if (scope == Scope.TENANT && tenantId.isEmpty()) {
            throw new IllegalArgumentException("it has scope tenant, but no tenant_id");
        }
    }
}
