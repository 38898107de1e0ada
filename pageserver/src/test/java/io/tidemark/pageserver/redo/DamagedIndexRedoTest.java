package io.tidemark.pageserver.redo;

import static io.tidemark.pageserver.redo.BtreeTuples.leaf;
import static io.tidemark.pageserver.redo.BtreeTuples.posting;
import static io.tidemark.pageserver.redo.RecordBuilder.part;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.tidemark.pageserver.pgpage.BrinPage;
import io.tidemark.pageserver.pgpage.BtreePage;
import io.tidemark.pageserver.pgpage.HashPage;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Records and pages that make sense are damaged at random: redo answers with a page or a {@link RedoException}, and it ends. */
class DamagedIndexRedoTest {
    private static final int ROUNDS = 4_000;
    private static final int MAX_DAMAGE = 4;

    private record Sample(WalRecord record, BlockReference block, Page page) {}

    private static Sample sample(RecordBuilder builder, int blockId, Page page) {
        WalRecord record = builder.build(17);
        return new Sample(record, BtreeTuples.reference(record, blockId), page);
    }

    private static RecordBuilder btree(int opcode, ByteBuf main) {
        return new RecordBuilder(ResourceManagers.BTREE, opcode).main(main);
    }

    private static RecordBuilder hash(int opcode, ByteBuf main) {
        return new RecordBuilder(ResourceManagers.HASH, opcode).main(main);
    }

    private static RecordBuilder brin(int opcode, ByteBuf main) {
        return new RecordBuilder(ResourceManagers.BRIN, opcode).main(main);
    }

    private static Page leafPage() {
        return BtreeTuples.page(
                9, BtreePage.BTP_LEAF, leaf(90, 0), leaf(10, 1), posting(20, 1, 3, 5, 7), leaf(20, 9), leaf(30, 1));
    }

    private static Page hashPage() {
        Page page = new Page(new byte[Page.SIZE_BYTES]);
        HashPage.init(page, 1, 2, 3, HashPage.LH_BUCKET_PAGE);
        for (int i = 0; i < 5; i++) {
            page.addItem(RecordBuilder.bytesOf(leaf(i, i)), 0, 16, 0);
        }
        return page;
    }

    private static Page hashMeta() {
        Page page = new Page(new byte[Page.SIZE_BYTES]);
        HashPage.initMeta(page, 10_000, 10, 400);
        return page;
    }

    private static Page brinPage() {
        Page page = new Page(new byte[Page.SIZE_BYTES]);
        BrinPage.init(page, BrinPage.BRIN_PAGETYPE_REGULAR);
        for (int i = 0; i < 5; i++) {
            page.addItem(RecordBuilder.bytesOf(leaf(i, i)), 0, 16, 0);
        }
        return page;
    }

    private static Page empty() {
        return new Page(new byte[Page.SIZE_BYTES]);
    }

    private static List<Sample> btreeSamples() {
        ByteBuf splitMain = part().writeIntLE(0).writeShortLE(4).writeShortLE(4).writeShortLE(2);
        RecordBuilder split = btree(BtreeRedo.SPLIT_L, splitMain)
                .block(0, 40, part().writeBytes(leaf(20, 4)).writeBytes(leaf(20, 0)))
                .initBlock(1, 41, part().writeBytes(leaf(30, 1)).writeBytes(leaf(20, 9)));
        ByteBuf update = part().writeShortLE(2)
                .writeShortLE(3)
                .writeShortLE(2)
                .writeShortLE(0)
                .writeShortLE(3);
        ByteBuf halfDead = part().writeIntLE(2)
                .writeIntLE(40)
                .writeIntLE(39)
                .writeIntLE(41)
                .writeIntLE(-1);
        return List.of(
                sample(btree(BtreeRedo.INSERT_LEAF, part().writeShortLE(3)).block(0, 5, leaf(15, 1)), 0, leafPage()),
                sample(
                        btree(BtreeRedo.INSERT_POST, part().writeShortLE(4))
                                .block(0, 5, part().writeShortLE(2).writeBytes(leaf(20, 4))),
                        0,
                        leafPage()),
                sample(split, 0, leafPage()),
                sample(split, 1, empty()),
                sample(
                        btree(BtreeRedo.DEDUP, part().writeShortLE(1))
                                .block(0, 5, part().writeShortLE(3).writeShortLE(2)),
                        0,
                        leafPage()),
                sample(
                        btree(BtreeRedo.VACUUM, part().writeShortLE(1).writeShortLE(1))
                                .block(0, 5, update),
                        0,
                        leafPage()),
                sample(
                        btree(BtreeRedo.MARK_PAGE_HALFDEAD, halfDead)
                                .initBlock(0, 40, part())
                                .block(1, 3),
                        1,
                        leafPage()));
    }

    private static List<Sample> hashAndBrinSamples() {
        ByteBuf tuples =
                part().writeShortLE(1).writeShortLE(3).writeBytes(leaf(1, 1)).writeBytes(leaf(2, 2));
        RecordBuilder addOverflow = hash(
                        HashRedo.ADD_OVFL_PAGE, part().writeShortLE(4096).writeBoolean(false))
                .initBlock(3, 51, part())
                .block(4, 0, part().writeIntLE(34));
        RecordBuilder allocate = hash(
                        HashRedo.SPLIT_ALLOCATE_PAGE,
                        part().writeIntLE(9)
                                .writeShortLE(0x22)
                                .writeShortLE(0x12)
                                .writeByte(3))
                .block(2, 0, part().writeIntLE(7).writeIntLE(15).writeIntLE(4).writeIntLE(12));
        ByteBuf dead = part().writeIntLE(700).writeShortLE(3).writeShortLE(0);
        ByteBuf update = part().writeIntLE(2).writeIntLE(9).writeIntLE(4).writeShortLE(1);
        return List.of(
                sample(
                        hash(HashRedo.MOVE_PAGE_CONTENTS, part().writeShortLE(2).writeBoolean(true))
                                .block(1, 19, tuples),
                        1,
                        hashPage()),
                sample(addOverflow, 3, empty()),
                sample(addOverflow, 4, hashMeta()),
                sample(allocate, 2, hashMeta()),
                sample(
                        hash(
                                        HashRedo.INIT_META_PAGE,
                                        part().writeDoubleLE(1e4).writeIntLE(1).writeShortLE(10))
                                .initBlock(0, 0, part()),
                        0,
                        empty()),
                sample(
                        hash(
                                        HashRedo.VACUUM_ONE_PAGE,
                                        dead.writeShortLE(1).writeShortLE(2).writeShortLE(4))
                                .block(0, 2),
                        0,
                        hashPage()),
                sample(brin(BrinRedo.UPDATE, update).block(2, 2), 2, brinPage()),
                sample(
                        brin(BrinRedo.SAMEPAGE_UPDATE, part().writeShortLE(2)).block(0, 2, posting(1, 1, 2, 3)),
                        0,
                        brinPage()));
    }

    @Test
    @Timeout(60)
    void btree() {
        damage(btreeSamples(), new Random().nextLong());
    }

    @Test
    @Timeout(60)
    void hashAndBrin() {
        damage(hashAndBrinSamples(), new Random().nextLong());
    }

    @Test
    void undamagedSamplesAreApplied() throws Exception {
        for (List<Sample> samples : List.of(btreeSamples(), hashAndBrinSamples())) {
            for (Sample sample : samples) {
                PageRedo redo = new PageRedo(new RedoRules(17, WalFlavour.STOCK, false));
                redo.apply(sample.record, sample.block, sample.page.bytes());
                assertThat(sample.page.lsn()).isEqualTo(RecordBuilder.END.value());
            }
        }
    }

    private static void damage(List<Sample> samples, long seed) {
        Random random = new Random(seed);
        PageRedo redo = new PageRedo(new RedoRules(17, WalFlavour.STOCK, false));
        int refused = 0;
        for (int round = 0; round < ROUNDS; round++) {
            Sample sample = samples.get(random.nextInt(samples.size()));
            byte[] page = sample.page.bytes().clone();
            byte[] record = sample.record.array();
            byte[] before = record.clone();
            for (int i = random.nextInt(MAX_DAMAGE); i >= 0; i--) {
                if (random.nextBoolean()) {
                    damagePage(page, random);
                } else {
                    damageRecord(sample, record, random);
                }
            }
            try {
                redo.apply(sample.record, sample.block, page);
            } catch (RedoException e) {
                refused++;
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + ", round " + round, e);
            }
            System.arraycopy(before, 0, record, 0, record.length);
        }
        assertThat(refused).as("refused, seed %d", seed).isBetween(ROUNDS / 20, ROUNDS * 19 / 20);
    }

    /** Header, line pointers, tuples or special area. */
    private static void damagePage(byte[] page, Random random) {
        int at = switch (random.nextInt(4)) {
            case 0 -> 8 + random.nextInt(16);
            case 1 -> 24 + random.nextInt(24);
            case 2 -> Page.SIZE_BYTES - 16 + random.nextInt(16);
            default -> Page.SIZE_BYTES - 200 + random.nextInt(184);
        };
        page[at] = randomByte(random);
    }

    private static void damageRecord(Sample sample, byte[] record, Random random) {
        boolean inMain = sample.block.dataLength() == 0 || sample.record.mainDataLength() > 0 && random.nextBoolean();
        int at = inMain
                ? sample.record.mainDataOffset() + random.nextInt(sample.record.mainDataLength())
                : sample.block.dataOffset() + random.nextInt(sample.block.dataLength());
        record[at] = randomByte(random);
    }

    /** Small numbers and large ones: those in between seldom decide anything. */
    private static byte randomByte(Random random) {
        return switch (random.nextInt(3)) {
            case 0 -> (byte) random.nextInt(8);
            case 1 -> (byte) -1;
            default -> (byte) random.nextInt();
        };
    }
}
