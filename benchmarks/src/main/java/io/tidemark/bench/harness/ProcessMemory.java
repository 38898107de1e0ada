package io.tidemark.bench.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * How much memory a process holds, from {@code /proc/<pid>/smaps_rollup}.
 *
 * @param residentBytes RSS: everything mapped and present, shared pages of files included
 * @param anonymousBytes the part of it that is no file's: heap, stacks, code cache, direct memory
 */
public record ProcessMemory(long residentBytes, long anonymousBytes) {
    public static ProcessMemory of(long pid) throws IOException {
        return parse(Files.readString(Path.of("/proc", Long.toString(pid), "smaps_rollup")));
    }

    static ProcessMemory parse(String rollup) {
        return new ProcessMemory(field(rollup, "Rss:"), field(rollup, "Anonymous:"));
    }

    private static long field(String rollup, String name) {
        return rollup.lines()
                .filter(line -> line.startsWith(name))
                .mapToLong(line -> Long.parseLong(
                                line.substring(name.length()).replace("kB", "").strip())
                        * 1024)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no " + name + " in: " + rollup));
    }
}
