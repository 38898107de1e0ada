package io.tidemark.pageserver.redo;

import static io.tidemark.pageserver.redo.RecordBuilder.part;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.tidemark.pageserver.pgpage.GinPage;
import io.tidemark.pageserver.pgpage.GistPage;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.SpgistPage;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Records of arbitrary bytes on damaged pages of GIN, GiST and SP-GiST: redo changes the page, or refuses with its one exception. */
class RandomGinGistSpgistTest {
    private static final int ROUNDS = 15_000;
    private static final int OPCODES = 10;

    private final long seed = ThreadLocalRandom.current().nextLong();
    private final Random random = new Random(seed);
    private final Page page = new Page(new byte[Page.SIZE_BYTES]);

    @Test
    @Timeout(120)
    void redoSucceedsOrRefuses() {
        int changed = 0;
        for (int round = 0; round < ROUNDS; round++) {
            int rmgrId = switch (round % 3) {
                case 0 -> ResourceManagers.GIN;
                case 1 -> ResourceManagers.GIST;
                default -> ResourceManagers.SPGIST;
            };
            preparePage(rmgrId);
            int pgMajor = 14 + random.nextInt(5);
            WalRecord record = record(rmgrId, pgMajor);
            try {
                new PageRedo(new RedoRules(pgMajor, WalFlavour.STOCK, false))
                        .apply(record, record.blocks().get(random.nextInt(4)), page.bytes());
                changed++;
            } catch (RedoException e) {
                assertThat(e).hasMessageStartingWith("redo of ");
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + ", round " + round, e);
            }
        }
        assertThat(changed).as("seed %d", seed).isBetween(ROUNDS / 100, ROUNDS);
    }

    private WalRecord record(int rmgrId, int pgMajor) {
        RecordBuilder builder = new RecordBuilder(rmgrId, random.nextInt(OPCODES) << 4).main(bytes(120));
        for (int id = 0; id < 4; id++) {
            if (random.nextInt(4) == 0) {
                builder.initBlock(id, random.nextInt(3), bytes(60));
            } else {
                builder.block(id, random.nextInt(3), bytes(60));
            }
        }
        return builder.build(pgMajor);
    }

    /** Mostly small numbers: they lead further. */
    private ByteBuf bytes(int maxLength) {
        ByteBuf bytes = part();
        int length = random.nextInt(maxLength);
        while (bytes.readableBytes() < length) {
            switch (random.nextInt(4)) {
                case 0 -> bytes.writeByte(random.nextInt());
                case 1 -> bytes.writeShortLE(8 * random.nextInt(6));
                default -> bytes.writeShortLE(random.nextInt(4));
            }
        }
        return bytes;
    }

    private void preparePage(int rmgrId) {
        switch (rmgrId) {
            case ResourceManagers.GIN -> GinPage.init(page, random.nextInt(256));
            case ResourceManagers.GIST -> GistPage.init(page, random.nextInt(32));
            default -> SpgistPage.init(page, random.nextInt(16));
        }
        for (int i = random.nextInt(6); i > 0; i--) {
            byte[] tuple = RecordBuilder.bytesOf(bytes(60).writeZero(8));
            page.addItem(tuple, 0, tuple.length, page.maxOffset() + 1);
        }
        for (int i = random.nextInt(4); i > 0; i--) {
            int at = random.nextBoolean() ? 8 + random.nextInt(60) : 8000 + random.nextInt(192);
            page.putU8(at, random.nextInt());
        }
        page.setLsn(0);
    }
}
