package io.tidemark.runtime.auth;

/** Somebody may not do what they want. The message is for them: it says what is missing, and never repeats a token. */
public final class AuthException extends Exception {
    private static final long serialVersionUID = 1;

    /** How every message begins: what clients of Neon's components look for. */
    public static final String PREFIX = "JWT authentication error";

    /** Why not; the name is the reason that a refusal is counted under. */
    public enum Reason {
        /** There is no token. */
        TOKEN_MISSING,
        /** It is no signed JWT, or its claims can't be. */
        TOKEN_MALFORMED,
        /** Signed in another way than with Ed25519, or not at all. */
        TOKEN_ALGORITHM,
        /** No key of ours verifies it. */
        TOKEN_SIGNATURE,
        /** Its time is over, or has not come. */
        TOKEN_EXPIRED,
        /** It is meant for somebody else. */
        TOKEN_AUDIENCE,
        /** It is good, but for other things or another tenant. */
        PERMISSION_DENIED
    }

    private final Reason reason;

    AuthException(Reason reason, String detail) {
        super(PREFIX + ": " + detail, null, false, false);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }

    /** What the client is told. */
    public String text() {
        String message = getMessage();
        return message == null ? PREFIX : message;
    }
}
