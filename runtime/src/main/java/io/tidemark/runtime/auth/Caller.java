package io.tidemark.runtime.auth;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Somebody who was let in, and what they may do. Immutable. */
public final class Caller {
    /** May do everything: there are no keys that a token could be checked with. */
    public static final Caller TRUSTED = new Caller(null, null);

    private final @Nullable Gate gate;
    private final @Nullable Claims claims;

    Caller(@Nullable Gate gate, @Nullable Claims claims) {
        this.gate = gate;
        this.claims = claims;
    }

    /** Whether the caller may touch what belongs to this tenant; {@code tenantId} is 32 hex digits. */
    public boolean mayTouch(String tenantId) {
        return mayDoEverything() || isTenant() && tenantOfToken().equals(tenantId.toLowerCase(Locale.ROOT));
    }

    /** Whether the caller may do what concerns the server, or all tenants. */
    public boolean mayDoEverything() {
        return gate == null || claims == null || claims.scope() == gate.everything();
    }

    /** Throws unless the caller {@link #mayTouch} this tenant. */
    public void requireTenant(String tenantId) throws AuthException {
        if (mayTouch(tenantId) || gate == null || claims == null) {
            return;
        }
        throw gate.denied(
                isTenant()
                        ? "the token is for another tenant"
                        : "a token of scope " + claims.scope().label() + " is for other servers; needed is scope "
                                + gate.everything().label() + ", or tenant with this tenant_id");
    }

    /** Throws unless the caller {@link #mayDoEverything}. */
    public void requireEverything() throws AuthException {
        if (mayDoEverything() || gate == null || claims == null) {
            return;
        }
        throw gate.denied("a token of scope " + claims.scope().label() + " does not allow this; needed is scope "
                + gate.everything().label());
    }

    private boolean isTenant() {
        return claims != null && claims.scope() == Scope.TENANT;
    }

    private String tenantOfToken() {
        return claims == null ? "" : claims.tenantId().orElse("");
    }
}
