package io.tidemark.pageserver.timeline;

import static io.tidemark.pageserver.timeline.TimelineFixture.START;
import static io.tidemark.pageserver.timeline.TimelineFixture.id;
import static io.tidemark.pageserver.timeline.TimelineFixture.read;
import static io.tidemark.pageserver.timeline.TimelineFixture.write;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.runtime.durable.ForwardingDisk;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * The process is killed just before a name becomes durable, and the disk shows the name all the same. Whoever starts next serves
 * it and tells safekeepers about it, so a power failure after that must not take it back.
 */
class KilledProcessTest {
    private static final int POWER_FAILURES = 8;

    @Test
    void whatTheNextProcessServesIsDurable() throws Exception {
        int kills = 0;
        for (int sync = 1; killAt(sync); sync++) {
            kills++;
        }
        assertThat(kills).as("directories synced").isGreaterThan(10);
    }

    /** Answers whether there was a sync of that number. */
    private static boolean killAt(int sync) throws Exception {
        boolean killed = false;
        for (int seed = 0; seed < POWER_FAILURES; seed++) {
            FakeDisk fake = new FakeDisk();
            KilledDisk disk = new KilledDisk(fake, sync);
            work(disk);
            killed = disk.isKilled();
            Map<String, Integer> served = answers(fake);
            fake.crash(new Random(seed));
            assertThat(answers(fake))
                    .as("killed at sync %d, seed %d", sync, seed)
                    .isEqualTo(served);
        }
        return killed;
    }

    private static void work(KilledDisk disk) throws Exception {
        try (TimelineFixture fixture = new TimelineFixture(disk)) {
            Timeline root = fixture.createRoot(1, 7);
            write(root, START.plus(0x100).value(), 1, 8);
            root.flush();
            Timeline branch = fixture.branches.create(
                    id(2), id(1).timelineId(), Optional.of(START.plus(0x100)), Duration.ofSeconds(1));
            write(branch, START.plus(0x200).value(), 2, 9);
            branch.flush();
            fixture.registry.delete(id(2));
        } catch (IOException | BranchException e) {
            if (!disk.isKilled()) {
                throw e;
            }
        }
    }

    /** Every page of every timeline, with its durable end. */
    private static Map<String, Integer> answers(Disk disk) throws Exception {
        Map<String, Integer> answers = new TreeMap<>();
        try (TimelineFixture fixture = new TimelineFixture(disk)) {
            assertThat(fixture.registry.broken()).isEmpty();
            for (int number = 1; number <= 2; number++) {
                if (fixture.registry.find(id(number)).isEmpty()) {
                    continue;
                }
                Timeline timeline = fixture.timeline(number);
                Lsn end = timeline.store().diskConsistentLsn();
                for (int block = 0; block < TimelineFixture.BLOCKS; block++) {
                    answers.put(number + "/" + block + "@" + end, read(timeline, block, timeline.lastRecordLsn()));
                }
            }
        }
        return answers;
    }

    /** Ends at a sync of a directory: neither that nor anything after it is done. */
    private static final class KilledDisk extends ForwardingDisk {
        private int left;

        KilledDisk(Disk disk, int sync) {
            super(disk);
            this.left = sync;
        }

        synchronized boolean isKilled() {
            return left <= 0;
        }

        private synchronized void requireLife() throws IOException {
            if (isKilled()) {
                throw new IOException("killed");
            }
        }

        @Override
        public synchronized void syncDirectory(Path directory) throws IOException {
            left--;
            requireLife();
            super.syncDirectory(directory);
        }

        @Override
        public DurableFile open(Path file, Mode mode) throws IOException {
            requireLife();
            return super.open(file, mode);
        }

        @Override
        public void createDirectory(Path directory) throws IOException {
            requireLife();
            super.createDirectory(directory);
        }

        @Override
        public void rename(Path from, Path to) throws IOException {
            requireLife();
            super.rename(from, to);
        }

        @Override
        public void delete(Path path) throws IOException {
            requireLife();
            super.delete(path);
        }
    }
}
