package io.tidemark.pageserver.verify;

import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.pageserver.pgpage.SpgistPage;
import io.tidemark.pageserver.redo.PageMask;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.wal.ResourceManagers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;

/**
 * Every block of every relation that is logged, as replay made it and as a server left it after a clean stop.
 *
 * <p>Stricter than the images in records where the files allow it: page LSNs are equal when hint bits are logged, so everything was
 * stamped that PostgreSQL stamps and nothing else; the visibility map is equal bit for bit, and PD_ALL_VISIBLE too; pages that no
 * record touched still are those of the base.
 *
 * <p>Looser where the primary changes pages without logging it: pages beyond the last one that a record named may exist, if they
 * are empty; of sequences only the LSN counts, since values taken ahead are not logged; the free pages that SP-GiST's meta page
 * remembers, the flag of {@link KnownDifferences} and the free space map are left out. Unlogged relations have only their init
 * fork, whose file never gets the stamp.
 */
public final class FinalComparison {
    private final ReplayedCluster cluster;
    private final RelationFiles files;
    private final boolean lsnsExact;
    private final int maxFindings;
    private final List<Finding> findings = new ArrayList<>();
    private final byte[] disk = new byte[Page.SIZE_BYTES];
    private final byte[] fromBase = new byte[Page.SIZE_BYTES];
    private int relations;
    private long blocks;
    private long mismatches;
    private long known;

    FinalComparison(ReplayedCluster cluster, RelationFiles files, boolean lsnsExact, int maxFindings) {
        this.cluster = cluster;
        this.files = files;
        this.lsnsExact = lsnsExact;
        this.maxFindings = maxFindings;
    }

    void run() throws IOException {
        TreeSet<RelTag> tags = new TreeSet<>(files.relations());
        tags.addAll(cluster.tags());
        for (RelTag tag : tags) {
            boolean logged = tag.fork() == Fork.INIT || !files.contains(tag.withFork(Fork.INIT));
            if (tag.fork() != Fork.FSM && logged) {
                compare(tag);
            }
        }
    }

    /** Forks compared. */
    public int relations() {
        return relations;
    }

    /** Blocks compared. */
    public long blocks() {
        return blocks;
    }

    /** Blocks and relations that are not alike. */
    public long mismatches() {
        return mismatches;
    }

    /** Blocks that differ as PostgreSQL differs from itself. */
    public long knownDifferences() {
        return known;
    }

    /** The first differences. */
    public List<Finding> findings() {
        return List.copyOf(findings);
    }

    private void compare(RelTag tag) throws IOException {
        ReplayedRelation replayed = cluster.find(tag);
        if (replayed == null && tag.fork() == Fork.VM) {
            replayed = ReplayedRelation.empty(); // the file is made without a record; the first bit is logged
        }
        if (replayed == null || !files.contains(tag)) {
            if (replayed == null || replayed.blocks() > 0) {
                mismatch(tag + (replayed == null ? " exists, and not" : " exists only") + " after replay", List.of());
            }
            return;
        }
        relations++;
        if (replayed.blocks() > files.blocks(tag)) {
            mismatch(
                    tag + " has another size",
                    List.of(files.blocks(tag) + " blocks, after replay " + replayed.blocks()));
        }
        for (int block = 0; block < files.blocks(tag); block++) {
            files.read(tag, block, disk);
            blocks++;
            compareBlock(tag, replayed, block);
        }
    }

    private void compareBlock(RelTag tag, ReplayedRelation replayed, int block) throws IOException {
        ReplayedRelation.Held held = replayed.find(block);
        byte[] actual = held != null ? held.bytes : fromBase;
        if (held == null) {
            replayed.readBase(block, cluster.base(), fromBase);
        }
        if (Arrays.equals(disk, actual)) {
            return;
        }
        if (new Page(actual).isNew() && isEmpty()) {
            return; // the relation was extended and the page never used
        }
        List<String> details = new ArrayList<>();
        long wanted = new Page(disk).lsn();
        long have = new Page(actual).lsn();
        if (lsnsExact && tag.fork() != Fork.INIT && wanted != have) {
            if (held != null && KnownDifferences.isLsnExplained(held, disk)) {
                known++;
            } else {
                details.add("pd_lsn " + Lsn.of(wanted) + ", have " + Lsn.of(have));
            }
        }
        if (held != null && held.emptied && KnownDifferences.agreeOutsideOfContent(disk, actual)) {
            known++;
        } else {
            details.addAll(differences(tag, block, actual));
        }
        if (!details.isEmpty()) {
            mismatch("block " + block + " of " + tag, details);
        }
    }

    /** A page on disk with nothing on it, as it is before its first use: its header and special area may have been made. */
    private boolean isEmpty() {
        Page page = new Page(disk);
        int end = page.isNew() ? Page.SIZE_BYTES : page.special();
        for (int at = page.isNew() ? 0 : Page.HEADER_SIZE_BYTES; at < end; at++) {
            if (disk[at] != 0) {
                return false;
            }
        }
        return true;
    }

    private List<String> differences(RelTag tag, int block, byte[] actual) {
        if (tag.fork() == Fork.VM) {
            int from = Page.HEADER_SIZE_BYTES;
            return Arrays.equals(disk, from, Page.SIZE_BYTES, actual, from, Page.SIZE_BYTES)
                    ? List.of()
                    : PageDiff.describe(disk, actual);
        }
        PageKind kind = PageKind.of(disk);
        if (kind != PageKind.of(actual)) {
            return List.of("a page of kind " + kind + ", have one of kind " + PageKind.of(actual));
        }
        if (kind == PageKind.NEW
                || kind == PageKind.SEQUENCE
                || kind == PageKind.SPGIST && (new Page(disk).u16(SpgistPage.FLAGS) & SpgistPage.META) != 0) {
            return List.of();
        }
        try {
            byte[] left = masked(kind, block, disk);
            byte[] right = masked(kind, block, actual);
            return Arrays.equals(left, right) ? List.of() : PageDiff.describe(left, right);
        } catch (PageException | IndexOutOfBoundsException e) {
            return List.of("cannot be masked: " + e.getMessage());
        }
    }

    private static byte[] masked(PageKind kind, int block, byte[] page) {
        byte[] copy = page.clone();
        int allVisible = new Page(page).flags() & Page.PD_ALL_VISIBLE;
        PageMask.apply(kind.rmgrId(), block, copy);
        if (kind.rmgrId() == ResourceManagers.HEAP) {
            new Page(copy).setFlags(new Page(copy).flags() | allVisible);
        } else if (kind.rmgrId() == ResourceManagers.GIST) {
            KnownDifferences.hideTuplesDeleted(copy);
        }
        return copy;
    }

    private void mismatch(String title, List<String> details) {
        mismatches++;
        if (findings.size() < maxFindings) {
            findings.add(new Finding(title, details));
        }
    }
}
