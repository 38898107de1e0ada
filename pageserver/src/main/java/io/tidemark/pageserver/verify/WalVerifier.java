package io.tidemark.pageserver.verify;

import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.pageserver.redo.PageMask;
import io.tidemark.pageserver.redo.PageRedo;
import io.tidemark.pageserver.redo.RecordData;
import io.tidemark.pageserver.redo.RedoException;
import io.tidemark.pageserver.redo.RedoRules;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.PageImage;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Replays records in order and compares each page with the image that PostgreSQL put into the record.
 *
 * <p>Belongs to one thread.
 */
public final class WalVerifier {
    private static final int OPCODE = 0xF0;
    private static final int PARAMETER_CHANGE = 0x60;
    private static final int PARAMETER_CHANGE_WAL_LOG_HINTS = 24;

    private final ReplayedCluster cluster;
    private final RelationEffects effects;
    private final boolean checksums;
    private final VerifyReport report;
    private final byte[] expected = new byte[Page.SIZE_BYTES];
    private final byte[] maskedExpected = new byte[Page.SIZE_BYTES];
    private final byte[] maskedActual = new byte[Page.SIZE_BYTES];
    private RedoRules rules;
    private PageRedo redo;

    /**
     * @param base the files of the cold copy that the records start from; null when there is none
     * @param rules what the server that wrote the WAL was like at the first record
     * @param checksums whether its pages have checksums: then hint bits stay logged whatever its settings
     * @param maxFindings how many differences to keep per opcode; all are counted
     */
    public WalVerifier(@Nullable RelationFiles base, RedoRules rules, boolean checksums, int maxFindings) {
        this.cluster = new ReplayedCluster(base);
        this.effects = new RelationEffects(cluster, rules);
        this.checksums = checksums;
        this.rules = rules;
        this.redo = new PageRedo(rules);
        this.report = new VerifyReport(rules.pgMajor(), maxFindings);
    }

    /** Replays the next record; it is not kept. */
    public void accept(WalRecord record) throws IOException, InvalidWalException {
        accept(record, _ -> true);
    }

    /** Replays the next record on some of the pages it names: redo of a page needs no other page, so several can share the work. */
    public void accept(WalRecord record, Predicate<BlockReference> mine) throws IOException, InvalidWalException {
        OpcodeCounts count = report.of(record);
        count.records++;
        for (BlockReference block : record.blocks()) {
            if (mine.test(block)) {
                replay(record, block, count);
            }
        }
        effects.apply(record);
        if (record.rmgrId() == ResourceManagers.XLOG && (record.info() & OPCODE) == PARAMETER_CHANGE) {
            boolean hints = new RecordData(record.array(), record.mainDataOffset(), record.mainDataLength())
                    .seek(PARAMETER_CHANGE_WAL_LOG_HINTS)
                    .bool();
            rules = new RedoRules(rules.pgMajor(), rules.flavour(), hints || checksums);
            redo = new PageRedo(rules);
        }
    }

    /** What was found so far; grows with each record. */
    public VerifyReport report() {
        return report;
    }

    /**
     * Compares what replay has made with the data directory that a server left behind when it was stopped cleanly, at the end of the
     * records.
     *
     * @param maxFindings how many differences to keep; all are counted
     */
    public FinalComparison compareWith(RelationFiles files, int maxFindings) throws IOException {
        FinalComparison comparison = new FinalComparison(cluster, files, rules.hintBitsLogged(), maxFindings);
        comparison.run();
        return comparison;
    }

    private void replay(WalRecord record, BlockReference block, OpcodeCounts count)
            throws IOException, InvalidWalException {
        ReplayedRelation relation = cluster.relation(ReplayedCluster.tagOf(block));
        PageImage image = block.image();
        boolean known = cluster.base() != null || relation.find(block.block()) != null;
        ReplayedRelation.Held held = relation.hold(block.block(), cluster.base());
        if (!known && !block.willInit() && image != null && !image.apply()) {
            seed(record, image, held);
            count.seeded++;
            return;
        }
        try {
            PageRedo.Outcome outcome = redo.apply(record, block, held.bytes);
            if (image == null) {
                count.unchecked++;
                if (record.rmgrId() == ResourceManagers.XLOG) {
                    held.stampedByPrimary = record.end().value();
                }
            } else if (outcome == PageRedo.Outcome.RESTORED) {
                count.restored++;
                held.emptied = KnownDifferences.isEmptied(block, image, held.bytes);
                held.broughtWhole =
                        record.rmgrId() == ResourceManagers.XLOG ? record.end().value() : 0;
            } else {
                count.compared++;
                compare(record, block, image, held, count);
            }
        } catch (RedoException e) {
            if (redo.supports(record.rmgrId())) {
                mismatch(record, block, count, List.of(String.valueOf(e.getMessage())));
            } else {
                count.unsupported++;
            }
            if (image != null) {
                seed(record, image, held);
            }
        }
    }

    /** Goes on from an image; it was taken before the record's end was stamped into the page. */
    private static void seed(WalRecord record, PageImage image, ReplayedRelation.Held held) throws InvalidWalException {
        image.restore(held.bytes);
        Page page = new Page(held.bytes);
        if (!page.isNew()) {
            page.setLsn(record.end().value());
        }
        held.emptied = false;
    }

    private void compare(
            WalRecord record, BlockReference block, PageImage image, ReplayedRelation.Held held, OpcodeCounts count)
            throws InvalidWalException {
        image.restore(expected);
        List<String> differences;
        try {
            if (isEqualUnderMask(record.rmgrId(), block.block(), held.bytes) && isMapEqual(block, held.bytes)) {
                return;
            }
            if (KnownDifferences.forgiveTuplesDeleted(record, block, expected, held.bytes)) {
                count.knownDifferences++;
                return;
            }
            if (held.emptied && KnownDifferences.agreeOutsideOfContent(expected, held.bytes)) {
                count.knownDifferences++;
                seed(record, image, held);
                return;
            }
            differences = PageDiff.describe(maskedExpected, maskedActual);
            if (differences.isEmpty()) {
                differences = PageDiff.describe(expected, held.bytes);
            }
        } catch (PageException | IndexOutOfBoundsException e) {
            differences = new ArrayList<>(List.of("cannot be masked: " + e.getMessage()));
            differences.addAll(PageDiff.describe(expected, held.bytes));
        }
        mismatch(record, block, count, differences);
        seed(record, image, held);
    }

    private boolean isEqualUnderMask(int rmgrId, int block, byte[] page) {
        System.arraycopy(expected, 0, maskedExpected, 0, Page.SIZE_BYTES);
        System.arraycopy(page, 0, maskedActual, 0, Page.SIZE_BYTES);
        PageMask.apply(rmgrId, block, maskedExpected);
        PageMask.apply(rmgrId, block, maskedActual);
        return Arrays.equals(maskedExpected, maskedActual);
    }

    /** The mask of heap pages hides the whole of a visibility map page; its bits are exact, so more is asked here. */
    private boolean isMapEqual(BlockReference block, byte[] page) {
        int from = Page.HEADER_SIZE_BYTES;
        return block.fork() != Fork.VM.number()
                || Arrays.equals(expected, from, Page.SIZE_BYTES, page, from, Page.SIZE_BYTES);
    }

    private void mismatch(WalRecord record, BlockReference block, OpcodeCounts count, List<String> details) {
        String title = "%s %s at %s, block %s of %s (reference %d)"
                .formatted(
                        count.rmgr(),
                        count.opcode(),
                        record.start(),
                        Integer.toUnsignedString(block.block()),
                        ReplayedCluster.tagOf(block),
                        block.id());
        report.mismatch(count, title, details);
    }
}
