package io.tidemark.cli.page;

import io.tidemark.cli.Terminal;
import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/** {@code tidemark keys}: what a timeline has at an LSN. */
@Command(
        name = "keys",
        mixinStandardHelpOptions = true,
        description =
                "Show which keys a timeline has at an LSN, as ranges: relations with their blocks, SLRUs and so on.",
        footer = {"", "Exit codes: 0 shown, 1 there is no such timeline or pageserver, 2 wrong command line."})
@SuppressWarnings("NullAway.Init") // picocli sets the fields
public final class KeysCommand extends Inspection {
    @Mixin
    private PageserverFlags pageserver;

    @Mixin
    private TimelineFlags timeline;

    @Option(names = "--at", paramLabel = "LSN", description = "As of this position (default: the newest).")
    private @Nullable String at;

    @Option(
            names = "--json",
            description = "Print the pageserver's JSON: pairs of the first key and the one behind the last.")
    private boolean json;

    @Override
    int run(PrintWriter out) throws IOException, InterruptedException {
        String query = at == null ? "" : "?at_lsn=" + Lsn.parse(at);
        String path = PageserverHttp.path(timeline.id()) + "/keyspace" + query;
        JsonNode answer;
        try (PageserverHttp http = pageserver.connect()) {
            answer = http.get(path);
        }
        if (json) {
            out.println(text(answer));
            return 0;
        }
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("FROM", "KEYS", "WHAT"));
        for (JsonNode range : answer.path("keys")) {
            Key start = Key.parse(range.path(0).asString(""));
            Key end = Key.parse(range.path(1).asString(""));
            rows.add(List.of(start.toString(), count(start, end), Keys.describe(start)));
        }
        out.println("keys at " + answer.path("at_lsn").asString(""));
        Terminal.table(rows).forEach(out::println);
        return 0;
    }

    /** How many keys, where that is a number that means something: blocks of one relation or segment. */
    private static String count(Key start, Key end) {
        long keys = end.low() - start.low();
        return start.high() == end.high() && keys > 0 && keys <= 1L << 32 ? Long.toString(keys) : "many";
    }
}
