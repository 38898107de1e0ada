package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.SpgistPage;
import io.tidemark.pageserver.pgpage.SpgistTuple;
import io.tidemark.wire.wal.BlockReference;

/**
 * An SP-GiST PICKSPLIT record (spgxlogPickSplit; spgRedoPickSplit): a chain of leaf tuples is divided under a new inner tuple.
 *
 * <pre>
 *   main: isRootSplit(bool) pad(u8) nDelete(u16) nInsert(u16) initSrc(bool) initDest(bool) offnumInner(u16) initInner(bool)
 *         storesNulls(bool) innerIsParent(bool) pad(u8) offnumParent(u16) nodeI(u16) pad(u16) State
 *         toDelete(u16[nDelete]) toInsert(u16[nInsert]) leafPageSelect(u8[nInsert]) inner tuple, nInsert leaf tuples
 *   references: 0 the leaf page that is split, unless it is the root; 1 the other leaf page, if there is one
 *               2 the inner tuple's page; 3 the parent's page, unless it is the inner tuple's or there is none
 * </pre>
 */
final class SpgistPicksplit {
    private final int[] toDelete;
    private final int[] toInsert;
    private final boolean initSource;
    private final boolean initDestination;
    private final int inner;
    private final boolean initInner;
    private final boolean storesNulls;
    private final boolean innerIsParent;
    private final int parent;
    private final int node;
    private final SpgistRedo.State state;
    private final RecordData main;

    /** Where in main data leafPageSelect starts: 0 the page that is split, else the other. */
    private final int leafPageSelect;

    private SpgistPicksplit(RecordData main) {
        this.main = main;
        main.skip(2); // isRootSplit: reference 0 tells as much
        int deletes = main.u16();
        int inserts = main.u16();
        initSource = main.bool();
        initDestination = main.bool();
        inner = main.u16();
        initInner = main.bool();
        storesNulls = main.bool();
        innerIsParent = main.bool();
        parent = main.skip(1).u16();
        node = main.u16();
        state = SpgistRedo.State.read(main.skip(2));
        toDelete = main.u16s(deletes);
        toInsert = main.u16s(inserts);
        leafPageSelect = main.take(inserts);
    }

    /** Reads all that stands before the tuples. */
    static SpgistPicksplit read(RedoRecord record) {
        return new SpgistPicksplit(record.main());
    }

    void redo(RedoRecord record, BlockReference block, Page page) {
        int innerSize = SpgistRedo.nextInnerSize(main);
        int innerAt = main.take(innerSize);
        int innerBlock = record.blockNumber(2);
        switch (block.id()) {
            case 0 -> {
                SpgistRedo.initIf(initSource, block, page, SpgistRedo.leafFlags(storesNulls));
                if (!initSource) {
                    int first = state.build() ? SpgistTuple.PLACEHOLDER : SpgistTuple.REDIRECT;
                    SpgistPage.kill(page, toDelete, first, SpgistTuple.PLACEHOLDER, innerBlock, inner, state.xid());
                }
                insertLeaves(page, false);
            }
            case 1 -> {
                SpgistRedo.initIf(initDestination, block, page, SpgistRedo.leafFlags(storesNulls));
                insertLeaves(page, true);
            }
            case 2 -> {
                SpgistRedo.initIf(initInner, block, page, storesNulls ? SpgistPage.NULLS : 0);
                SpgistPage.addOrReplace(page, inner, main.array(), innerAt, innerSize);
                if (innerIsParent) {
                    SpgistPage.setNodeLink(page, parent, node, innerBlock, inner);
                }
            }
            case 3 -> SpgistPage.setNodeLink(page, parent, node, innerBlock, inner);
            default -> throw record.unknown(block);
        }
    }

    private void insertLeaves(Page page, boolean destination) {
        for (int i = 0; i < toInsert.length; i++) {
            int size = SpgistRedo.nextLeafSize(main);
            int at = main.take(size);
            if (main.array()[leafPageSelect + i] != 0 == destination) {
                SpgistPage.addOrReplace(page, toInsert[i], main.array(), at, size);
            }
        }
    }
}
