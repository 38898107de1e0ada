package io.tidemark.pageserver.compaction;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.layer.Retention;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Decides, version by version, what must be kept. Keys are asked for in rising order, the versions of a key from the newest on, so
 * that it needs no look ahead: a version is needed when some readable LSN lies between it and the next newer base, and the key
 * exists there.
 */
final class KeptVersions {
    /** The cutoff and the retained LSNs, each with the keys that exist there. */
    private final Retention retention;

    private final @Nullable Existing atCutoff;
    private final List<Existing> atRetained;
    private final boolean allExist;

    private long newerBase = -1;
    private boolean liveAtCutoff = true;
    private Retention forKey;

    /** The keys that exist at one LSN; asked for in rising order. */
    private static final class Existing {
        private final Lsn at;
        private final @Nullable List<KeyRange> ranges;
        private int next;

        Existing(Lsn at, @Nullable List<KeyRange> ranges) {
            this.at = at;
            this.ranges = ranges;
        }

        boolean contains(long high, long low) {
            if (ranges == null) {
                return true;
            }
            while (next < ranges.size()) {
                KeyRange range = ranges.get(next);
                if (Key.compare(high, low, range.end().high(), range.end().low()) < 0) {
                    return Key.compare(
                                    high,
                                    low,
                                    range.start().high(),
                                    range.start().low())
                            >= 0;
                }
                next++;
            }
            return false;
        }
    }

    private KeptVersions(Retention retention, @Nullable Existing atCutoff, List<Existing> atRetained) {
        this.retention = retention;
        this.atCutoff = atCutoff;
        this.atRetained = atRetained;
        this.allExist = atCutoff == null;
        this.forKey = retention;
    }

    /** Takes every key as existing everywhere. */
    static KeptVersions of(Retention retention) {
        return new KeptVersions(retention, null, List.of());
    }

    /** Forgets keys that do not exist. */
    static KeptVersions of(Retention retention, LiveKeyspace keyspace) throws IOException {
        List<Existing> atRetained = new ArrayList<>();
        for (Lsn lsn : retention.retained()) {
            if (lsn.isBefore(retention.cutoff())) {
                atRetained.add(new Existing(lsn, keyspace.at(lsn)));
            }
        }
        return new KeptVersions(
                retention, new Existing(retention.cutoff(), keyspace.at(retention.cutoff())), atRetained);
    }

    /** Begins with the next key. */
    void startKey(long high, long low) {
        newerBase = -1;
        Existing cutoff = atCutoff;
        if (cutoff == null) {
            return;
        }
        liveAtCutoff = cutoff.contains(high, low);
        List<Lsn> retained = new ArrayList<>(atRetained.size());
        for (Existing existing : atRetained) {
            if (existing.contains(high, low)) {
                retained.add(existing.at);
            }
        }
        forKey = retained.size() == atRetained.size() ? retention : new Retention(retention.cutoff(), retained);
    }

    /** Whether the key's next older version must be kept. */
    boolean keeps(long lsn, boolean base) {
        boolean kept = forKey.needs(lsn, newerBase);
        if (kept
                && !allExist
                && !liveAtCutoff
                && Long.compareUnsigned(lsn, retention.cutoff().value()) <= 0) {
            // Nobody reads it from the cutoff on; only a retained LSN at or above it, and below the next base, may need
            // it.
            kept = forKey.needsForRetained(lsn, newerBase);
        }
        if (base) {
            newerBase = lsn;
        }
        return kept;
    }
}
