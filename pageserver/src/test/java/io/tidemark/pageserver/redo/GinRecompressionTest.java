package io.tidemark.pageserver.redo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.pageserver.pgpage.GinPage;
import io.tidemark.pageserver.pgpage.GinPostingList;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

class GinRecompressionTest {
    private static final int DELETE = 1;
    private static final int INSERT = 2;
    private static final int REPLACE = 3;
    private static final int ADD_ITEMS = 4;

    @Test
    void segmentNumbersAreThoseBeforeTheRecord() {
        Page page = leaf(segment(1, 2), segment(10, 11), segment(20, 21, 25), segment(30));
        apply(
                page,
                actions(
                        action(1, DELETE),
                        action(2, INSERT, segment(12, 13)),
                        addItems(2, 22, 19),
                        action(4, INSERT, segment(40, 41))));
        assertSegments(page, segment(1, 2), segment(12, 13), segment(19, 20, 21, 22, 25), segment(30), segment(40, 41));
    }

    @Test
    void replacesAndInsertsBeforeTheSameSegment() {
        Page page = leaf(segment(1, 2), segment(10, 11));
        apply(page, actions(action(0, INSERT, segment(0, 1)), action(0, REPLACE, segment(2, 3, 4))));
        assertSegments(page, segment(0, 1), segment(2, 3, 4), segment(10, 11));
    }

    @Test
    void insertsIntoAnEmptyPage() {
        Page page = leaf();
        apply(page, actions(action(0, INSERT, segment(5, 6, 7))));
        assertSegments(page, segment(5, 6, 7));
    }

    @Test
    void segmentsMayMoveUpOverThoseNotReadYet() {
        // The first segment grows by more than the second is long: reading from the page itself would find it
        // overwritten.
        long[] many = new long[100];
        Arrays.setAll(many, i -> 1000L * i + 1);
        Page page = leaf(segment(1, 2), segment(200_000, 200_001), segment(300_000));
        apply(page, actions(action(0, REPLACE, segment(many)), addItems(1, 200_002)));
        assertSegments(page, segment(many), segment(200_000, 200_001, 200_002), segment(300_000));
    }

    @Test
    void itemsThatAreThereAlreadyAreKeptOnce() {
        Page page = leaf(segment(1, 5, 9));
        apply(page, actions(addItems(0, 5, 7)));
        assertSegments(page, segment(1, 5, 7, 9));
    }

    @Test
    void compressesAPageFromBeforeSegmentsExisted() {
        Page page = uncompressed(1, 2, 2049);
        apply(page, actions(addItems(0, 3)));
        assertSegments(page, segment(1, 2, 3, 2049));
    }

    @Test
    void compressesAnEmptyPageFromBeforeSegmentsExisted() {
        Page page = uncompressed();
        apply(page, actions(action(0, INSERT, segment(4, 5))));
        assertSegments(page, segment(4, 5));
    }

    @Test
    void refusesActionsThatDoNotFit() {
        assertThatThrownBy(() -> apply(leaf(segment(1)), actions(action(1, DELETE))))
                .isInstanceOf(PageException.class);
        assertThatThrownBy(() -> apply(leaf(segment(1)), actions(action(2, INSERT, segment(2)))))
                .isInstanceOf(PageException.class);
        assertThatThrownBy(() -> apply(leaf(segment(1), segment(2)), actions(action(1, DELETE), action(0, DELETE))))
                .hasMessageContaining("segment 0 after segment 2");
        assertThatThrownBy(() -> apply(leaf(segment(1)), actions(action(0, 0))))
                .hasMessageContaining("unknown action 0");
        assertThatThrownBy(() -> apply(leaf(segment(1)), actions(action(0, REPLACE, Arrays.copyOf(segment(1, 2), 9)))))
                .isInstanceOf(PageException.class);
        long[] many = new long[8138];
        Arrays.setAll(many, i -> i + 1);
        assertThatThrownBy(() -> apply(leaf(segment(1)), actions(action(0, INSERT, segment(many)))))
                .isInstanceOf(PageException.class)
                .hasMessageContaining("no room");
        Page inner = leaf(segment(1));
        GinPage.clearFlags(inner, GinPage.LEAF);
        assertThatThrownBy(() -> apply(inner, actions())).hasMessageContaining("leaf");
    }

    /** Random actions on random segments; the model is a list of segments changed from its end. */
    @Test
    void givesWhatAListOfSegmentsWouldGive() {
        long seed = ThreadLocalRandom.current().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < 2000; round++) {
            List<long[]> model = new ArrayList<>();
            long next = 1;
            int count = random.nextInt(8);
            for (int i = 0; i < count; i++) {
                long[] numbers = ascending(random, next, 1 + random.nextInt(60));
                model.add(numbers);
                next = numbers[numbers.length - 1] + 1 + random.nextInt(5000);
            }
            Page page = leaf(model.stream().map(GinRecompressionTest::segment).toArray(byte[][]::new));
            List<byte[]> actions = new ArrayList<>();
            for (int segno = count; segno >= 0; segno--) {
                changeOne(random, model, actions, segno, segno < count);
            }
            apply(page, actions(actions.toArray(byte[][]::new)));
            assertThat(content(page))
                    .as("seed %d", seed)
                    .isEqualTo(join(
                            model.stream().map(GinRecompressionTest::segment).toArray(byte[][]::new)));
        }
    }

    private static void changeOne(Random random, List<long[]> model, List<byte[]> actions, int segno, boolean exists) {
        long[] fresh = ascending(random, 1 + random.nextInt(1 << 20), 1 + random.nextInt(30));
        if (exists) {
            switch (random.nextInt(4)) {
                case 0 -> {
                    model.remove(segno);
                    actions.addFirst(action(segno, DELETE));
                }
                case 1 -> {
                    model.set(segno, fresh);
                    actions.addFirst(action(segno, REPLACE, segment(fresh)));
                }
                case 2 -> {
                    model.set(segno, GinRecompression.merge(model.get(segno), fresh));
                    actions.addFirst(addItems(segno, fresh));
                }
                default -> {}
            }
        }
        if (random.nextInt(4) == 0) {
            long[] inserted = ascending(random, 1, 5);
            model.add(segno, inserted);
            actions.addFirst(action(segno, INSERT, segment(inserted)));
        }
    }

    private static long[] ascending(Random random, long from, int count) {
        long[] numbers = new long[count];
        long next = from;
        for (int i = 0; i < count; i++) {
            next += 1 + random.nextInt(1 << random.nextInt(18));
            numbers[i] = (next & 2047) == 0 ? ++next : next;
        }
        return numbers;
    }

    private static void apply(Page page, byte[] actions) {
        RecordData data = new RecordData(actions, 0, actions.length);
        GinRecompression.apply(page, data);
        data.requireConsumed();
    }

    private static byte[] actions(byte[]... actions) {
        ByteBuf all = Unpooled.buffer().writeShortLE(actions.length);
        for (byte[] action : actions) {
            all.writeBytes(action);
        }
        return RecordBuilder.bytesOf(all);
    }

    private static byte[] action(int segno, int type) {
        return action(segno, type, new byte[0]);
    }

    private static byte[] action(int segno, int type, byte[] payload) {
        return RecordBuilder.bytesOf(
                Unpooled.buffer().writeByte(segno).writeByte(type).writeBytes(payload));
    }

    /** The items may come in any order here; the record has them sorted. */
    private static byte[] addItems(int segno, long... numbers) {
        ByteBuf payload = Unpooled.buffer().writeShortLE(numbers.length);
        long[] sorted = numbers.clone();
        Arrays.sort(sorted);
        for (long number : sorted) {
            writeTid(payload, number);
        }
        return action(segno, ADD_ITEMS, RecordBuilder.bytesOf(payload));
    }

    private static void writeTid(ByteBuf into, long number) {
        int block = (int) (number >>> 11);
        into.writeShortLE(block >>> 16).writeShortLE(block).writeShortLE((int) number & 2047);
    }

    private static byte[] segment(long... numbers) {
        byte[] bytes = new byte[8192];
        return Arrays.copyOf(bytes, GinPostingList.encode(numbers, bytes, 0, bytes.length));
    }

    private static byte[] join(byte[]... parts) {
        ByteBuf all = Unpooled.buffer();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return RecordBuilder.bytesOf(all);
    }

    private static Page leaf(byte[]... segments) {
        Page page = new Page(new byte[Page.SIZE_BYTES]);
        GinPage.init(page, GinPage.DATA | GinPage.LEAF | GinPage.COMPRESSED);
        byte[] all = join(segments);
        page.put(GinPage.CONTENT, all, 0, all.length);
        page.setLower(GinPage.CONTENT + all.length);
        return page;
    }

    /** pd_lower of such a page says nothing. */
    private static Page uncompressed(long... numbers) {
        Page page = new Page(new byte[Page.SIZE_BYTES]);
        GinPage.init(page, GinPage.DATA | GinPage.LEAF);
        ByteBuf tids = Unpooled.buffer();
        for (long number : numbers) {
            writeTid(tids, number);
        }
        page.put(GinPage.CONTENT, RecordBuilder.bytesOf(tids), 0, tids.readableBytes());
        page.putU16(GinPage.MAXOFF, numbers.length);
        return page;
    }

    private static byte[] content(Page page) {
        return Arrays.copyOfRange(page.bytes(), GinPage.CONTENT, page.lower());
    }

    private static void assertSegments(Page page, byte[]... segments) {
        assertThat(content(page)).isEqualTo(join(segments));
        assertThat(page.u16(GinPage.FLAGS)).isEqualTo(GinPage.DATA | GinPage.LEAF | GinPage.COMPRESSED);
        assertThat(page.u16(GinPage.MAXOFF)).isZero();
    }
}
