package io.tidemark.cli.compute;

import io.tidemark.cli.follow.ImportListener;
import java.io.Console;
import java.io.PrintWriter;
import java.time.Duration;

/** How far an import is: a bar where there is a terminal, else a line now and then. */
final class CopyProgressBar implements ImportListener, AutoCloseable {
    private static final long LINE_EVERY_NANOS = Duration.ofSeconds(10).toNanos();
    private static final int WIDTH = 30;
    private static final int PERCENT = 100;

    private final PrintWriter out;
    private final boolean isTerminal;
    private long lineAt;
    private boolean drawn;

    CopyProgressBar(PrintWriter out) {
        this(out, isTerminal());
    }

    CopyProgressBar(PrintWriter out, boolean isTerminal) {
        this.out = out;
        this.isTerminal = isTerminal;
        this.lineAt = System.nanoTime() - LINE_EVERY_NANOS;
    }

    // The JDK still documents null, where an embedder has removed the console.
    @SuppressWarnings("SystemConsoleNull")
    private static boolean isTerminal() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }

    @Override
    public void phase(String text) {
        show(text);
    }

    @Override
    public void copied(long copiedBytes, long totalBytes) {
        show(text(copiedBytes, totalBytes));
    }

    /** {@code [####......]  40%  12 of 30 MB}; the estimate may be too low. */
    static String text(long copiedBytes, long totalBytes) {
        if (totalBytes <= 0) {
            return (copiedBytes >> 20) + " MB copied";
        }
        double share = Math.min(1, (double) copiedBytes / totalBytes);
        int full = (int) (share * WIDTH);
        return "[" + "#".repeat(full) + ".".repeat(WIDTH - full) + "] " + (int) (share * PERCENT) + "%  "
                + (copiedBytes >> 20) + " of " + (Math.max(copiedBytes, totalBytes) >> 20) + " MB copied";
    }

    private void show(String text) {
        if (isTerminal) {
            out.print("\r" + text + "\u001b[K");
            drawn = true;
        } else if (System.nanoTime() - lineAt >= LINE_EVERY_NANOS) {
            lineAt = System.nanoTime();
            out.println(text);
        }
        out.flush();
    }

    /** Leaves the line to whoever prints next. */
    @Override
    public void close() {
        if (drawn) {
            drawn = false;
            out.print("\r\u001b[K");
            out.flush();
        }
    }
}
