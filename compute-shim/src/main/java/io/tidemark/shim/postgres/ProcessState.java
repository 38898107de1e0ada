package io.tidemark.shim.postgres;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether a process still does anything, as the kernel sees it. */
final class ProcessState {
    /** How a line of /proc/PID/stat goes on after the program's name, of a process that has ended. */
    private static final String ZOMBIE = ") Z";

    private ProcessState() {}

    /**
     * Whether a process runs no more. A killed postmaster or child of it can be nobody's until process 1 collects it, which can take long, and in
     * a container without an init for ever; it has no files and sockets any more, and Java calls it alive.
     */
    static boolean hasEnded(ProcessHandle process) {
        if (!process.isAlive()) {
            return true;
        }
        try {
            String stat = Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"));
            return stat.startsWith(ZOMBIE, stat.lastIndexOf(')'));
        } catch (IOException gone) {
            return !process.isAlive();
        }
    }
}
