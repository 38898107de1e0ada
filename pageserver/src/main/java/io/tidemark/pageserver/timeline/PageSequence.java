package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.layer.LayerSnapshot;
import io.tidemark.pageserver.layer.LsnGarbageCollectedException;
import io.tidemark.pageserver.pgpage.PageChecksum;
import io.tidemark.pageserver.redo.Reconstruction;
import io.tidemark.pageserver.redo.RedoException;
import io.tidemark.pageserver.timeline.ReadException.Kind;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.rel.RelTag;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Pages of one LSN, for somebody who reads everything once: takes a page from the cache when it is there, and does not put it there.
 * Blocks in rising order share the decompression of what they lie in.
 *
 * <p>Belongs to the thread of its {@link TimelineReader}, which must not be used for anything else between two pages' bytes; holds the
 * layers until it is closed.
 */
public final class PageSequence implements AutoCloseable {
    private final TimelineReader reader;
    private final Timeline timeline;
    private final Reconstruction reconstruction;
    private final Lsn at;
    private final Timeline.@Nullable Ancestry below;
    private final LayerSnapshot layers;
    private final LayerSnapshot.InOrder chains;
    private @Nullable PageSequence ancestor;

    PageSequence(TimelineReader reader, Lsn at) {
        this(reader, reader.reconstruction(), at);
    }

    private PageSequence(TimelineReader reader, Reconstruction reconstruction, Lsn at) {
        this.reader = reader;
        this.timeline = reader.timeline();
        this.reconstruction = reconstruction;
        this.at = at;
        // Before the layers: when there is no ancestor any more, they have everything.
        this.below = timeline.ancestry();
        this.layers = timeline.layers();
        this.chains = layers.inOrder(
                (key, lsn, base, bytes, offset, length) -> reconstruction.add(lsn.value(), bytes, offset, length));
    }

    /**
     * One page that exists.
     *
     * @param block unsigned, below the relation's size
     * @param into 8192 bytes; worthless after an exception
     */
    public void page(RelTag relation, int block, byte[] into) throws ReadException {
        Key key = Keys.relationBlock(relation, block);
        if (timeline.pages().get(key, at, into)) {
            return;
        }
        reconstruction.begin(key);
        boolean complete = collect(key);
        if (!complete && reconstruction.versions() == 0) {
            throw new ReadException(
                    Kind.DAMAGED,
                    Keys.describe(key) + " has no version at " + at + " in timeline "
                            + timeline.metadata().id());
        }
        try {
            reconstruction.page(into);
        } catch (RedoException e) {
            throw reader.damaged(key, at, e);
        }
        if (timeline.metadata().dataChecksums()) {
            PageChecksum.set(into, block);
        }
    }

    private boolean collect(Key key) throws ReadException {
        try {
            if (chains.read(key, at)) {
                return true;
            }
        } catch (LsnGarbageCollectedException e) {
            throw new ReadException(Kind.BAD_REQUEST, String.valueOf(e.getMessage()), e);
        } catch (IOException e) {
            throw reader.damaged(key, at, e);
        }
        if (below == null || below.isTakenOver(layers)) {
            return false;
        }
        PageSequence older = ancestor;
        if (older == null) {
            older = new PageSequence(reader.upToBranchPoint(below), reconstruction, at.min(below.branchLsn()));
            ancestor = older;
        }
        return older.collect(key);
    }

    @Override
    public void close() {
        layers.close();
        PageSequence older = ancestor;
        if (older != null) {
            older.close();
        }
    }
}
