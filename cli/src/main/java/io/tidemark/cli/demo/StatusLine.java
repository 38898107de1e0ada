package io.tidemark.cli.demo;

import java.io.Console;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A line that is shown again and again. On a terminal it keeps the last row for itself, above which everything else scrolls;
 * elsewhere it is printed as an ordinary line when it has changed, and not too often.
 */
final class StatusLine implements AutoCloseable {
    private static final String ESCAPE = "\u001b";
    private static final Duration PLAIN_INTERVAL = Duration.ofSeconds(2);
    private static final long STTY_SECONDS = 2;

    /** Rows and columns of a terminal. */
    private record Size(int rows, int columns) {}

    private final PrintWriter out;
    private final Optional<Size> terminal;
    private String lastPlain = "";
    private long lastPlainNanos;

    private StatusLine(PrintWriter out, Optional<Size> terminal) {
        this.out = out;
        this.terminal = terminal;
        this.lastPlainNanos = System.nanoTime() - PLAIN_INTERVAL.toNanos();
        terminal.ifPresent(size -> {
            // Make room below the cursor, then let only the rows above the last one scroll.
            out.print("\n" + ESCAPE + "[A" + ESCAPE + "7" + ESCAPE + "[1;" + (size.rows() - 1) + "r" + ESCAPE + "8");
            out.flush();
        });
    }

    static StatusLine open(PrintWriter out) {
        return new StatusLine(out, isTerminal() ? size() : Optional.empty());
    }

    // Whether there is a console without a terminal depends on the JDK: 22 to 24 had one, 25 answers null again.
    @SuppressWarnings("SystemConsoleNull")
    private static boolean isTerminal() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }

    private static Optional<Size> size() {
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(ProcessBuilder.Redirect.INHERIT)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String answer = new String(stty.getInputStream().readNBytes(64), StandardCharsets.US_ASCII).strip();
            if (!stty.waitFor(STTY_SECONDS, TimeUnit.SECONDS) || !answer.matches("\\d+ \\d+")) {
                return Optional.empty();
            }
            String[] words = answer.split(" ", -1);
            Size size = new Size(Integer.parseInt(words[0]), Integer.parseInt(words[1]));
            return size.rows() > 2 && size.columns() > 10 ? Optional.of(size) : Optional.empty();
        } catch (IOException noStty) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    void show(String text) {
        if (terminal.isPresent()) {
            Size size = terminal.get();
            String shown = text.length() < size.columns() ? text : text.substring(0, size.columns() - 1);
            out.print(ESCAPE + "7" + ESCAPE + "[" + size.rows() + ";1H" + ESCAPE + "[2K" + ESCAPE + "[7m" + shown
                    + ESCAPE + "[0m" + ESCAPE + "8");
            out.flush();
        } else if (!text.equals(lastPlain) && System.nanoTime() - lastPlainNanos >= PLAIN_INTERVAL.toNanos()) {
            lastPlain = text;
            lastPlainNanos = System.nanoTime();
            out.println(text);
            out.flush();
        }
    }

    /** Gives the last row back. */
    @Override
    public void close() {
        terminal.ifPresent(size -> {
            out.print(
                    ESCAPE + "7" + ESCAPE + "[r" + ESCAPE + "[" + size.rows() + ";1H" + ESCAPE + "[2K" + ESCAPE + "8");
            out.flush();
        });
    }
}
