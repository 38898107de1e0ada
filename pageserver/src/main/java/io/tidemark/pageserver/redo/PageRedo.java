package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.PageImage;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import org.jspecify.annotations.Nullable;

/**
 * Applies records to pages, one block at a time.
 *
 * <p>For one block of one record, in this order (XLogReadBufferForRedoExtended in xlogutils.c):
 *
 * <pre>
 *   image to apply         restore it, stamp it unless the page is new, then what the opcode adds on top of an image
 *   WILL_INIT              build the page from nothing, stamp
 *   page LSN >= end LSN    nothing: the page already has the change (pages of a running server's backup)
 *   else                   change it, stamp
 * </pre>
 *
 * <p>Belongs to one thread.
 */
public final class PageRedo {
    private static final ResourceManagerRedo XLOG = new XlogRedo();
    private static final ResourceManagerRedo BTREE = new BtreeRedo();
    private static final ResourceManagerRedo HASH = new HashRedo();
    private static final ResourceManagerRedo GIN = new GinRedo();
    private static final ResourceManagerRedo GIST = new GistRedo();
    private static final ResourceManagerRedo SEQUENCE = new SequenceRedo();
    private static final ResourceManagerRedo SPGIST = new SpgistRedo();
    private static final ResourceManagerRedo BRIN = new BrinRedo();
    private static final ResourceManagerRedo GENERIC = new GenericRedo();
    private static final ResourceManagerRedo NEON = new NeonRedo();

    private final RedoRules rules;
    private final ResourceManagerRedo heap;
    private final ResourceManagerRedo heap2;
    private final Page page = new Page(new byte[Page.SIZE_BYTES]);
    /** Who decodes one record after the other into one object gets one object here too. */
    private @Nullable RedoRecord last;

    public PageRedo(RedoRules rules) {
        this.rules = rules;
        this.heap = new HeapRedo(HeapLayout.ofHeap(rules));
        this.heap2 = new Heap2Redo(HeapLayout.ofHeap(rules));
    }

    /** What a call did, for statistics and tests. */
    public enum Outcome {
        RESTORED,
        CHANGED,
        UNCHANGED,
        ALREADY_DONE
    }

    /**
     * Applies what {@code record} says about {@code block}.
     *
     * @param block one of the record's block references
     * @param bytes the page before, all zeros when there is none; the page after. Worthless after an exception
     * @throws RedoException when the record is not supported or does not fit the page
     */
    public Outcome apply(WalRecord record, BlockReference block, byte[] bytes) throws RedoException {
        page.wrap(bytes);
        try {
            return apply(withRules(record), block);
        } catch (PageException | IndexOutOfBoundsException | InvalidWalException e) {
            throw new RedoException(record.start(), describe(record, block) + ": " + e.getMessage(), e);
        }
    }

    @SuppressWarnings("ReferenceEquality") // the same object, whatever it holds by now
    private RedoRecord withRules(WalRecord record) {
        RedoRecord known = last;
        if (known == null || known.wal() != record) {
            known = new RedoRecord(record, rules);
            last = known;
        }
        return known;
    }

    private Outcome apply(RedoRecord record, BlockReference block) throws InvalidWalException {
        PageImage image = block.image();
        ResourceManagerRedo manager = managerOf(record.wal().rmgrId());
        if (image != null && image.apply()) {
            image.restore(page.bytes());
            if (!page.isNew()) {
                page.setLsn(record.end());
            }
            if (manager != null) {
                manager.afterImage(record, block, page);
            }
            return Outcome.RESTORED;
        }
        if (manager == null) {
            throw new PageException("this resource manager does not change pages");
        }
        if (!block.willInit() && Long.compareUnsigned(page.lsn(), record.end()) >= 0) {
            return Outcome.ALREADY_DONE;
        }
        if (!manager.redo(record, block, page)) {
            return Outcome.UNCHANGED;
        }
        page.setLsn(record.end());
        return Outcome.CHANGED;
    }

    /** Whether there is redo for the pages of a resource manager's records; images are restored for any. */
    public boolean supports(int rmgrId) {
        return managerOf(rmgrId) != null;
    }

    private @Nullable ResourceManagerRedo managerOf(int rmgrId) {
        return switch (rmgrId) {
            case ResourceManagers.XLOG -> XLOG;
            case ResourceManagers.HEAP2 -> heap2;
            case ResourceManagers.HEAP -> heap;
            case ResourceManagers.BTREE -> BTREE;
            case ResourceManagers.HASH -> HASH;
            case ResourceManagers.GIN -> GIN;
            case ResourceManagers.GIST -> GIST;
            case ResourceManagers.SEQUENCE -> SEQUENCE;
            case ResourceManagers.SPGIST -> SPGIST;
            case ResourceManagers.BRIN -> BRIN;
            case ResourceManagers.GENERIC -> GENERIC;
            case NeonRedo.RMGR_ID -> rules.flavour() == WalFlavour.NEON && rules.pgMajor() >= 16 ? NEON : null;
            default -> null;
        };
    }

    private String describe(WalRecord record, BlockReference block) {
        String opcode = ResourceManagers.opcodeOf(record.rmgrId(), record.info(), rules.pgMajor());
        return "redo of %s %s at %s on block %s of %d/%d/%d fork %d (reference %d)"
                .formatted(
                        ResourceManagers.nameOf(record.rmgrId()),
                        opcode == null ? "%02X".formatted(record.info()) : opcode,
                        record.start(),
                        Integer.toUnsignedString(block.block()),
                        Integer.toUnsignedLong(block.tablespace()),
                        Integer.toUnsignedLong(block.database()),
                        Integer.toUnsignedLong(block.relation()),
                        block.fork(),
                        block.id());
    }
}
