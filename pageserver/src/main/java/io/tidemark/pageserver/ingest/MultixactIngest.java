package io.tidemark.pageserver.ingest;

import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.pgcontrol.CheckPoint;
import io.tidemark.pageserver.pgpage.SlruPages;
import io.tidemark.pageserver.redo.RecordData;
import io.tidemark.wire.rel.SlruKind;
import java.io.IOException;
import java.util.Arrays;

/**
 * Multixacts.
 *
 * <p>The entry behind a multixact's own is written with it (RecordNewMultiXact in multixact.c, all majors since the minor releases of
 * early 2026): where the next one's members will start is where this one's end, and such servers call a zero there damage. WAL of
 * older minors makes the page of that entry only later, by a ZERO_OFF_PAGE that must not wipe it.
 */
final class MultixactIngest {
    private final IngestContext context;

    MultixactIngest(IngestContext context) {
        this.context = context;
    }

    /**
     * ZERO_OFF_PAGE. When the page is that of the next multixact, the last one was made by an older minor: what stands in the entry is
     * known, so nothing has to be remembered from one record to the other.
     */
    void zeroOffsetsPage(RecordData main) throws IOException {
        int page = TransactionIngest.readPageNumber(main, context.pgMajor());
        context.slrus().change(SlruKind.MULTIXACT_OFFSETS, page, Value.ZERO_PAGE);
        CheckPoint checkPoint = context.checkPoint().get();
        int next = checkPoint.nextMulti() == 0 ? SlruPages.FIRST_MULTI : checkPoint.nextMulti();
        if (SlruPages.offsetsPageOf(next) == page && next != SlruPages.FIRST_MULTI) {
            int offset = checkPoint.nextMultiOffset() == 0 ? 1 : checkPoint.nextMultiOffset();
            putOffset(next, offset);
        }
    }

    void zeroMembersPage(RecordData main) throws IOException {
        int page = TransactionIngest.readPageNumber(main, context.pgMajor());
        context.slrus().change(SlruKind.MULTIXACT_MEMBERS, page, Value.ZERO_PAGE);
    }

    /** CREATE_ID: {@code mid(u32) moff(u32) nmembers(i32) { xid(u32) status(u32) }}. */
    void create(RecordData main) throws IOException {
        int multi = main.i32();
        int offset = main.i32();
        int count = main.i32();
        int[] members = TransactionEnd.numbers(main, count, 2);
        int next = multi + 1 == 0 ? SlruPages.FIRST_MULTI : multi + 1;
        int nextOffset = offset + count == 0 ? 1 : offset + count;
        putOffset(multi, offset);
        putOffset(next, nextOffset);
        putMembers(offset, members);
        context.checkPoint().advanceMulti(multi + 1, offset + count);
        for (int i = 0; i < members.length; i += 2) {
            context.checkPoint().sawXid(members[i]);
        }
    }

    private void putOffset(int multi, int offset) throws IOException {
        context.slrus()
                .change(
                        SlruKind.MULTIXACT_OFFSETS,
                        SlruPages.offsetsPageOf(multi),
                        new Value.MultixactOffsets(new int[] {multi}, new int[] {offset}));
    }

    private void putMembers(int offset, int[] members) throws IOException {
        int count = members.length / 2;
        int[] xids = new int[count];
        byte[] flags = new byte[count];
        for (int i = 0; i < count; i++) {
            xids[i] = members[2 * i];
            flags[i] = (byte) members[2 * i + 1];
        }
        int start = 0;
        for (int i = 1; i <= count; i++) {
            // The last page ends early, where offsets wrap around: its neighbour is page 0.
            int page = SlruPages.membersPageOf(offset + start);
            if (i == count || SlruPages.membersPageOf(offset + i) != page) {
                context.slrus()
                        .change(
                                SlruKind.MULTIXACT_MEMBERS,
                                page,
                                new Value.MultixactMembers(
                                        offset + start,
                                        Arrays.copyOfRange(xids, start, i),
                                        Arrays.copyOfRange(flags, start, i)));
                start = i;
            }
        }
    }

    /** TRUNCATE_ID: {@code oldestMultiDB startTruncOff endTruncOff startTruncMemb endTruncMemb}, u32 each. */
    void truncate(RecordData main) throws IOException {
        int database = main.i32();
        main.skip(4);
        int oldestMulti = main.i32();
        int firstMember = main.i32();
        int endMember = main.i32();
        context.checkPoint().get().setOldestMulti(oldestMulti, database);
        context.checkPoint().markChanged();
        dropMembers(segmentOf(firstMember), segmentOf(endMember));
        int previous = oldestMulti - 1 == 0 ? -1 : oldestMulti - 1;
        int cutoff = SlruPages.offsetsPageOf(previous);
        context.slrus().dropWhere(SlruKind.MULTIXACT_OFFSETS, page -> SlruPages.offsetsPagePrecedes(page, cutoff));
    }

    private void dropMembers(int first, int end) throws IOException {
        int last = segmentOf(-1);
        for (int segment = first; segment != end; segment = segment == last ? 0 : segment + 1) {
            context.slrus().drop(SlruKind.MULTIXACT_MEMBERS, segment);
        }
    }

    private static int segmentOf(int offset) {
        return SlruPages.membersPageOf(offset) / SlruKind.PAGES_PER_SEGMENT;
    }
}
