package io.tidemark.bench.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * CPU time of processes, user and system, from {@code /proc/<pid>/stat}; counted by the kernel in ticks of 10 ms, so a turn should
 * use a second or more.
 */
public final class CpuClock {
    private static final int NANOS_PER_TICK = 10_000_000;
    // Fields after the parenthesised program name, which may hold anything; the first of them is the third of proc(5).
    private static final int UTIME = 14 - 3;
    private static final int CHILDREN_UTIME = 16 - 3;

    private CpuClock() {}

    /** One process, all its threads, without children; zero when it is gone. */
    public static Duration ofProcess(long pid) throws IOException {
        return ticks(pid, UTIME);
    }

    /** A process, its descendants, and those of their children that have ended; what is gone whole counts nothing. */
    public static Duration ofTree(long pid) throws IOException {
        List<Long> pids = new ArrayList<>(List.of(pid));
        try (Stream<ProcessHandle> descendants = ProcessHandle.of(pid).stream().flatMap(ProcessHandle::descendants)) {
            descendants.map(ProcessHandle::pid).forEach(pids::add);
        }
        Duration sum = Duration.ZERO;
        for (long each : pids) {
            sum = sum.plus(ticks(each, UTIME)).plus(ticks(each, CHILDREN_UTIME));
        }
        return sum;
    }

    /** The children of this process that have ended, and theirs. */
    public static Duration ofEndedChildren() throws IOException {
        return ticks(ProcessHandle.current().pid(), CHILDREN_UTIME);
    }

    private static Duration ticks(long pid, int firstOfTwo) throws IOException {
        try {
            return parse(Files.readString(Path.of("/proc", Long.toString(pid), "stat")), firstOfTwo);
        } catch (NoSuchFileException gone) {
            return Duration.ZERO;
        } catch (IOException e) {
            // ESRCH, when it goes away between open and read.
            if (ProcessHandle.of(pid).isEmpty()) {
                return Duration.ZERO;
            }
            throw e;
        }
    }

    static Duration parse(String stat, int firstOfTwo) {
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        long ticks = Long.parseLong(fields[firstOfTwo]) + Long.parseLong(fields[firstOfTwo + 1]);
        return Duration.ofNanos(ticks * NANOS_PER_TICK);
    }
}
