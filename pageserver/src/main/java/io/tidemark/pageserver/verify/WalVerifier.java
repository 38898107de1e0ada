package io.tidemark.pageserver.verify;

import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.pageserver.redo.PageMask;
import io.tidemark.pageserver.redo.PageRedo;
import io.tidemark.pageserver.redo.RecordData;
import io.tidemark.pageserver.redo.RedoException;
import io.tidemark.pageserver.redo.RedoRules;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.PageImage;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Replays records in order and compares each page with the image that PostgreSQL put into the record.
 *
 * <p>PostgreSQL differs from itself in one place, in all versions: redo of GiST DELETE sets F_TUPLES_DELETED, which a primary that
 * prunes killed tuples does not, and the mask does not hide it (gistRedoDeleteRecord against gistprunepage). There this flag alone
 * may differ, which is counted as known.
 *
 * <p>Belongs to one thread.
 */
public final class WalVerifier {
    private static final int OPCODE = 0xF0;
    private static final int PARAMETER_CHANGE = 0x60;
    private static final int PARAMETER_CHANGE_WAL_LOG_HINTS = 24;
    private static final int GIST_DELETE = 0x10;
    private static final int GIST_FLAGS = 8188;
    private static final int F_TUPLES_DELETED = 0x04;
    private static final int OPERATIONS = 16;

    private final ReplayedCluster cluster;
    private final RelationEffects effects;
    private final int maxFindings;
    private final TreeMap<Integer, OpcodeCounts> counts = new TreeMap<>();
    private final List<Finding> findings = new ArrayList<>();
    private final byte[] image = new byte[Page.SIZE_BYTES];
    private final byte[] maskedImage = new byte[Page.SIZE_BYTES];
    private final byte[] maskedPage = new byte[Page.SIZE_BYTES];
    private RedoRules rules;
    private PageRedo redo;

    /**
     * @param base the files of the cold copy that the records start from; null when there is none
     * @param rules what the server that wrote the WAL was like at the first record
     * @param maxFindings how many differences to keep per opcode; all are counted
     */
    public WalVerifier(@Nullable RelationFiles base, RedoRules rules, int maxFindings) {
        this.cluster = new ReplayedCluster(base);
        this.effects = new RelationEffects(cluster, rules.pgMajor());
        this.rules = rules;
        this.redo = new PageRedo(rules);
        this.maxFindings = maxFindings;
    }

    /** Replays the next record; it is not kept. */
    public void accept(WalRecord record) throws IOException, InvalidWalException {
        OpcodeCounts count = countsOf(record);
        count.records++;
        for (BlockReference block : record.blocks()) {
            replay(record, block, count);
        }
        effects.apply(record);
        if (record.rmgrId() == ResourceManagers.XLOG && (record.info() & OPCODE) == PARAMETER_CHANGE) {
            boolean hints = new RecordData(record.array(), record.mainDataOffset(), record.mainDataLength())
                    .seek(PARAMETER_CHANGE_WAL_LOG_HINTS)
                    .bool();
            rules = new RedoRules(rules.pgMajor(), rules.flavour(), hints || rules.hintBitsLogged());
            redo = new PageRedo(rules);
        }
    }

    /** One entry per opcode seen, in the order of resource managers and opcodes. */
    public List<OpcodeCounts> counts() {
        return List.copyOf(counts.values());
    }

    /** The differences kept, in order. */
    public List<Finding> findings() {
        return List.copyOf(findings);
    }

    public long mismatches() {
        return counts.values().stream().mapToLong(OpcodeCounts::mismatches).sum();
    }

    public long unsupported() {
        return counts.values().stream().mapToLong(OpcodeCounts::unsupported).sum();
    }

    private OpcodeCounts countsOf(WalRecord record) {
        int operation = record.info() >> 4;
        if (record.rmgrId() == ResourceManagers.TRANSACTION) {
            operation &= 0x7; // there the high bit only says that extra information follows
        }
        return counts.computeIfAbsent(record.rmgrId() * OPERATIONS + operation, slot -> {
            String name = ResourceManagers.opcodeOf(record.rmgrId(), record.info(), rules.pgMajor());
            return new OpcodeCounts(
                    record.rmgrId(),
                    ResourceManagers.nameOf(record.rmgrId()),
                    name != null ? name : "0x%02X".formatted(record.info() & OPCODE));
        });
    }

    private void replay(WalRecord record, BlockReference block, OpcodeCounts count)
            throws IOException, InvalidWalException {
        RelTag tag = ReplayedCluster.tagOf(block);
        ReplayedRelation relation = cluster.relation(tag);
        PageImage image = block.image();
        boolean known = cluster.base() != null || relation.find(block.block()) != null;
        ReplayedRelation.Held held = relation.hold(block.block(), cluster.base());
        held.rmgrId = record.rmgrId();
        if (!known && !block.willInit() && image != null && !image.apply()) {
            seed(record, image, held);
            count.seeded++;
            return;
        }
        PageRedo.Outcome outcome;
        try {
            outcome = redo.apply(record, block, held.bytes);
        } catch (RedoException e) {
            if (redo.supports(record.rmgrId())) {
                count.mismatches++;
                report(record, block, count, List.of(String.valueOf(e.getMessage())));
            } else {
                count.unsupported++;
            }
            if (image != null) {
                seed(record, image, held);
            }
            return;
        }
        if (outcome == PageRedo.Outcome.RESTORED) {
            held.seeded = false;
            count.restored++;
        } else if (image == null) {
            count.unchecked++;
        } else {
            count.compared++;
            compare(record, block, image, held, count);
        }
    }

    /** Goes on from an image; it was taken before the record's end was stamped into the page. */
    private static void seed(WalRecord record, PageImage image, ReplayedRelation.Held held) throws InvalidWalException {
        image.restore(held.bytes);
        Page page = new Page(held.bytes);
        if (!page.isNew()) {
            page.setLsn(record.end().value());
        }
        held.seeded = true;
    }

    private void compare(
            WalRecord record,
            BlockReference block,
            PageImage consistencyImage,
            ReplayedRelation.Held held,
            OpcodeCounts count)
            throws InvalidWalException {
        consistencyImage.restore(image);
        List<String> differences;
        try {
            if (isEqualUnderMask(record.rmgrId(), block.block(), held.bytes) && isMapEqual(block, held.bytes)) {
                return;
            }
            if (forgiveTuplesDeleted(record, block.block(), held.bytes)) {
                count.knownDifferences++;
                return;
            }
            differences = PageDiff.describe(maskedImage, maskedPage);
            if (differences.isEmpty()) {
                differences = PageDiff.describe(image, held.bytes);
            }
        } catch (PageException | IndexOutOfBoundsException e) {
            differences = new ArrayList<>(List.of("cannot be masked: " + e.getMessage()));
            differences.addAll(PageDiff.describe(image, held.bytes));
        }
        count.mismatches++;
        report(record, block, count, differences);
        seed(record, consistencyImage, held);
    }

    private boolean isEqualUnderMask(int rmgrId, int block, byte[] page) {
        System.arraycopy(image, 0, maskedImage, 0, Page.SIZE_BYTES);
        System.arraycopy(page, 0, maskedPage, 0, Page.SIZE_BYTES);
        PageMask.apply(rmgrId, block, maskedImage);
        PageMask.apply(rmgrId, block, maskedPage);
        return Arrays.equals(maskedImage, maskedPage);
    }

    /** The mask of heap pages hides the whole of a visibility map page; its bits are exact, so more is asked here. */
    private boolean isMapEqual(BlockReference block, byte[] page) {
        return block.fork() != Fork.VM.number()
                || Arrays.equals(
                        image, Page.HEADER_SIZE_BYTES, Page.SIZE_BYTES, page, Page.HEADER_SIZE_BYTES, Page.SIZE_BYTES);
    }

    private boolean forgiveTuplesDeleted(WalRecord record, int block, byte[] page) {
        if (record.rmgrId() != ResourceManagers.GIST
                || (record.info() & OPCODE) != GIST_DELETE
                || (image[GIST_FLAGS] & F_TUPLES_DELETED) != 0) {
            return false;
        }
        page[GIST_FLAGS] &= (byte) ~F_TUPLES_DELETED;
        return isEqualUnderMask(record.rmgrId(), block, page);
    }

    private void report(WalRecord record, BlockReference block, OpcodeCounts count, List<String> details) {
        if (count.mismatches <= maxFindings) {
            findings.add(new Finding(
                    record.start(),
                    count.rmgr() + " " + count.opcode(),
                    block.id(),
                    ReplayedCluster.tagOf(block),
                    block.block(),
                    details));
        }
    }
}
