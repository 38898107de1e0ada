package io.tidemark.runtime.auth;

import java.util.Optional;

/** How one connection of PostgreSQL's protocol comes in: its password is the token. Belongs to the connection's event loop. */
public final class Login {
    private final Gate gate;
    private Caller caller = Caller.TRUSTED;

    Login(Gate gate) {
        this.gate = gate;
    }

    /** Whether a password has to be asked for. */
    public boolean isNeeded() {
        return !gate.isOpen();
    }

    /** Empty when the password is a good token, else what the client is told. */
    public Optional<String> refusal(String password) {
        try {
            caller = gate.admit(password);
            return Optional.empty();
        } catch (AuthException e) {
            return Optional.of(e.text());
        }
    }

    /** Who came in. Without a login that succeeded this is to be asked only where none is needed. */
    public Caller caller() {
        return caller;
    }
}
