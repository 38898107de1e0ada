package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.layer.LayerSnapshot;
import io.tidemark.pageserver.layer.LsnGarbageCollectedException;
import io.tidemark.pageserver.layer.file.CorruptLayerException;
import io.tidemark.pageserver.pgpage.PageChecksum;
import io.tidemark.pageserver.redo.Reconstruction;
import io.tidemark.pageserver.redo.RedoException;
import io.tidemark.pageserver.timeline.ReadException.Kind;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.rel.SlruKind;
import io.tidemark.wire.wal.LittleEndian;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads a timeline as of an LSN, for one thread: pages, sizes, directories, anything that has a key.
 *
 * <p>The LSNs are effective ones: published, and not below what is kept (see {@link Timeline#effectiveLsn}); a read at one that gc has
 * passed meanwhile is refused, never answered wrongly. Below a branch point the ancestor is read.
 */
public final class TimelineReader {
    private static final int PAGE = 8192;

    /** After a crash an ancestor may have to stream again what a branch has of it. */
    private static final Duration ANCESTOR_PATIENCE = Duration.ofSeconds(10);

    private final Timeline timeline;
    private final Reconstruction reconstruction;
    private @Nullable TimelineReader ancestor;
    private long newestLsn;

    TimelineReader(Timeline timeline) {
        this.timeline = timeline;
        this.reconstruction = new Reconstruction(timeline.metadata().rules());
    }

    /** Whether a fork exists. */
    public boolean exists(RelTag relation, Lsn at) throws ReadException {
        requireRelation(relation);
        return blocksOrAbsent(relation, at) >= 0;
    }

    /**
     * The size of a fork in blocks, unsigned. A map of free space or visibility that does not exist has none.
     *
     * @throws ReadException also when another fork does not exist
     */
    public int blocks(RelTag relation, Lsn at) throws ReadException {
        requireRelation(relation);
        int blocks = blocksOrAbsent(relation, at);
        if (blocks != SizeCache.ABSENT) {
            return blocks;
        }
        if (relation.fork() == Fork.FSM || relation.fork() == Fork.VM) {
            return 0;
        }
        throw new ReadException(Kind.NOT_FOUND, "relation " + relation + " does not exist at " + at);
    }

    private static void requireRelation(RelTag relation) throws ReadException {
        if (relation.relation() == 0) {
            throw new ReadException(Kind.BAD_REQUEST, "0 is not the number of a relation");
        }
        if ((relation.tablespace() & ~0xFFFF) != 0) {
            throw new ReadException(
                    Kind.NOT_FOUND,
                    "relation " + relation + " does not exist: tablespaces of one's own are not supported");
        }
    }

    private int blocksOrAbsent(RelTag relation, Lsn at) throws ReadException {
        Key key = Keys.relationSize(relation);
        int known = timeline.sizes().get(key, at);
        if (known != SizeCache.UNKNOWN) {
            return known;
        }
        byte[] value = find(key, at);
        int blocks = value == null ? SizeCache.ABSENT : LittleEndian.i32(value, 0);
        timeline.sizes().put(key, Lsn.of(newestLsn), at, blocks);
        return blocks;
    }

    /**
     * One page; zeros behind the relation's end.
     *
     * @param block unsigned
     * @param into 8192 bytes; worthless after an exception
     */
    public void page(RelTag relation, int block, Lsn at, byte[] into) throws ReadException {
        if (Integer.compareUnsigned(block, blocks(relation, at)) >= 0) {
            Arrays.fill(into, (byte) 0);
            return;
        }
        Key key = Keys.relationBlock(relation, block);
        PageCache.View cache = timeline.pages();
        if (cache.get(key, at, into)) {
            return;
        }
        build(key, at, into);
        if (timeline.metadata().dataChecksums()) {
            PageChecksum.set(into, block);
        }
        cache.put(key, Lsn.of(newestLsn), at, into);
    }

    /** For somebody who reads everything once; see {@link PageSequence}. */
    public PageSequence sequence(Lsn at) {
        return new PageSequence(this, at);
    }

    /** All blocks of an SLRU's segment, one after the other. */
    public byte[] slruSegment(SlruKind kind, int segment, Lsn at) throws ReadException {
        byte[] size = find(Keys.slruSegmentSize(kind, segment), at);
        if (size == null) {
            throw new ReadException(
                    Kind.NOT_FOUND, "segment %04X of %s does not exist at %s".formatted(segment, kind.directory(), at));
        }
        int count = LittleEndian.i32(size, 0);
        byte[] blocks = new byte[count * PAGE];
        byte[] page = new byte[PAGE];
        for (int block = 0; block < count; block++) {
            build(Keys.slruBlock(kind, segment, block), at, page);
            System.arraycopy(page, 0, blocks, block * PAGE, PAGE);
        }
        return blocks;
    }

    /** What all forks of all relations of a database take in the default tablespace, in bytes. */
    public long databaseBytes(int database, Lsn at) throws ReadException {
        long[] blocks = {0};
        scan(
                Keys.relationSizes(RelTag.DEFAULT_TABLESPACE, database),
                at,
                (key, value) -> blocks[0] += Integer.toUnsignedLong(LittleEndian.i32(value, 0)));
        return blocks[0] * PAGE;
    }

    /** The value of a key; null when there is none. */
    public byte @Nullable [] find(Key key, Lsn at) throws ReadException {
        collect(key, at);
        try {
            return reconstruction.value();
        } catch (RedoException e) {
            throw damaged(key, at, e);
        }
    }

    /** The bytes of a page's key, whatever the size of what it belongs to says; without a checksum. */
    public void build(Key key, Lsn at, byte[] into) throws ReadException {
        boolean complete = collect(key, at);
        if (!complete && reconstruction.versions() == 0) {
            throw new ReadException(
                    Kind.DAMAGED, Keys.describe(key) + " has no version at " + at + " in timeline " + id());
        }
        try {
            reconstruction.page(into);
        } catch (RedoException e) {
            throw damaged(key, at, e);
        }
    }

    /** How many versions the last read found for its key: the length of the chain. */
    public int versionsRead() {
        return reconstruction.versions();
    }

    /** The LSN of the newest version that the last read found; invalid when there was none. */
    public Lsn newestLsn() {
        return Lsn.of(newestLsn);
    }

    private boolean collect(Key key, Lsn at) throws ReadException {
        reconstruction.begin(key);
        newestLsn = 0;
        return collectInto(this, key, at);
    }

    private boolean collectInto(TimelineReader asker, Key key, Lsn at) throws ReadException {
        // Before the layers: when there is no ancestor any more, they have everything.
        Timeline.Ancestry below = timeline.ancestry();
        LayerSnapshot.Chain chain;
        boolean complete;
        try (LayerSnapshot layers = timeline.layers()) {
            complete = below == null || below.isTakenOver(layers);
            chain = layers.read(key, at, (k, lsn, base, bytes, offset, length) -> {
                if (asker.reconstruction.versions() == 0) {
                    asker.newestLsn = lsn.value();
                }
                asker.reconstruction.add(lsn.value(), bytes, offset, length);
            });
        } catch (LsnGarbageCollectedException e) {
            throw new ReadException(Kind.BAD_REQUEST, String.valueOf(e.getMessage()), e);
        } catch (IOException e) {
            throw damaged(key, at, e);
        }
        KeyKind kind = KeyKind.of(key);
        if (chain.base() || complete || below == null || kind == null || !kind.isInherited()) {
            return chain.base();
        }
        return upToBranchPoint(below).collectInto(asker, key, at.min(below.branchLsn()));
    }

    /** The ancestor, once it has everything that this timeline has of it: its data need not be durable when a branch is. */
    TimelineReader upToBranchPoint(Timeline.Ancestry below) throws ReadException {
        below.timeline().await(below.branchLsn(), ANCESTOR_PATIENCE);
        TimelineReader reader = ancestor;
        if (reader == null || reader.timeline != below.timeline()) {
            reader = new TimelineReader(below.timeline());
            ancestor = reader;
        }
        return reader;
    }

    /** Tells every key of a range that has a value at an LSN, in order. */
    public void scan(KeyRange range, Lsn at, ValueVisitor visitor) throws ReadException {
        NavigableMap<Key, byte[]> found = new TreeMap<>();
        scanInto(found, range, at);
        for (var entry : found.entrySet()) {
            visitor.visit(entry.getKey(), entry.getValue());
        }
    }

    /** Told what a scan finds. */
    @FunctionalInterface
    public interface ValueVisitor {
        void visit(Key key, byte[] value) throws ReadException;
    }

    private void scanInto(NavigableMap<Key, byte[]> found, KeyRange range, Lsn at) throws ReadException {
        KeyKind kind = KeyKind.of(range.start());
        Timeline.Ancestry below = timeline.ancestry();
        if (below != null && kind != null && kind.isInherited()) {
            upToBranchPoint(below).scanInto(found, range, at.min(below.branchLsn()));
        }
        RedoException[] failure = {null};
        Key[] last = {Key.MIN};
        try (LayerSnapshot layers = timeline.layers()) {
            layers.scan(range, at, (key, lsn, base, bytes, offset, length) -> {
                // Keys outside of pages have only complete values, so a chain's first version is all of it.
                if (key.equals(last[0]) || failure[0] != null) {
                    return;
                }
                last[0] = key;
                reconstruction.begin(key);
                reconstruction.add(lsn.value(), bytes, offset, length);
                try {
                    byte[] value = reconstruction.value();
                    if (value == null) {
                        found.remove(key);
                    } else {
                        found.put(key, value);
                    }
                } catch (RedoException e) {
                    failure[0] = e;
                }
            });
        } catch (LsnGarbageCollectedException e) {
            throw new ReadException(Kind.BAD_REQUEST, String.valueOf(e.getMessage()), e);
        } catch (IOException e) {
            throw damaged(range.start(), at, e);
        }
        if (failure[0] != null) {
            throw damaged(range.start(), at, failure[0]);
        }
    }

    ReadException damaged(Key key, Lsn at, Exception cause) {
        timeline.alarm();
        String todo = cause instanceof CorruptLayerException
                ? "; put a good copy of the file in its place and restart, or make the timeline anew"
                : "";
        return new ReadException(
                Kind.DAMAGED,
                "%s at %s of timeline %s: %s%s".formatted(Keys.describe(key), at, id(), cause.getMessage(), todo),
                cause);
    }

    Timeline timeline() {
        return timeline;
    }

    Reconstruction reconstruction() {
        return reconstruction;
    }

    private Object id() {
        return timeline.metadata().id();
    }
}
