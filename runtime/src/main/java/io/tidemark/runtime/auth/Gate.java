package io.tidemark.runtime.auth;

import io.tidemark.runtime.auth.AuthException.Reason;
import io.tidemark.runtime.time.TimeSource;
import java.io.IOException;
import java.nio.file.Path;
import java.security.PublicKey;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What stands before the ports of a server: lets callers in by their tokens, or everybody when there are no public keys. Thread-safe.
 *
 * <p>Keys are read again by {@link #reload}, as a whole: the old ones stay valid when a new one can't be read.
 */
public final class Gate {
    private final @Nullable Path keys;
    private final Scope everything;
    private final TimeSource time;
    private final Consumer<String> refused;
    /** Null: everybody may come in. Replaced as a whole, read by every connection. */
    private volatile @Nullable TokenVerifier verifier;

    private Gate(@Nullable Path keys, Scope everything, TimeSource time, Consumer<String> refused) {
        this.keys = keys;
        this.everything = everything;
        this.time = time;
        this.refused = refused;
    }

    /** Asks nobody for a token. */
    public static Gate open() {
        return new Gate(null, Scope.ADMIN, TimeSource.system(), reason -> {});
    }

    /**
     * Asks for tokens that one of these keys verifies.
     *
     * @param keys a PEM file, or a directory of them
     * @param everything the scope whose bearers may do everything here
     * @param refused hears the reason of every refusal, for a counter
     * @throws IOException with a sentence for the operator when a key can't be read
     */
    public static Gate of(Path keys, Scope everything, TimeSource time, Consumer<String> refused) throws IOException {
        Gate gate = new Gate(keys, everything, time, refused);
        gate.reload();
        return gate;
    }

    public boolean isOpen() {
        return keys == null;
    }

    /** Reads the keys again and answers how many there are. */
    public int reload() throws IOException {
        if (keys == null) {
            return 0;
        }
        List<PublicKey> found = PublicKeys.load(keys);
        verifier = new TokenVerifier(found, time);
        return found.size();
    }

    /**
     * Whose token this is.
     *
     * @throws AuthException when it is not good; whatever it is good for is the caller's to be asked
     */
    public Caller admit(String token) throws AuthException {
        TokenVerifier present = verifier;
        if (present == null) {
            return Caller.TRUSTED;
        }
        try {
            return new Caller(this, present.verify(token));
        } catch (AuthException e) {
            refused.accept(e.reason().name());
            throw e;
        }
    }

    /** For one connection that gives its token once and then commands. */
    public Login login() {
        return new Login(this);
    }

    Scope everything() {
        return everything;
    }

    AuthException denied(String detail) {
        refused.accept(Reason.PERMISSION_DENIED.name());
        return new AuthException(Reason.PERMISSION_DENIED, detail);
    }
}
