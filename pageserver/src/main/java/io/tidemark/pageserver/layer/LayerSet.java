package io.tidemark.pageserver.layer;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.wire.id.Lsn;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The layers in files, and what is true of them: what a manifest says.
 *
 * <p>L0 files hold all kinds of keys. Below them the key space is cut into partitions, each with a stack of layers. A file may stand in
 * the stacks of several partitions, and then counts in each only for the partition's keys. From the newest L0 file to the bottom of
 * a stack, LSNs fall: for one key, two layers never interleave.
 *
 * @param startLsn where the timeline's own history starts: every version is above it, but for images of what it began with, at it;
 *     {@link Lsn#INVALID} when there is no other timeline below it
 * @param diskConsistentLsn every version at or below it is in these layers
 * @param compactedLsn every version at or below it is in the partitions, every other one in L0
 * @param retention what is kept
 * @param l0 newest first
 * @param partitions in the order of their keys, without gaps; the first starts at {@link Key#MIN}
 */
public record LayerSet(
        Lsn startLsn,
        Lsn diskConsistentLsn,
        Lsn compactedLsn,
        Retention retention,
        List<FileLayer> l0,
        List<Partition> partitions) {

    /**
     * A part of the key space.
     *
     * @param keys its keys
     * @param stack its layers, newest first; may reach beyond its keys
     * @param collectedLsn the gc cutoff when the whole stack was last merged
     */
    public record Partition(KeyRange keys, List<FileLayer> stack, Lsn collectedLsn) {}

    /** Nothing yet. */
    static LayerSet empty(Lsn startLsn) {
        return new LayerSet(
                startLsn,
                startLsn,
                startLsn,
                Retention.ALL,
                List.of(),
                List.of(new Partition(KeyRange.ALL, List.of(), Lsn.INVALID)));
    }

    /** The partition of a key. */
    public Partition partition(Key key) {
        int from = 0;
        int to = partitions.size() - 1;
        while (from < to) {
            int middle = (from + to + 1) >>> 1;
            if (partitions.get(middle).keys().start().compareTo(key) <= 0) {
                from = middle;
            } else {
                to = middle - 1;
            }
        }
        return partitions.get(from);
    }

    /** Every layer once, L0 first, newest first within a place. */
    public Set<FileLayer> layers() {
        Set<FileLayer> all = new LinkedHashSet<>(l0);
        partitions.forEach(partition -> all.addAll(partition.stack()));
        return all;
    }

    LayerSet withRetention(Retention next) {
        return new LayerSet(startLsn, diskConsistentLsn, compactedLsn, next, l0, partitions);
    }

    LayerSet withDiskConsistentLsn(Lsn lsn) {
        return new LayerSet(startLsn, diskConsistentLsn.max(lsn), compactedLsn, retention, l0, partitions);
    }

    LayerSet withL0(FileLayer newest) {
        List<FileLayer> more = new ArrayList<>(l0.size() + 1);
        more.add(newest);
        more.addAll(l0);
        return new LayerSet(startLsn, diskConsistentLsn, compactedLsn, retention, List.copyOf(more), partitions);
    }

    /** Moves the oldest L0 files, now rewritten as {@code outputs}, on top of the stacks. */
    LayerSet withCompactedL0(Collection<FileLayer> inputs, List<FileLayer> outputs, Lsn upTo, Collection<Key> splits) {
        List<FileLayer> rest = new ArrayList<>(l0);
        rest.removeAll(inputs);
        List<Partition> next = new ArrayList<>();
        for (Partition part : split(partitions, splits)) {
            next.add(new Partition(
                    part.keys(), concat(overlapping(outputs, part.keys()), part.stack()), part.collectedLsn()));
        }
        return new LayerSet(startLsn, diskConsistentLsn, upTo, retention, List.copyOf(rest), coalesced(next));
    }

    /** Replaces the upper layers {@code inputs} of one partition's stack. */
    LayerSet withMergedStack(
            KeyRange keys,
            Collection<FileLayer> inputs,
            List<FileLayer> outputs,
            Lsn collectedLsn,
            Collection<Key> splits) {
        List<Partition> next = new ArrayList<>();
        for (Partition part : split(partitions, splits)) {
            if (!part.keys().overlaps(keys)) {
                next.add(part);
                continue;
            }
            List<FileLayer> rest = new ArrayList<>(part.stack());
            rest.removeAll(inputs);
            next.add(new Partition(part.keys(), concat(overlapping(outputs, part.keys()), rest), collectedLsn));
        }
        return new LayerSet(startLsn, diskConsistentLsn, compactedLsn, retention, l0, coalesced(next));
    }

    /** Puts layers below everything else. */
    LayerSet withBottom(List<FileLayer> layers, Collection<Key> splits) {
        List<Partition> next = new ArrayList<>();
        for (Partition part : split(partitions, splits)) {
            next.add(new Partition(
                    part.keys(), concat(part.stack(), overlapping(layers, part.keys())), part.collectedLsn()));
        }
        return new LayerSet(startLsn, diskConsistentLsn, compactedLsn, retention, l0, coalesced(next));
    }

    /**
     * Puts the whole history of another set below everything else: the timeline has no other below it any more, so its own starts at
     * nothing.
     *
     * @param older partitions with layers of this store
     * @param kept what is kept of it
     * @param end where it ends: nothing of it is above, nothing here at or below
     */
    LayerSet withHistory(List<Partition> older, Retention kept, Lsn end) {
        List<Partition> upper = split(partitions, starts(older));
        List<Partition> lower = split(older, starts(partitions));
        List<Partition> next = new ArrayList<>();
        for (int i = 0; i < upper.size(); i++) {
            Partition part = upper.get(i);
            Partition below = lower.get(i);
            next.add(new Partition(
                    part.keys(),
                    concat(part.stack(), below.stack()),
                    part.collectedLsn().min(below.collectedLsn())));
        }
        return new LayerSet(
                Lsn.INVALID, diskConsistentLsn, compactedLsn, retention.above(kept, end), l0, coalesced(next));
    }

    private static List<Key> starts(List<Partition> partitions) {
        return partitions.stream().map(part -> part.keys().start()).toList();
    }

    static List<FileLayer> overlapping(List<FileLayer> layers, KeyRange keys) {
        return layers.stream()
                .filter(layer -> layer.descriptor().keys().overlaps(keys))
                .toList();
    }

    private static List<FileLayer> concat(List<FileLayer> upper, List<FileLayer> lower) {
        List<FileLayer> all = new ArrayList<>(upper.size() + lower.size());
        all.addAll(upper);
        all.addAll(lower);
        return List.copyOf(all);
    }

    /** Cuts partitions at more keys; layers that reach over a cut stand on both sides. */
    private static List<Partition> split(List<Partition> partitions, Collection<Key> at) {
        if (at.isEmpty()) {
            return partitions;
        }
        TreeSet<Key> cuts = new TreeSet<>(at);
        List<Partition> next = new ArrayList<>();
        for (Partition part : partitions) {
            Key start = part.keys().start();
            for (Key cut : cuts.subSet(start, false, part.keys().end(), false)) {
                next.add(clipped(part, new KeyRange(start, cut)));
                start = cut;
            }
            next.add(clipped(part, new KeyRange(start, part.keys().end())));
        }
        return next;
    }

    private static Partition clipped(Partition part, KeyRange keys) {
        return new Partition(keys, overlapping(part.stack(), keys), part.collectedLsn());
    }

    /** Joins neighbours that have the same stack, as dropped relations leave them. */
    private static List<Partition> coalesced(List<Partition> partitions) {
        List<Partition> next = new ArrayList<>();
        for (Partition part : partitions) {
            Partition last = next.isEmpty() ? null : next.getLast();
            if (last != null && last.stack().equals(part.stack())) {
                next.set(
                        next.size() - 1,
                        new Partition(
                                new KeyRange(last.keys().start(), part.keys().end()),
                                part.stack(),
                                last.collectedLsn().min(part.collectedLsn())));
            } else {
                next.add(part);
            }
        }
        return List.copyOf(next);
    }
}
