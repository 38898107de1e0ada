package io.tidemark.pageserver.redo;

import io.tidemark.wire.wal.WalFlavour;

/**
 * Where heap records keep their fields: three dialects of the same records, which differ in whether and where they say the
 * command id (t_cid). Offsets are from the start of the main data, or of a tuple's header in the block data.
 *
 * <pre>
 *                         STOCK              NEON_HEAP (14, 15)      NEON_MANAGER (16 on, resource manager 134)
 *   tuple of INSERT       m2 m hoff          m2 m cid hoff           m2 m cid hoff
 *   tuple of MULTI_INSERT len m2 m hoff      len m2 m pad cid hoff   len m2 m hoff
 *   DELETE                x o i f            x o pad cid i f         x o i f cid
 *   UPDATE                x o i f x2 o2      x o i f cid x2 o2       x o i f cid x2 o2
 *   LOCK                  x o i f            x o pad cid i f         x cid o i f
 *   MULTI_INSERT          f pad n o[n]       f pad n o[n]            f pad n cid o[n]
 *
 *   m2 infomask2(u16), m infomask(u16), hoff(u8), cid(u32), len(u16), x xmax(u32), o offnum(u16), i infobits(u8), f flags(u8)
 * </pre>
 *
 * <p>INSERT, LOCK_UPDATED, CONFIRM, INPLACE and everything of heap2 but MULTI_INSERT are the same in all.
 *
 * @param tuple the header before a tuple of INSERT and UPDATE
 * @param multiTuple the header before a tuple of MULTI_INSERT, behind its length
 */
record HeapLayout(
        TupleHeader tuple,
        TupleHeader multiTuple,
        Deletion deletion,
        Update update,
        Lock lock,
        MultiInsertion multiInsertion) {
    /** The offset of a field that the layout does not have. */
    static final int NONE = -1;

    static final HeapLayout STOCK = new HeapLayout(
            new TupleHeader(NONE, 4, 5),
            new TupleHeader(NONE, 4, 5),
            new Deletion(NONE, 6, 7, 8),
            new Update(NONE, 8, 12, 14),
            new Lock(NONE, 4, 6, 7, 8),
            new MultiInsertion(NONE, 4));

    /** Neon's 14 and 15: in PostgreSQL's own resource managers, unmarked. */
    static final HeapLayout NEON_HEAP = new HeapLayout(
            new TupleHeader(4, 8, 9),
            new TupleHeader(6, 10, 11),
            new Deletion(8, 12, 13, 14),
            new Update(8, 12, 16, 18),
            new Lock(8, 4, 12, 13, 14),
            new MultiInsertion(NONE, 4));

    /** Neon's own resource manager, from 16 on. */
    static final HeapLayout NEON_MANAGER = new HeapLayout(
            new TupleHeader(4, 8, 9),
            new TupleHeader(NONE, 4, 5),
            new Deletion(8, 6, 7, 12),
            new Update(8, 12, 16, 18),
            new Lock(4, 8, 10, 11, 12),
            new MultiInsertion(4, 8));

    /** The layout in the resource managers heap and heap2. */
    static HeapLayout ofHeap(RedoRules rules) {
        return rules.flavour() == WalFlavour.NEON && rules.pgMajor() < 16 ? NEON_HEAP : STOCK;
    }

    /**
     * Whether records say command ids. PostgreSQL's own don't: nobody is left after a crash who would want them, so redo sets them
     * to 0. A compute without a disk reads pages of its running transactions back.
     */
    boolean hasCommandIds() {
        return deletion.cid() != NONE;
    }

    /** xl_heap_header: infomask2 is at 0, infomask at 2. */
    record TupleHeader(int cid, int hoff, int sizeBytes) {}

    /** xl_heap_delete: xmax is at 0, offnum at 4. */
    record Deletion(int cid, int infobits, int flags, int sizeBytes) {}

    /** xl_heap_update: old_xmax is at 0, old_offnum at 4, old_infobits_set at 6, flags at 7. */
    record Update(int cid, int newXmax, int newOffnum, int sizeBytes) {}

    /** xl_heap_lock: xmax is at 0. */
    record Lock(int cid, int offnum, int infobits, int flags, int sizeBytes) {}

    /** xl_heap_multi_insert: flags is at 0, ntuples at 2. */
    record MultiInsertion(int cid, int offsets) {}
}
