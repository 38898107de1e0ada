package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.key.ValueFormat;
import io.tidemark.pageserver.layer.HistoryCopy;
import io.tidemark.pageserver.layer.LayerFiles;
import io.tidemark.pageserver.layer.LayerSnapshot;
import io.tidemark.pageserver.layer.file.LayerFileWriter;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Gives a branch its ancestor's history up to the branch point: every version, so that whatever could be read there of the ancestor can be
 * read of the branch, and other branches that begin there can be its own.
 *
 * <p>What a branch does not inherit (auxiliary files, replication origins) is removed at the branch point: it would appear otherwise.
 */
final class AncestorHistory {
    private static final Duration ANCESTOR_PATIENCE = Duration.ofSeconds(10);

    private AncestorHistory() {}

    /**
     * Puts the history below the branch's own; durable when this returns. When that has been done only what is retained is brought up to
     * date. The branch's gc cutoff must stand still from before on.
     *
     * @param siblings branches of the ancestor that are to be the branch's, each at its branch point
     * @return those of them that can be
     */
    static Set<TimelineId> takeOver(Timeline branch, Timeline.Ancestry ancestry, Map<TimelineId, Lsn> siblings)
            throws IOException, ReadException {
        Timeline ancestor = ancestry.timeline();
        Lsn end = ancestry.branchLsn();
        LayerFiles files = branch.store().files();
        if (ancestry.isTakenOver(files.layers())) {
            return branch.retention().takeOver(ancestor.retention(), end, siblings, () -> {});
        }
        branch.requireAncestor(ANCESTOR_PATIENCE);
        if (ancestor.diskConsistentLsn().isBefore(end)) {
            ancestor.flush();
        }
        try (LayerSnapshot history = ancestor.layers();
                HistoryCopy copy = new HistoryCopy(files, history, end)) {
            copy.run();
            remove(keysOfItsOwn(ancestor, end), copy, end);
            return branch.retention().takeOver(ancestor.retention(), end, siblings, copy::commit);
        }
    }

    private static List<Key> keysOfItsOwn(Timeline ancestor, Lsn at) throws ReadException {
        List<Key> keys = new ArrayList<>();
        TimelineReader reader = ancestor.reader();
        for (KeyKind kind : KeyKind.values()) { // in the order of their families
            if (!kind.isInherited()) {
                reader.scan(kind.range(), at, (key, value) -> keys.add(key));
            }
        }
        return keys;
    }

    private static void remove(List<Key> keys, HistoryCopy copy, Lsn at) throws IOException {
        if (keys.isEmpty()) {
            return;
        }
        byte[] removed = ValueFormat.encode(Value.REMOVED);
        try (LayerFileWriter writer = copy.newTop()) {
            for (Key key : keys) {
                writer.add(key.high(), key.low(), at.value(), true, removed, 0, removed.length);
            }
            copy.addTop(writer.finish());
        }
    }
}
