package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.pageserver.pgpage.PageSpace;
import io.tidemark.pageserver.pgpage.SpgistPage;
import io.tidemark.pageserver.pgpage.SpgistTuple;
import io.tidemark.wire.wal.BlockReference;

/**
 * Redo of SP-GiST (spg_redo in spgxlog.c). Everything is in the records' main data, where tuples are not aligned; no block
 * reference has data of its own.
 *
 * <p>Where several pages change, each change needs only the block numbers of the others.
 */
final class SpgistRedo implements ResourceManagerRedo {
    private static final int ADD_LEAF = 0x10;
    private static final int MOVE_LEAFS = 0x20;
    private static final int ADD_NODE = 0x30;
    private static final int SPLIT_TUPLE = 0x40;
    private static final int PICKSPLIT = 0x50;
    private static final int VACUUM_LEAF = 0x60;
    private static final int VACUUM_ROOT = 0x70;
    private static final int VACUUM_REDIRECT = 0x80;

    @Override
    public boolean redo(RedoRecord record, BlockReference block, Page page) {
        if (!block.willInit()) {
            SpgistPage.require(page);
        }
        switch (record.info()) {
            case ADD_LEAF -> addLeaf(record, block, page);
            case MOVE_LEAFS -> moveLeafs(record, block, page);
            case ADD_NODE -> addNode(record, block, page);
            case SPLIT_TUPLE -> splitTuple(record, block, page);
            case PICKSPLIT -> SpgistPicksplit.read(record).redo(record, block, page);
            case VACUUM_LEAF -> vacuumLeaf(record, block, page);
            case VACUUM_ROOT -> vacuumRoot(record, block, page);
            case VACUUM_REDIRECT -> vacuumRedirect(record, block, page);
            default -> throw record.unknown(block);
        }
        return true;
    }

    /**
     * What redo has to know of the writer's SpGistState (spgxlogState).
     *
     * <pre>
     *   xid(u32) isBuild(bool) pad(3): the xid is myXid before 17, redirectXid from then on
     * </pre>
     */
    record State(int xid, boolean build) {
        static State read(RecordData data) {
            State state = new State(data.i32(), data.bool());
            data.skip(3);
            return state;
        }
    }

    /**
     * spgRedoAddLeaf.
     *
     * <pre>
     *   main: newPage(bool) storesNulls(bool) offnumLeaf(u16) offnumHeadLeaf(u16) offnumParent(u16) nodeI(u16) leaf tuple
     *   references: 0 the leaf page, 1 the parent's page when its node changes
     * </pre>
     */
    private static void addLeaf(RedoRecord record, BlockReference block, Page page) {
        RecordData main = record.main();
        boolean newPage = main.bool();
        boolean storesNulls = main.bool();
        int leaf = main.u16();
        int headLeaf = main.u16();
        int parent = main.u16();
        int node = main.u16();
        switch (block.id()) {
            case 0 -> {
                initIf(newPage, block, page, leafFlags(storesNulls));
                int size = nextLeafSize(main);
                int at = main.take(size);
                if (leaf == headLeaf) { // the chain's only tuple, a dead one
                    SpgistPage.replace(page, leaf, main.array(), at, size);
                } else {
                    SpgistPage.addOrReplace(page, leaf, main.array(), at, size);
                    if (headLeaf != 0) {
                        SpgistPage.setNextOffset(page, headLeaf, leaf);
                    }
                }
            }
            case 1 -> SpgistPage.setNodeLink(page, parent, node, record.blockNumber(0), leaf);
            default -> throw record.unknown(block);
        }
    }

    /**
     * spgRedoMoveLeafs: a chain moves to another page, with a new tuple behind it.
     *
     * <pre>
     *   main: nMoves(u16) newPage(bool) replaceDead(bool) storesNulls(bool) pad(u8) offnumParent(u16) nodeI(u16) pad(u16) State
     *         toDelete(u16[nMoves]) toInsert(u16[replaceDead ? 1 : nMoves + 1]) leaf tuples
     *   references: 0 the page it leaves, 1 the page it comes to, 2 the parent's page
     * </pre>
     */
    private static void moveLeafs(RedoRecord record, BlockReference block, Page page) {
        RecordData main = record.main();
        int moves = main.u16();
        boolean newPage = main.bool();
        boolean replaceDead = main.bool();
        boolean storesNulls = main.bool();
        int parent = main.skip(1).u16();
        int node = main.u16();
        State state = State.read(main.skip(2));
        int[] toDelete = main.u16s(moves);
        int[] toInsert = main.u16s(replaceDead ? 1 : moves + 1);
        int head = toInsert[toInsert.length - 1];
        int destination = record.blockNumber(1);
        switch (block.id()) {
            case 0 -> {
                int first = state.build() ? SpgistTuple.PLACEHOLDER : SpgistTuple.REDIRECT;
                SpgistPage.kill(page, toDelete, first, SpgistTuple.PLACEHOLDER, destination, head, state.xid());
            }
            case 1 -> {
                initIf(newPage, block, page, leafFlags(storesNulls));
                for (int offnum : toInsert) {
                    int size = nextLeafSize(main);
                    SpgistPage.addOrReplace(page, offnum, main.array(), main.take(size), size);
                }
            }
            case 2 -> SpgistPage.setNodeLink(page, parent, node, destination, head);
            default -> throw record.unknown(block);
        }
    }

    /**
     * spgRedoAddNode: an inner tuple gets another node, and another place when it no longer fits its own.
     *
     * <pre>
     *   main: offnum(u16) offnumNew(u16) newPage(bool) parentBlk(i8) offnumParent(u16) nodeI(u16) pad(u16) State inner tuple
     *   references: 0 the page it is on; 1 the page it moves to, if it does; 2 the parent's page, if it is neither
     * </pre>
     */
    private static void addNode(RedoRecord record, BlockReference block, Page page) {
        RecordData main = record.main();
        int offnum = main.u16();
        int offnumNew = main.u16();
        boolean newPage = main.bool();
        int parentBlock = main.u8();
        int parent = main.u16();
        int node = main.u16();
        State state = State.read(main.skip(2));
        int size = nextInnerSize(main);
        int at = main.take(size);
        if (record.block(1) == null) {
            if (block.id() != 0) {
                throw record.unknown(block);
            }
            SpgistPage.replace(page, offnum, main.array(), at, size);
            return;
        }
        int blockNew = record.blockNumber(1);
        switch (block.id()) {
            case 0 -> {
                int killed = state.build() ? SpgistTuple.PLACEHOLDER : SpgistTuple.REDIRECT;
                SpgistPage.kill(page, new int[] {offnum}, killed, killed, blockNew, offnumNew, state.xid());
            }
            case 1 -> {
                initIf(newPage, block, page, 0);
                SpgistPage.addOrReplace(page, offnumNew, main.array(), at, size);
            }
            case 2 -> {}
            default -> throw record.unknown(block);
        }
        if (parentBlock == block.id()) {
            SpgistPage.setNodeLink(page, parent, node, blockNew, offnumNew);
        } else if (block.id() == 2) {
            throw record.unknown(block);
        }
    }

    /**
     * spgRedoSplitTuple: an inner tuple becomes one with a shorter prefix and one for the rest.
     *
     * <pre>
     *   main: offnumPrefix(u16) offnumPostfix(u16) newPage(bool) postfixBlkSame(bool) prefix tuple, postfix tuple
     *   references: 0 the page of the tuple and of its prefix; 1 that of the postfix, if it is another
     * </pre>
     */
    private static void splitTuple(RedoRecord record, BlockReference block, Page page) {
        RecordData main = record.main();
        int prefixOffnum = main.u16();
        int postfixOffnum = main.u16();
        boolean newPage = main.bool();
        boolean samePage = main.bool();
        int prefixSize = nextInnerSize(main);
        int prefix = main.take(prefixSize);
        int postfixSize = nextInnerSize(main);
        int postfix = main.take(postfixSize);
        switch (block.id()) {
            case 0 -> SpgistPage.replace(page, prefixOffnum, main.array(), prefix, prefixSize);
            case 1 -> initIf(newPage, block, page, 0);
            default -> throw record.unknown(block);
        }
        if (samePage == (block.id() == 0)) {
            SpgistPage.addOrReplace(page, postfixOffnum, main.array(), postfix, postfixSize);
        }
    }

    /**
     * spgRedoVacuumLeaf.
     *
     * <pre>
     *   main: nDead(u16) nPlaceholder(u16) nMove(u16) nChain(u16) State
     *         toDead toPlaceholder moveSrc moveDest chainSrc chainDest, each u16[]
     * </pre>
     */
    private static void vacuumLeaf(RedoRecord record, BlockReference block, Page page) {
        requireOnly(record, block);
        RecordData main = record.main();
        int dead = main.u16();
        int placeholders = main.u16();
        int moves = main.u16();
        int chains = main.u16();
        State state = State.read(main);
        kill(page, main.u16s(dead), SpgistTuple.DEAD, state);
        kill(page, main.u16s(placeholders), SpgistTuple.PLACEHOLDER, state);
        int[] moveFrom = main.u16s(moves);
        int[] moveTo = main.u16s(moves);
        for (int i = 0; i < moves; i++) {
            page.requireItem(moveFrom[i]);
            page.requireItem(moveTo[i]);
            int item = page.item(moveFrom[i]);
            page.setItem(moveFrom[i], page.item(moveTo[i]));
            page.setItem(moveTo[i], item);
        }
        kill(page, moveFrom, SpgistTuple.PLACEHOLDER, state);
        int[] chainFrom = main.u16s(chains);
        int[] chainTo = main.u16s(chains);
        for (int i = 0; i < chains; i++) {
            SpgistPage.setNextOffset(page, chainFrom[i], chainTo[i]);
        }
    }

    private static void kill(Page page, int[] offnums, int tupleState, State state) {
        SpgistPage.kill(page, offnums, tupleState, tupleState, 0, 0, state.xid());
    }

    /** Main data: nDelete(u16) pad(u16) State offsets(u16 each). The root is a leaf; nothing leads to its tuples. */
    private static void vacuumRoot(RedoRecord record, BlockReference block, Page page) {
        requireOnly(record, block);
        RecordData main = record.main();
        int count = main.u16();
        State.read(main.skip(2));
        PageSpace.deleteIndexTuples(page, main.u16s(count), count);
    }

    /**
     * spgRedoVacuumRedirect: redirects that nobody can follow any more become placeholders, placeholders at the end go.
     *
     * <pre>
     *   main, 14 and 15:  nToPlaceholder(u16) firstPlaceholder(u16) newestRedirectXid(u32) offsets(u16 each)
     *         from 16 on: nToPlaceholder(u16) firstPlaceholder(u16) horizon(u32) isCatalogRel(bool) pad(u8) offsets(u16 each)
     * </pre>
     */
    private static void vacuumRedirect(RedoRecord record, BlockReference block, Page page) {
        requireOnly(record, block);
        RecordData main = record.main();
        int count = main.u16();
        int first = main.u16();
        main.skip(record.pgMajor() >= 16 ? 6 : 4);
        for (int offnum : main.u16s(count)) {
            SpgistTuple.redirectToPlaceholder(page.bytes(), page.requireNormal(offnum));
        }
        SpgistPage.count(page, SpgistPage.N_REDIRECTION, -count);
        SpgistPage.count(page, SpgistPage.N_PLACEHOLDER, count);
        if (first != 0) {
            int[] toDelete = new int[Math.max(page.maxOffset() - first + 1, 0)];
            for (int i = 0; i < toDelete.length; i++) {
                toDelete[i] = first + i;
            }
            SpgistPage.count(page, SpgistPage.N_PLACEHOLDER, -toDelete.length);
            PageSpace.deleteIndexTuples(page, toDelete, toDelete.length);
        }
    }

    private static void requireOnly(RedoRecord record, BlockReference block) {
        if (block.id() != 0) {
            throw record.unknown(block);
        }
    }

    /** Initialises a page when the record says so; throws when its block reference says something else. */
    static void initIf(boolean init, BlockReference block, Page page, int flags) {
        if (init != block.willInit()) {
            throw new PageException("the record and its block reference disagree on whether the page is new");
        }
        if (init) {
            SpgistPage.init(page, flags);
        }
    }

    /** The flags of a new leaf page. */
    static int leafFlags(boolean storesNulls) {
        return SpgistPage.LEAF | (storesNulls ? SpgistPage.NULLS : 0);
    }

    /** The size of the leaf tuple that comes next. */
    static int nextLeafSize(RecordData main) {
        return SpgistTuple.leafSize(main.array(), main.position(), main.end());
    }

    /** The size of the inner tuple that comes next. */
    static int nextInnerSize(RecordData main) {
        return SpgistTuple.innerSize(main.array(), main.position(), main.end());
    }
}
