package io.tidemark.pageserver.verify;

import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.wal.BlockReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** All relations while WAL is replayed, starting from those of a base copy. */
final class ReplayedCluster {
    private final @Nullable RelationFiles base;
    private final Map<RelTag, ReplayedRelation> relations = new HashMap<>();

    /** @param base null: nothing is known of what there was before */
    ReplayedCluster(@Nullable RelationFiles base) {
        this.base = base;
        if (base != null) {
            for (RelTag tag : base.relations()) {
                relations.put(tag, ReplayedRelation.over(tag, base.blocks(tag)));
            }
        }
    }

    @Nullable
    RelationFiles base() {
        return base;
    }

    static RelTag tagOf(BlockReference block) {
        return new RelTag(block.tablespace(), block.database(), block.relation(), Fork.of(block.fork()));
    }

    NavigableSet<RelTag> tags() {
        return Collections.unmodifiableNavigableSet(new TreeSet<>(relations.keySet()));
    }

    @Nullable
    ReplayedRelation find(RelTag tag) {
        return relations.get(tag);
    }

    /** The relation, made when it is not there: a record on a relation that a later record drops may come first. */
    ReplayedRelation relation(RelTag tag) {
        return relations.computeIfAbsent(tag, absent -> ReplayedRelation.empty());
    }

    /** All forks. */
    void drop(int tablespace, int database, int relation) {
        for (Fork fork : Fork.values()) {
            relations.remove(new RelTag(tablespace, database, relation, fork));
        }
    }

    void dropDatabase(int tablespace, int database) {
        relations.keySet().removeIf(tag -> tag.tablespace() == tablespace && tag.database() == database);
    }

    void copyDatabase(int fromTablespace, int fromDatabase, int toTablespace, int toDatabase) {
        List<RelTag> sources = new ArrayList<>();
        for (RelTag tag : relations.keySet()) {
            if (tag.tablespace() == fromTablespace && tag.database() == fromDatabase) {
                sources.add(tag);
            }
        }
        for (RelTag tag : sources) {
            ReplayedRelation copy = relation(tag).copy();
            relations.put(new RelTag(toTablespace, toDatabase, tag.relation(), tag.fork()), copy);
        }
    }
}
