package io.tidemark.shim.compute;

import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.shim.link.WalBuffer;
import io.tidemark.shim.source.PostgresAddress;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.walpush.WalPushVersion;
import java.util.List;

/**
 * What a shim needs to know; validated when it is made.
 *
 * @param slot physical replication slot; made when it does not exist
 * @param applicationName the name that the server's {@code synchronous_standby_names} lists
 * @param bufferBytes memory for recent WAL, see {@link WalBuffer}
 * @param builtAtLsn where PostgreSQL's own WAL begins when its data directory was built from storage: what its files have below is
 *     not the timeline's WAL; invalid for a PostgreSQL that wrote all of its WAL itself
 * @param isFollowing whether the server's commits are not to wait for the quorum: it is being copied, and knows nothing of that
 */
public record ShimConfig(
        PostgresAddress postgres,
        String slot,
        String applicationName,
        List<SafekeeperAddress> safekeepers,
        TenantTimelineId timeline,
        WalPushVersion pushVersion,
        int bufferBytes,
        Lsn builtAtLsn,
        boolean isFollowing) {
    public static final String DEFAULT_SLOT = "tidemark";
    public static final String DEFAULT_APPLICATION_NAME = "tidemark";
    public static final int DEFAULT_BUFFER_BYTES = 32 << 20;

    // PostgreSQL's NAMEDATALEN, and what ReplicationSlotValidateName lets pass.
    private static final String SLOT_PATTERN = "[a-z0-9_]{1,63}";

    public ShimConfig {
        if (!slot.matches(SLOT_PATTERN)) {
            throw new IllegalArgumentException(
                    "not a replication slot name: '" + slot + "' (1 to 63 of lower-case letters, digits and _)");
        }
        if (applicationName.isEmpty() || applicationName.length() > 63) {
            throw new IllegalArgumentException("the application name needs 1 to 63 characters");
        }
        if (safekeepers.isEmpty() || safekeepers.size() > SafekeeperAddress.MAX_SAFEKEEPERS) {
            throw new IllegalArgumentException(
                    "1 to " + SafekeeperAddress.MAX_SAFEKEEPERS + " safekeepers are needed, not " + safekeepers.size());
        }
        if (bufferBytes < WalBuffer.MIN_CAPACITY_BYTES) {
            throw new IllegalArgumentException(
                    "the WAL buffer needs at least " + WalBuffer.MIN_CAPACITY_BYTES + " bytes");
        }
        safekeepers = List.copyOf(safekeepers);
    }

    /** For a server whose commits are to wait. */
    public ShimConfig(
            PostgresAddress postgres,
            String slot,
            String applicationName,
            List<SafekeeperAddress> safekeepers,
            TenantTimelineId timeline,
            WalPushVersion pushVersion,
            int bufferBytes,
            Lsn builtAtLsn) {
        this(postgres, slot, applicationName, safekeepers, timeline, pushVersion, bufferBytes, builtAtLsn, false);
    }

    /** With default names and memory, protocol version 3. */
    public static ShimConfig of(
            PostgresAddress postgres, List<SafekeeperAddress> safekeepers, TenantTimelineId timeline) {
        return new ShimConfig(
                postgres,
                DEFAULT_SLOT,
                DEFAULT_APPLICATION_NAME,
                safekeepers,
                timeline,
                WalPushVersion.V3,
                DEFAULT_BUFFER_BYTES,
                Lsn.INVALID);
    }

    /** The same, for a PostgreSQL whose data directory was built from storage at an LSN, where nothing else may have been written since. */
    public ShimConfig builtAt(Lsn lsn) {
        return new ShimConfig(
                postgres, slot, applicationName, safekeepers, timeline, pushVersion, bufferBytes, lsn, isFollowing);
    }

    /** The same beside a server that is only followed, with a slot and a name of its own. */
    public ShimConfig following(String newSlot, String newApplicationName) {
        return new ShimConfig(
                postgres,
                newSlot,
                newApplicationName,
                safekeepers,
                timeline,
                pushVersion,
                bufferBytes,
                builtAtLsn,
                true);
    }
}
