package io.tidemark.cli.cluster;

import java.security.SecureRandom;
import java.util.HexFormat;

/** Ids that nobody else has: of tenants and timelines. */
public final class RandomId {
    private static final int BYTES = 16;

    private RandomId() {}

    /** 32 hex digits. */
    public static String hex() {
        byte[] id = new byte[BYTES];
        new SecureRandom().nextBytes(id);
        return HexFormat.of().formatHex(id);
    }
}
