package io.tidemark.wire.walpush;

import java.util.Optional;

/** A version of the WAL push protocol; the proposer chooses it with START_WAL_PUSH's option {@code proto_version}. */
public enum WalPushVersion {
    /** Little endian, 8-byte tags, no membership; its messages decode with generation 0. The default of the command. */
    V2(2),
    /** Big endian, 1-byte tags, membership generations. */
    V3(3);

    private final int number;

    WalPushVersion(int number) {
        this.number = number;
    }

    /** The number on the wire. */
    public int number() {
        return number;
    }

    /** Empty for a version that nobody speaks any more, or not yet. */
    public static Optional<WalPushVersion> find(int number) {
        return switch (number) {
            case 2 -> Optional.of(V2);
            case 3 -> Optional.of(V3);
            default -> Optional.empty();
        };
    }
}
