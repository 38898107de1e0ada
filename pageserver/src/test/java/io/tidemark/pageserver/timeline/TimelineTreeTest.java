package io.tidemark.pageserver.timeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.pageserver.compaction.CompactionConfig;
import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.layer.LayerConfig;
import io.tidemark.pageserver.layer.Retention;
import io.tidemark.pageserver.metrics.PageserverMetrics;
import io.tidemark.pageserver.timeline.TreeModel.Entry;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.runtime.time.FakeTimeSource;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.rel.SlruKind;
import io.tidemark.wire.wal.LittleEndian;
import io.tidemark.wire.wal.WalFlavour;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Random histories of a tree of timelines against {@link TreeModel}: whatever is written, branched, leased, flushed, compacted, collected,
 * detached, deleted and restarted, every LSN that may be read is answered as the model does. After a restart each timeline gets again, from
 * the model, what it had not made durable, when it comes up for something.
 *
 * <p>Compaction also runs in the background, so one seed does not always take the same course.
 */
class TimelineTreeTest {
    private static final Lsn START = Lsn.of(0x1000);
    private static final int RELATIONS = 4;
    private static final int MAX_BLOCKS = 6;
    private static final int MAX_TIMELINES = 9;
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final StorageTuning SMALL = new StorageTuning(
            new LayerConfig(64 << 10, 1 << 20, Duration.ofMinutes(1), 1 << 20, 2, 100, 2048, 1),
            new CompactionConfig(3, 1 << 20, 32 << 10, 3, 6, 4, 400, 40, 100, Duration.ofSeconds(5)));

    @Test
    void everyLsnThatMayBeReadIsAnsweredRight() {
        for (long seed = 1; seed <= 6; seed++) {
            run(seed, 100);
        }
    }

    @Test
    @Tag("slow")
    void everyLsnThatMayBeReadIsAnsweredRightForLong() {
        for (long seed = 1000; seed < 1150; seed++) {
            run(seed, 400);
        }
    }

    private static void run(long seed, int rounds) {
        try (History history = new History(seed)) {
            for (int round = 0; round < rounds; round++) {
                history.act();
                history.check(4);
            }
            history.check(200);
        } catch (Exception | AssertionError e) {
            throw new AssertionError("seed " + seed + ": " + e, e);
        }
    }

    private static final class History implements AutoCloseable {
        private final SplittableRandom random;
        private final FakeDisk disk = new FakeDisk();
        private final FakeTimeSource time = new FakeTimeSource();
        private final Map<Long, TreeModel> models = new TreeMap<>();
        private TimelineRegistry registry;
        private TimelineMaintenance maintenance;
        private long nextNumber = 2;

        History(long seed) throws IOException {
            this.random = new SplittableRandom(seed);
            this.registry = open();
            this.maintenance = maintenance();
            TreeModel root = new TreeModel(1, null, START);
            models.put(1L, root);
            registry.create(id(1), head -> {
                Map<Key, Value> first =
                        Map.of(TreeModel.CLOG_SIZE, new Value.Image(size(1)), TreeModel.CLOG_PAGE, Value.ZERO_PAGE);
                first.forEach((key, value) -> put(head, key, START, value));
                root.append(new Entry(START, first));
                return new TimelineMetadata(
                        id(1),
                        17,
                        SystemId.of(42),
                        WalFlavour.STOCK,
                        false,
                        false,
                        1 << 24,
                        START,
                        START,
                        Optional.empty());
            });
        }

        private static void put(io.tidemark.pageserver.ingest.TimelineHead head, Key key, Lsn lsn, Value value) {
            try {
                head.put(key, lsn, value);
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }

        private TimelineRegistry open() throws IOException {
            return TimelineRegistry.open(
                    disk, SMALL, 1 << 20, TimelineRegistry.Companion.NONE, new PageserverMetrics());
        }

        private TimelineMaintenance maintenance() {
            return new TimelineMaintenance(registry, RetentionConfig.NOTHING, time);
        }

        private static TenantTimelineId id(long number) {
            return new TenantTimelineId(new TenantId(1, 2), new TimelineId(0, number));
        }

        private static byte[] size(int blocks) {
            byte[] size = new byte[4];
            LittleEndian.putI32(size, 0, blocks);
            return size;
        }

        private TreeModel anyModel() {
            return List.copyOf(models.values()).get(random.nextInt(models.size()));
        }

        private Timeline timeline(TreeModel model) {
            return registry.find(id(model.number)).orElseThrow();
        }

        /** A timeline that has streamed all of its WAL, and all of its ancestors'. */
        private Timeline level(TreeModel model) throws IOException {
            if (model.ancestor != null && models.containsValue(model.ancestor)) {
                level(model.ancestor);
            }
            Timeline timeline = timeline(model);
            for (Entry entry : model.wal) {
                if (entry.end().isAfter(timeline.lastRecordLsn())) {
                    write(timeline, entry);
                }
            }
            return timeline;
        }

        private static void write(Timeline timeline, Entry entry) {
            new TreeMap<>(entry.changes()).forEach((key, value) -> put(timeline.writer(), key, entry.end(), value));
            try {
                timeline.writer().publish(entry.end(), entry.end().plus(-8), 0);
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }

        void act() throws Exception {
            TreeModel model = anyModel();
            switch (random.nextInt(22)) {
                case 0, 1 -> branch(model);
                case 2 -> delete(model);
                case 3, 4 -> level(model).flush();
                case 5 -> timeline(model).compactor().compactL0();
                case 6, 7 -> timeline(model).compactor().collectAll();
                case 8, 9 -> maintenance.moveCutoff(timeline(model), retention());
                case 10 -> maintenance.lease(timeline(model), readable(model), Duration.ofMinutes(1));
                case 11 -> time.advance(Duration.ofSeconds(random.nextInt(40)));
                case 12 -> restart();
                case 13 -> detach(model);
                default -> write(model, 1 + random.nextInt(12));
            }
        }

        private RetentionConfig retention() {
            return new RetentionConfig(random.nextInt(400), Duration.ZERO, Duration.ZERO, Duration.ZERO);
        }

        private void write(TreeModel model, int records) throws IOException {
            Timeline timeline = level(model);
            for (int i = 0; i < records; i++) {
                Entry entry = new Entry(model.head().plus(8L * (1 + random.nextInt(3))), changes(model));
                write(timeline, entry);
                model.append(entry);
            }
        }

        private Map<Key, Value> changes(TreeModel model) {
            Map<Key, Value> changes = new TreeMap<>();
            int relation = random.nextInt(RELATIONS);
            RelTag tag = TreeModel.relation(relation);
            int blocks = model.blocks(relation, model.head());
            int dice = random.nextInt(10);
            if (dice < 4) {
                int[] xids = random.ints(3, 3, 100).distinct().toArray();
                changes.put(TreeModel.CLOG_PAGE, new Value.TransactionStatus(1 + random.nextInt(2), xids));
            } else if (dice == 4 && blocks >= 0) {
                changes.put(Keys.relationSize(tag), Value.REMOVED);
            } else if (dice == 5 && blocks > 0) {
                changes.put(Keys.relationSize(tag), new Value.Image(size(random.nextInt(blocks))));
            } else if (dice < 8 && blocks < MAX_BLOCKS) {
                int more = Math.max(0, blocks) + 1 + random.nextInt(2);
                changes.put(Keys.relationSize(tag), new Value.Image(size(more)));
                for (int block = Math.max(0, blocks); block < more; block++) {
                    changes.put(Keys.relationBlock(tag, block), random.nextInt(4) == 0 ? Value.ZERO_PAGE : page());
                }
            } else if (blocks > 0) {
                changes.put(Keys.relationBlock(tag, random.nextInt(blocks)), page());
            }
            return changes;
        }

        private Value page() {
            byte[] page = new byte[TreeModel.PAGE];
            LittleEndian.putI64(page, 4000, random.nextLong());
            return new Value.Image(page);
        }

        private void branch(TreeModel model) throws Exception {
            if (models.size() >= MAX_TIMELINES) {
                return;
            }
            Timeline ancestor = level(model);
            Lsn at = random.nextInt(3) == 0 ? ancestor.lastRecordLsn() : readable(model);
            if (at.value() % 8 != 0) {
                return;
            }
            long number = nextNumber++;
            Timeline branch = new TimelineBranches(registry)
                    .create(id(number), id(model.number).timelineId(), Optional.of(at), PATIENCE);
            assertThat(branch.lastRecordLsn()).isEqualTo(at);
            models.put(number, new TreeModel(number, model, at));
        }

        private void delete(TreeModel model) throws IOException {
            if (models.size() == 1) {
                return;
            }
            try {
                registry.delete(id(model.number));
                models.remove(model.number);
            } catch (IllegalStateException e) {
                assertThat(models.values().stream()
                                .anyMatch(other -> timeline(other)
                                        .metadata()
                                        .ancestor()
                                        .filter(point -> point.timelineId()
                                                .equals(id(model.number).timelineId()))
                                        .isPresent()))
                        .isTrue();
            }
        }

        private void detach(TreeModel model) throws Exception {
            Timeline timeline = level(model);
            DetachBehavior behavior = List.of(DetachBehavior.values()).get(random.nextInt(2));
            Optional<TimelineMetadata.BranchPoint> point = timeline.metadata().ancestor();
            Set<TimelineId> going = point.isEmpty() || behavior == DetachBehavior.MULTI_LEVEL_AND_NO_REPARENT
                    ? new HashSet<>()
                    : branchesOf(point.get().timelineId(), point.get().lsn());
            try {
                List<TimelineId> gone = registry.detach(timeline, behavior);
                assertThat(timeline.metadata().ancestor()).isEmpty();
                if (point.isPresent()) {
                    going.remove(id(model.number).timelineId());
                    assertThat(gone).containsExactlyInAnyOrderElementsOf(going);
                }
            } catch (BranchException e) {
                if (e.kind() == BranchException.Kind.NO_ANCESTOR) {
                    assertThat(timeline.metadata().origin()).isEmpty();
                } else {
                    assertThat(e.kind()).isEqualTo(BranchException.Kind.TOO_MANY_ANCESTORS);
                    assertThat(point.flatMap(branch ->
                                            registry.find(new TenantTimelineId(id(1).tenantId(), branch.timelineId())))
                                    .orElseThrow()
                                    .metadata()
                                    .ancestor())
                            .isPresent();
                }
            }
        }

        private Set<TimelineId> branchesOf(TimelineId ancestor, Lsn upTo) {
            return registry.all().stream()
                    .map(Timeline::metadata)
                    .filter(metadata -> metadata.ancestor()
                            .filter(point -> point.timelineId().equals(ancestor)
                                    && point.lsn().isAtMost(upTo))
                            .isPresent())
                    .map(metadata -> metadata.id().timelineId())
                    .collect(Collectors.toSet());
        }

        private void restart() throws IOException {
            registry.close();
            registry = open();
            maintenance = maintenance();
            assertThat(registry.broken()).isEmpty();
        }

        /** An LSN at which the timeline may be read. */
        private Lsn readable(TreeModel model) {
            Timeline timeline = timeline(model);
            Retention retention = timeline.store().layers().retention();
            List<Lsn> single = new ArrayList<>(retention.retained());
            single.removeIf(
                    lsn -> lsn.isBefore(timeline.metadata().readableLsn()) || lsn.isAfter(timeline.lastRecordLsn()));
            if (!single.isEmpty() && random.nextBoolean()) {
                return single.get(random.nextInt(single.size()));
            }
            Lsn low = timeline.minReadableLsn().min(timeline.lastRecordLsn());
            return low.plus(random.nextLong(timeline.lastRecordLsn().minus(low) + 1));
        }

        void check(int reads) throws Exception {
            for (int i = 0; i < reads; i++) {
                TreeModel model = anyModel();
                Timeline timeline = level(model);
                Lsn at = timeline.effectiveLsn(readable(model), Lsn.INVALID, Duration.ZERO);
                String what = "timeline " + model.number + " at " + at;
                TimelineReader reader = timeline.reader();
                byte[] page = new byte[TreeModel.PAGE];
                for (int relation = 0; relation < RELATIONS; relation++) {
                    RelTag tag = TreeModel.relation(relation);
                    int blocks = model.blocks(relation, at);
                    assertThat(reader.exists(tag, at)).as(what).isEqualTo(blocks >= 0);
                    for (int block = 0; block < blocks; block++) {
                        reader.page(tag, block, at, page);
                        assertThat(page)
                                .as(what + " " + tag + " block " + block)
                                .isEqualTo(model.get(Keys.relationBlock(tag, block), at));
                    }
                }
                assertThat(reader.slruSegment(SlruKind.CLOG, 0, at))
                        .as(what + " clog")
                        .isEqualTo(model.get(TreeModel.CLOG_PAGE, at));
                Map<Key, Integer> sizes = new TreeMap<>();
                reader.scan(
                        KeyKind.RELATION_SIZE.range(), at, (key, value) -> sizes.put(key, LittleEndian.i32(value, 0)));
                Map<Key, Integer> wanted = new TreeMap<>();
                for (int relation = 0; relation < RELATIONS; relation++) {
                    int blocks = model.blocks(relation, at);
                    if (blocks >= 0) {
                        wanted.put(Keys.relationSize(TreeModel.relation(relation)), blocks);
                    }
                }
                assertThat(sizes).as(what + " sizes").isEqualTo(wanted);
            }
        }

        @Override
        public void close() {
            registry.close();
        }
    }
}
