package io.tidemark.wire.client;

import java.util.Locale;

/** libpq's sslmode, without {@code allow}. Only the last two keep a man in the middle out. */
public enum SslMode {
    /** Never TLS. */
    DISABLE,
    /** TLS when the server offers it, with any certificate. */
    PREFER,
    /** TLS or nothing, with any certificate. */
    REQUIRE,
    /** The certificate comes from a trusted authority, for whatever host. */
    VERIFY_CA,
    /** The certificate comes from a trusted authority, for the host that was connected to. */
    VERIFY_FULL;

    /** Reads libpq's spelling ({@code verify-full}); throws {@link IllegalArgumentException} otherwise. */
    public static SslMode parse(String text) {
        for (SslMode mode : values()) {
            if (mode.toString().equals(text)) {
                return mode;
            }
        }
        throw new IllegalArgumentException(
                "unknown sslmode '" + text + "' (expected disable, prefer, require, verify-ca or verify-full)");
    }

    boolean verifiesCertificate() {
        return this == VERIFY_CA || this == VERIFY_FULL;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
