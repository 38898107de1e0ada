package io.tidemark.shim.proposer;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;

/**
 * What a proposer is told at its start.
 *
 * @param safekeepers how many safekeepers are in the list, 1 to {@link #MAX_SAFEKEEPERS}; they are named by their place in it
 * @param membership what the acceptor set is
 * @param mode whether to write WAL or only to level the log
 * @param wal whose WAL it is
 * @param initialStartLsn where WAL of a timeline that has none yet begins; not used in sync mode
 */
public record ProposerConfig(
        TenantTimelineId timeline,
        int safekeepers,
        Membership membership,
        Mode mode,
        WalOrigin wal,
        Lsn initialStartLsn,
        Limits limits) {
    /** As many as a Neon compute takes. */
    public static final int MAX_SAFEKEEPERS = 31;

    /** What the acceptor set is. */
    public enum Membership {
        /** The configured list, unless a greeting shows a configuration with a generation. */
        CONFIGURED_LIST,
        /** The configuration that greetings show; there is no election without one. */
        LEARNT
    }

    /** What the proposer is for. */
    public enum Mode {
        /** To write WAL, until it is fenced. */
        STREAM,
        /** To win a term, level the log and say where it ends: Neon's sync-safekeepers. */
        SYNC
    }

    /**
     * The server whose WAL this is.
     *
     * @param systemId unknown in sync mode
     */
    public record WalOrigin(PgVersion pgVersion, SystemId systemId, int segmentSizeBytes) {}

    /**
     * Periods and bounds.
     *
     * @param heartbeatMillis how long an active connection may be without a request
     * @param responseTimeoutMillis how long a connection attempt, or an answer, may take
     * @param reconnectMillis least time between two attempts to connect to one safekeeper
     * @param maxUnsentBytes how much WAL may be scheduled for one safekeeper and not yet handed to its socket
     * @param maxChunkBytes WAL of one AppendRequest, at most {@link AppendRequest#MAX_WAL_BYTES}
     */
    public record Limits(
            long heartbeatMillis,
            long responseTimeoutMillis,
            long reconnectMillis,
            int maxUnsentBytes,
            int maxChunkBytes) {
        /** Neon's periods: 1 s, 10 s, 1 s; 128 KiB chunks, of which eight may wait. */
        public static final Limits DEFAULT =
                new Limits(1_000, 10_000, 1_000, 8 * AppendRequest.MAX_WAL_BYTES, AppendRequest.MAX_WAL_BYTES);

        /** Throws {@link IllegalArgumentException} for a bound that would stop everything. */
        public Limits {
            if (maxChunkBytes < 1 || maxChunkBytes > AppendRequest.MAX_WAL_BYTES || maxUnsentBytes < 1) {
                throw new IllegalArgumentException(
                        "chunk of " + maxChunkBytes + " bytes, window of " + maxUnsentBytes + " bytes");
            }
            if (heartbeatMillis < 1 || responseTimeoutMillis < 1 || reconnectMillis < 1) {
                throw new IllegalArgumentException("periods must be at least 1 ms");
            }
        }
    }

    /** Throws {@link IllegalArgumentException} for a list that is empty or too long, or a stream without a start. */
    public ProposerConfig {
        if (safekeepers < 1 || safekeepers > MAX_SAFEKEEPERS) {
            throw new IllegalArgumentException("1 to " + MAX_SAFEKEEPERS + " safekeepers, got " + safekeepers);
        }
        if (mode == Mode.STREAM && !initialStartLsn.isValid()) {
            throw new IllegalArgumentException("a new timeline needs a start LSN");
        }
    }
}
