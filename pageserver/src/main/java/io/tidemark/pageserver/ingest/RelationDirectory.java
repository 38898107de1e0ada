package io.tidemark.pageserver.ingest;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.wal.LittleEndian;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which relation forks and databases exist at the head, and how long the forks are: a bounded cache over the keys of sizes, written
 * through at the end of each record.
 */
final class RelationDirectory {
    /** One fork that exists. */
    static final class Relation {
        private final RelTag tag;
        private int blocks;
        private boolean dirty;

        private Relation(RelTag tag, int blocks) {
            this.tag = tag;
            this.blocks = blocks;
        }

        RelTag tag() {
            return tag;
        }

        /** Its length in blocks, unsigned. */
        int blocks() {
            return blocks;
        }
    }

    // About 100 bytes each.
    private static final int MAX_CACHED = 200_000;
    private static final int RECENT = 256;

    private final TimelineHead head;
    private final Changes changes;
    private final Map<RelTag, Relation> cache = new HashMap<>();
    /** A shortcut for what comes again and again: found without making a tag. */
    private final @Nullable Relation[] recent = new @Nullable Relation[RECENT];

    private final Set<Key> databases = new HashSet<>();
    private final List<Relation> dirty = new ArrayList<>();

    RelationDirectory(TimelineHead head, Changes changes) {
        this.head = head;
        this.changes = changes;
    }

    /** Whether what is in a tablespace is stored: those that every cluster has. */
    static boolean isKept(int tablespace) {
        return tablespace == RelTag.DEFAULT_TABLESPACE || tablespace == RelTag.GLOBAL_TABLESPACE;
    }

    static void requireKept(int tablespace) throws UnsupportedRecordException {
        if (!isKept(tablespace)) {
            throw new UnsupportedRecordException("it is about the tablespace " + Integer.toUnsignedString(tablespace)
                    + "; tablespaces that users create are not supported");
        }
    }

    /** A fork; null when it does not exist. */
    @Nullable
    Relation find(int tablespace, int database, int relation, int fork) throws IOException {
        int slot = relation * 4 + fork & RECENT - 1;
        Relation found = recent[slot];
        if (found != null
                && found.tag.relation() == relation
                && found.tag.database() == database
                && found.tag.tablespace() == tablespace
                && found.tag.fork().number() == fork) {
            return found;
        }
        return find(new RelTag(tablespace, database, relation, Fork.of(fork)));
    }

    @Nullable
    Relation find(RelTag tag) throws IOException {
        Relation found = cache.get(tag);
        if (found == null) {
            byte[] size = isKept(tag.tablespace()) ? head.read(Keys.relationSize(tag)) : null;
            if (size == null) {
                return null;
            }
            found = new Relation(tag, LittleEndian.i32(size, 0));
            remember(found);
        }
        recent[slotOf(tag)] = found;
        return found;
    }

    private void remember(Relation relation) {
        if (cache.size() >= MAX_CACHED && dirty.isEmpty()) {
            cache.clear();
        }
        cache.put(relation.tag, relation);
    }

    private static int slotOf(RelTag tag) {
        return tag.relation() * 4 + tag.fork().number() & RECENT - 1;
    }

    /** The fork, empty when it did not exist. */
    Relation findOrCreate(RelTag tag) throws IOException, UnsupportedRecordException {
        Relation found = find(tag);
        if (found == null) {
            createDatabase(tag.tablespace(), tag.database());
            found = new Relation(tag, 0);
            remember(found);
            recent[slotOf(tag)] = found;
            markDirty(found);
        }
        return found;
    }

    /** Sets the length in blocks, unsigned. */
    void resize(Relation relation, int blocks) {
        relation.blocks = blocks;
        markDirty(relation);
    }

    private void markDirty(Relation relation) {
        if (!relation.dirty) {
            relation.dirty = true;
            dirty.add(relation);
        }
    }

    /** Removes a fork if it exists. */
    void drop(RelTag tag) throws IOException {
        Relation found = find(tag);
        if (found != null) {
            forget(found);
            changes.put(Keys.relationSize(tag), Value.REMOVED);
        }
    }

    private void forget(Relation relation) {
        cache.remove(relation.tag);
        recent[slotOf(relation.tag)] = null;
        if (relation.dirty) {
            dirty.remove(relation);
        }
    }

    /** Makes the database's directory exist. */
    void createDatabase(int tablespace, int database) throws IOException, UnsupportedRecordException {
        requireKept(tablespace);
        Key key = Keys.database(tablespace, database);
        if (!databases.contains(key)) {
            if (head.read(key) == null) {
                changes.put(key, new Value.Image(new byte[0]));
            }
            databases.add(key);
        }
    }

    /** Removes a database with everything in it. */
    void dropDatabase(int tablespace, int database) throws IOException {
        for (RelTag tag : relationsOf(tablespace, database)) {
            changes.put(Keys.relationSize(tag), Value.REMOVED);
        }
        cache.keySet().removeIf(tag -> tag.tablespace() == tablespace && tag.database() == database);
        Arrays.fill(recent, null);
        Key key = Keys.database(tablespace, database);
        databases.remove(key);
        changes.put(key, Value.REMOVED);
        changes.put(Keys.relationMap(tablespace, database), Value.REMOVED);
    }

    /** All forks of all relations of a database, in the order of their keys. */
    List<RelTag> relationsOf(int tablespace, int database) throws IOException {
        List<RelTag> found = new ArrayList<>();
        head.scan(Keys.relationSizes(tablespace, database), (key, size) -> found.add(Keys.relTag(key)));
        return found;
    }

    /** Puts the sizes that the record changed. */
    void flush() {
        for (int i = 0; i < dirty.size(); i++) {
            Relation relation = dirty.get(i);
            relation.dirty = false;
            byte[] size = new byte[4];
            LittleEndian.putI32(size, 0, relation.blocks);
            changes.put(Keys.relationSize(relation.tag), new Value.Image(size));
        }
        dirty.clear();
    }
}
