package io.tidemark.pageserver.redo;

import static io.tidemark.pageserver.redo.RecordBuilder.part;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.redo.HeapDialect.Update;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Heap records and pages that make sense are damaged at random: redo answers with a page or a {@link RedoException}. */
class DamagedHeapRedoTest {
    private static final int ROUNDS = 4_000;

    private static HeapPage page(RedoRules rules) {
        return new HeapPage(rules).add(3, 0, "abcdefgh").add(3, 0, "second").add(3, 0, "third");
    }

    private static List<RecordBuilder> changes(HeapDialect dialect) {
        ByteBuf tuple = dialect.tuple(3, 0, 8, 24).writeBytes(new byte[9]);
        ByteBuf lengths = part().writeShortLE(3).writeShortLE(2);
        ByteBuf rest = dialect.header(lengths, 3, 0, 8, 24).writeBytes(new byte[9]);
        ByteBuf many = dialect.multiTuple(part(), 3, 0, 8, "~one");
        dialect.multiTuple(many, 3, 0, 8, "~other");
        return List.of(
                dialect.insert(0, 4, 0).block(0, 7, tuple),
                dialect.update(true, 0, new Update(600, 1, 0x1F, 0x60, 8, 0, 4)).block(0, 7, rest),
                dialect.delete(600, 2, 0x1F, 0, 8).block(0, 7),
                dialect.lock(600, 3, 0x1F, 0, 8).block(0, 7),
                dialect.multiInsert(0, 0, 8, 2, 4, 5).block(0, 7, many),
                new RecordBuilder(ResourceManagers.HEAP, HeapRedo.INPLACE)
                        .main(part().writeShortLE(2))
                        .block(0, 7, part().writeBytes(new byte[6])));
    }

    @ParameterizedTest
    @EnumSource
    @Timeout(60)
    void changesInEveryDialect(HeapDialect dialect) {
        damage(dialect.rules(), changes(dialect), new Random().nextLong());
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 16, 17})
    @Timeout(60)
    void pruningAndFreezingInEveryForm(int pgMajor) {
        ByteBuf plan = part();
        if (pgMajor >= 16) {
            plan.writeIntLE(0)
                    .writeShortLE(3)
                    .writeShortLE(0x0B00)
                    .writeShortLE(0)
                    .writeShortLE(1);
        } else {
            plan.writeIntLE(0)
                    .writeShortLE(3)
                    .writeShortLE(3)
                    .writeShortLE(0x0B00)
                    .writeShortLE(0);
        }
        List<RecordBuilder> records = new ArrayList<>();
        if (pgMajor >= 17) {
            ByteBuf data = part().writeIntLE(1).writeBytes(plan);
            for (int value : new int[] {1, 1, 3, 1, 2, 3}) {
                data.writeShortLE(value);
            }
            records.add(heap2(0x20).main(part().writeByte(0).writeByte(0x74)).block(0, 7, data));
        } else {
            ByteBuf prune = part().writeShortLE(1).writeShortLE(3).writeShortLE(2);
            records.add(heap2(0x10)
                    .main(part().writeIntLE(9).writeShortLE(1).writeShortLE(1).writeByte(0))
                    .block(0, 7, prune));
            records.add(heap2(0x30)
                    .main(part().writeIntLE(9).writeShortLE(1).writeByte(0))
                    .block(0, 7, pgMajor == 16 ? plan.writeShortLE(3) : plan));
            records.add(heap2(0x20).main(part().writeShortLE(1)).block(0, 7, part().writeShortLE(3)));
        }
        damage(new RedoRules(pgMajor, WalFlavour.STOCK, false), records, new Random().nextLong());
    }

    private static RecordBuilder heap2(int opcode) {
        return new RecordBuilder(ResourceManagers.HEAP2, opcode);
    }

    private static void damage(RedoRules rules, List<RecordBuilder> builders, long seed) {
        Random random = new Random(seed);
        PageRedo redo = new PageRedo(rules);
        for (RecordBuilder builder : builders) {
            int refused = 0;
            for (int round = 0; round < ROUNDS; round++) {
                WalRecord record = builder.build(rules.pgMajor());
                Page page = page(rules).page;
                for (int i = round == 0 ? 0 : 1 + random.nextInt(3); i > 0; i--) {
                    damage(record, page, random);
                }
                try {
                    redo.apply(record, record.blocks().get(0), page.bytes());
                } catch (RedoException e) {
                    assertThat(round).as("the record without damage: %s", e).isPositive();
                    refused++;
                } catch (RuntimeException e) {
                    throw new AssertionError("seed " + seed + ", round " + round, e);
                }
            }
            assertThat(refused).as("refused, seed %d", seed).isBetween(ROUNDS / 50, ROUNDS * 49 / 50);
        }
    }

    /** Changes a byte of the page's header or line pointers, of its tuples, or of the record's main or block data. */
    private static void damage(WalRecord record, Page page, Random random) {
        byte value = random.nextBoolean() ? (byte) random.nextInt(8) : (byte) -random.nextInt(1 << 8);
        int dataLength = record.mainDataLength() + record.blocks().get(0).dataLength();
        switch (random.nextInt(4)) {
            case 0 -> page.bytes()[8 + random.nextInt(28)] = value;
            case 1 -> page.bytes()[Page.SIZE_BYTES - 1 - random.nextInt(96)] = value;
            default -> {
                // Block data lies just before the main data, at the end of the record.
                byte[] bytes = record.array();
                bytes[bytes.length - 1 - random.nextInt(dataLength)] = value;
            }
        }
    }
}
