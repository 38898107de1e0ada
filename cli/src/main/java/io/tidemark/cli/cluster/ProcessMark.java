package io.tidemark.cli.cluster;

import java.time.Instant;
import java.util.Optional;

/**
 * A process in a file: {@code PID START}, the start in milliseconds, so that a process id that was given to another program since is not
 * taken for it.
 *
 * @param startMillis 0 where it is not known
 */
public record ProcessMark(long pid, long startMillis) {
    public static ProcessMark of(ProcessHandle process) {
        return new ProcessMark(process.pid(), startMillis(process));
    }

    private static long startMillis(ProcessHandle process) {
        return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
    }

    /** Empty for what is no mark. */
    public static Optional<ProcessMark> parse(String text) {
        String[] words = text.strip().split(" ", -1);
        try {
            return Optional.of(
                    new ProcessMark(Long.parseLong(words[0]), words.length > 1 ? Long.parseLong(words[1]) : 0));
        } catch (NumberFormatException damaged) {
            return Optional.empty();
        }
    }

    /** The process, when it is alive. */
    public Optional<ProcessHandle> process() {
        return ProcessHandle.of(pid)
                .filter(ProcessHandle::isAlive)
                .filter(handle -> startMillis == 0 || startMillis(handle) == startMillis);
    }

    /** What {@link #parse} reads. */
    @Override
    public String toString() {
        return pid + " " + startMillis;
    }
}
