package io.tidemark.cli.page;

import io.tidemark.pageserver.verify.PageFields;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** {@code tidemark page get}: one page as it was at an LSN. */
@Command(
        name = "get",
        mixinStandardHelpOptions = true,
        description = "Show a page as it was at an LSN: its fields, or its bytes.",
        footer = {"", "Exit codes: 0 shown, 1 there is no such page or pageserver, 2 wrong command line."})
@SuppressWarnings("NullAway.Init") // picocli sets the fields
final class PageGetCommand extends Inspection {
    private static final int BYTES_PER_LINE = 16;

    @Mixin
    private PageSource source;

    @Option(names = "--at", paramLabel = "LSN", description = "As of this position (default: the newest).")
    private @Nullable String at;

    @ArgGroup
    private @Nullable Form form;

    /** How it is shown. */
    private static final class Form {
        @Option(names = "--fields", description = "What PostgreSQL's structs on it say (the default).")
        @SuppressWarnings("UnusedVariable") // it is there to exclude the others
        private boolean fields;

        @Option(names = "--hex", description = "All bytes, 16 per line; lines that repeat the one before are left out.")
        private boolean hex;

        @Option(names = "--json", description = "One JSON object: fields, and the bytes in hex.")
        private boolean json;
    }

    @Override
    int run(PrintWriter out) throws IOException, InterruptedException {
        Lsn lsn = at == null ? Lsn.INVALID : Lsn.parse(at);
        byte[] page = source.page(lsn);
        if (form != null && form.json) {
            out.println(text(json(page, lsn)));
        } else if (form != null && form.hex) {
            hex(page, out);
        } else {
            out.println("relation " + source.relation() + " block " + Integer.toUnsignedString(source.block())
                    + (lsn.isValid() ? " at " + lsn : "") + ": " + PageFields.kind(page));
            PageFields.of(page).forEach(field -> out.println("  " + field));
        }
        return 0;
    }

    private ObjectNode json(byte[] page, Lsn lsn) {
        ObjectNode node = JsonNodeFactory.instance
                .objectNode()
                .put("relation", source.relation())
                .put("block", Integer.toUnsignedLong(source.block()))
                .put("at_lsn", lsn.isValid() ? lsn.toString() : null)
                .put("kind", PageFields.kind(page));
        ArrayNode fields = node.putArray("fields");
        for (PageFields.Field field : PageFields.of(page)) {
            fields.addObject()
                    .put("where", field.where())
                    .put("name", field.name())
                    .put("value", field.value());
        }
        return node.put("hex", HexFormat.of().formatHex(page));
    }

    /** As {@code hexdump -C} prints it. */
    private static void hex(byte[] page, PrintWriter out) {
        HexFormat bytes = HexFormat.ofDelimiter(" ");
        String last = "";
        boolean starred = false;
        for (int from = 0; from < page.length; from += BYTES_PER_LINE) {
            String line = bytes.formatHex(page, from, from + BYTES_PER_LINE);
            if (line.equals(last)) {
                if (!starred) {
                    out.println("*");
                }
                starred = true;
                continue;
            }
            starred = false;
            last = line;
            out.printf("%08x  %s  |%s|%n", from, line, printable(page, from));
        }
        out.printf("%08x%n", page.length);
    }

    private static String printable(byte[] page, int from) {
        byte[] text = Arrays.copyOfRange(page, from, from + BYTES_PER_LINE);
        for (int i = 0; i < text.length; i++) {
            if (text[i] < ' ' || text[i] > '~') {
                text[i] = '.';
            }
        }
        return new String(text, StandardCharsets.US_ASCII);
    }
}
