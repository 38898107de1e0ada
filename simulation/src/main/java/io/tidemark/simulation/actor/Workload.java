package io.tidemark.simulation.actor;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.tidemark.shim.proposer.ProposerEffect;
import io.tidemark.simulation.Scenario;
import io.tidemark.simulation.invariant.WrittenWal;
import io.tidemark.simulation.world.Dice;
import io.tidemark.simulation.world.Host;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.wal.WalStreamWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * The PostgreSQL behind an elected proposer: writes valid WAL from where the term starts, waits for commits, and tells its clients.
 * WAL of earlier terms it doesn't have; that comes from a donor.
 */
final class Workload {
    /** WAL that may wait for its commit; a stock PostgreSQL stalls its clients then. */
    private static final int MAX_UNCOMMITTED_BYTES = 1 << 20;

    private static final int RM_XLOG_NOOP = 0x20;
    private static final long FETCH_RETRY_MICROS = 400_000;

    private final World world;
    private final String name;
    private final Term term;
    private final WrittenWal.Chapter chapter;
    private final List<NodeId> safekeepers;
    private final ProposerEffect.Elected election;
    private final BooleanSupplier alive;
    private final Dice dice;
    private final WalStreamWriter writer;
    private final Deque<Lsn> waitingForCommit = new ArrayDeque<>();
    private Lsn commitLsn = Lsn.INVALID;
    private long sequence;
    private int burst;

    Workload(
            World world,
            String name,
            ProposerEffect.Elected election,
            WrittenWal.Chapter chapter,
            List<NodeId> safekeepers,
            BooleanSupplier alive,
            Dice dice) {
        this.world = world;
        this.name = name;
        this.term = election.term();
        this.election = election;
        this.chapter = chapter;
        this.safekeepers = safekeepers;
        this.alive = alive;
        this.dice = dice;
        Scenario scenario = world.scenario();
        this.writer = new WalStreamWriter(
                scenario.pgVersion().major(),
                scenario.systemId(),
                scenario.segmentSizeBytes(),
                election.startLsn(),
                Lsn.INVALID);
    }

    /** Starts to write; {@code available} hears of every new end of WAL. */
    void begin(Consumer<Lsn> available) {
        world.queue().after(dice.longTail(1_000, 1_000_000), () -> write(available));
    }

    private void write(Consumer<Lsn> available) {
        if (!alive.getAsBoolean()) {
            return;
        }
        if (chapter.end().minus(commitLsn.max(chapter.start())) < MAX_UNCOMMITTED_BYTES) {
            Lsn before = chapter.end();
            int records = dice.between(1, 6);
            for (int i = 0; i < records; i++) {
                writeRecord();
            }
            if (dice.chance(0.4)) {
                // PostgreSQL flushes page by page: what is available may end inside a record.
                available.accept(before.plus(dice.between(0L, chapter.end().minus(before))));
            } else {
                available.accept(chapter.end());
            }
        }
        world.queue().after(nextWrite(), () -> write(available));
    }

    /** Mostly some time, now and then a burst, so that much WAL is under way at once. */
    private long nextWrite() {
        if (burst > 0) {
            burst--;
            return dice.between(200L, 3_000L);
        }
        burst = dice.chance(0.03) ? dice.between(5, 20) : 0;
        return dice.longTail(2_000, 1_200_000);
    }

    private void writeRecord() {
        Lsn end;
        if (dice.chance(0.006)) {
            end = writer.switchSegment();
        } else {
            byte[] label = (name + ":" + ++sequence).getBytes(StandardCharsets.US_ASCII);
            byte[] main = new byte[label.length + bodyBytes()];
            dice.fill(main);
            System.arraycopy(label, 0, main, 0, label.length);
            end = writer.append(0, RM_XLOG_NOOP, (int) sequence, main);
        }
        ByteBuf drained = writer.drain();
        byte[] bytes = ByteBufUtil.getBytes(drained);
        drained.release();
        // A switch right at the start of a segment writes nothing.
        if (bytes.length > 0) {
            chapter.append(bytes, end);
            waitingForCommit.addLast(end);
        }
    }

    private int bodyBytes() {
        int kind = dice.between(0, 99);
        if (kind < 80) {
            return dice.between(0, 300);
        }
        return kind < 99 ? dice.between(300, 20_000) : dice.between(20_000, 250_000);
    }

    /** Everything below is committed: the clients that waited for it hear of it. */
    void committed(Lsn lsn) {
        commitLsn = lsn;
        while (!waitingForCommit.isEmpty() && waitingForCommit.peekFirst().isAtMost(lsn)) {
            world.promises().acknowledged(term, waitingForCommit.removeFirst());
        }
    }

    /** Brings WAL {@code [begin, end)}: its own from memory, older WAL from a donor, however often it takes to ask. */
    void fetch(Host host, Lsn begin, Lsn end, BooleanSupplier wanted, Consumer<byte[]> then) {
        if (begin.isAtLeast(chapter.start())) {
            then.accept(chapter.read(begin, end));
            return;
        }
        askDonor(host, 0, begin, end.min(chapter.start()), wanted, older -> {
            byte[] all = java.util.Arrays.copyOf(older, (int) end.minus(begin));
            if (end.isAfter(chapter.start())) {
                byte[] own = chapter.read(chapter.start(), end);
                System.arraycopy(own, 0, all, older.length, own.length);
            }
            then.accept(all);
        });
    }

    private void askDonor(Host host, int tries, Lsn begin, Lsn end, BooleanSupplier wanted, Consumer<byte[]> then) {
        if (!wanted.getAsBoolean()) {
            return;
        }
        var donors = election.donors();
        NodeId node = safekeepers.get(donors.get(tries % donors.size()).index());
        SafekeeperActor donor = world.safekeepers().get((int) node.value() - 1);
        world.<byte[]>call(host, donor, () -> donor.readInTerm(term, begin, end), bytes -> {
            if (bytes != null) {
                then.accept(bytes);
            } else {
                world.queue()
                        .after(
                                dice.between(FETCH_RETRY_MICROS / 4, FETCH_RETRY_MICROS),
                                () -> askDonor(host, tries + 1, begin, end, wanted, then));
            }
        });
    }
}
