package io.tidemark.cli.page;

import io.tidemark.cli.TokenFile;
import io.tidemark.wire.client.ConnectionUri;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.Console;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** {@code tidemark timeline import}: a PostgreSQL that runs becomes a timeline, and goes on running. */
@Command(
        name = "import",
        mixinStandardHelpOptions = true,
        description =
                "Make a timeline of a PostgreSQL that runs: copy its data while it goes on, and wait until it is readable.",
        footer = {
            "",
            "First start a shim beside the server, with the same ids: it brings the WAL to the safekeepers from which the",
            "pageserver takes it. Then import. The server is not changed; one replication slot is used while it is copied.",
            "The pageserver connects to the server, so the address has to be one that it can reach.",
            "Exit codes: 0 the timeline can be read, 1 it failed, 2 wrong command line."
        })
@SuppressWarnings("NullAway.Init") // picocli sets the fields
final class TimelineImportCommand extends Inspection {
    private static final Duration POLL = Duration.ofMillis(500);
    private static final int MEGABYTE = 1 << 20;

    @Mixin
    private PageserverFlags pageserver;

    @Mixin
    private TimelineFlags timeline;

    @Option(
            names = "--from",
            paramLabel = "URL",
            required = true,
            description =
                    "postgres://user[:password]@host:port/[?sslmode=disable|prefer|require]; a role that may replicate.")
    private String from;

    @Option(names = "--password-file", paramLabel = "FILE", description = "The first line is the password.")
    private @Nullable Path passwordFile;

    @Option(
            names = "--wait",
            paramLabel = "SECONDS",
            defaultValue = "120",
            description = "How long to wait for the WAL after the copy (default: ${DEFAULT-VALUE}).")
    private long waitSeconds;

    @Option(names = "--progress", description = "Say how far it is also where the output is no terminal.")
    private boolean progress;

    @Option(names = "--json", description = "Print the timeline as JSON in the end.")
    private boolean json;

    @Override
    int run(PrintWriter out) throws IOException, InterruptedException {
        TenantTimelineId id = timeline.id();
        ConnectionUri server = ConnectionUri.parse(from);
        ObjectNode body = JsonNodeFactory.instance
                .objectNode()
                .put("new_timeline_id", id.timelineId().toString());
        ObjectNode how = body.putObject("import_pgdata")
                .putObject("location")
                .putObject("Postgres")
                .put("url", from);
        TokenFile.read(passwordFile).ifPresent(password -> how.put("password", password));
        try (PageserverHttp http = pageserver.connect()) {
            FutureTask<JsonNode> copy =
                    inBackground(() -> http.send("POST", "/v1/tenant/" + id.tenantId() + "/timeline", body.toString()));
            while (!isDone(copy)) {
                tell(server + ": " + copied(http, id) / MEGABYTE + " MB copied");
            }
            JsonNode made = result(copy);
            Lsn readable = Lsn.parse(made.path("min_readable_lsn").asString(""));
            tell("copied; waiting for WAL up to " + readable);
            JsonNode info = awaitWal(http, id, readable);
            out.println(json ? text(info) : "timeline " + id + " is made; it can be read from " + readable + " on");
        }
        return 0;
    }

    private static FutureTask<JsonNode> inBackground(Callable<JsonNode> work) {
        FutureTask<JsonNode> task = new FutureTask<>(work);
        Thread.ofVirtual().name("import").start(task);
        return task;
    }

    private static boolean isDone(FutureTask<JsonNode> task) throws InterruptedException {
        try {
            task.get(POLL.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            return true; // result() tells
        }
    }

    private static JsonNode result(FutureTask<JsonNode> task) throws IOException, InterruptedException {
        try {
            return task.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            throw new IOException(e.getCause());
        }
    }

    private static long copied(PageserverHttp http, TenantTimelineId id) throws InterruptedException {
        try {
            return http.get(PageserverHttp.path(id) + "/import")
                    .path("copied_bytes")
                    .asLong(0);
        } catch (IOException notYetOrNoMore) {
            return 0;
        }
    }

    private JsonNode awaitWal(PageserverHttp http, TenantTimelineId id, Lsn readable)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + Duration.ofSeconds(waitSeconds).toNanos();
        while (true) {
            JsonNode info = http.get(PageserverHttp.path(id));
            Lsn last = Lsn.parse(info.path("last_record_lsn").asString(""));
            if (last.isAtLeast(readable)) {
                return info;
            }
            if (System.nanoTime() > deadline) {
                throw new IOException("the data is copied, but its WAL has come up to " + last + " only, and "
                        + readable
                        + " is needed (" + info.path("walreceiver_status").asString("")
                        + "): the safekeepers need the WAL"
                        + " from " + info.path("initdb_lsn").asString("") + " on, which a shim beside the server brings"
                        + " them; it has to have streamed before the import");
            }
            tell("WAL up to " + last + " of " + readable);
            Thread.sleep(POLL);
        }
    }

    // The JDK still documents null, where an embedder has removed the console.
    @SuppressWarnings("SystemConsoleNull")
    private void tell(String text) {
        Console console = System.console();
        if (console != null && console.isTerminal()) {
            err().print("\r" + text + "\u001b[K");
        } else if (progress) {
            err().println(text);
        }
        err().flush();
    }
}
