package io.tidemark.cli.page;

import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.layer.file.LayerDescriptor;
import io.tidemark.pageserver.layer.file.LayerDump;
import io.tidemark.pageserver.layer.file.LayerKind;
import io.tidemark.runtime.durable.RealDisk;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** {@code tidemark layer dump}: what is in layer files. */
@Command(
        name = "dump",
        mixinStandardHelpOptions = true,
        description = "Show what layer files say of themselves, and with --versions what is in them.",
        footer = {
            "",
            "Every block is read and its checksum checked, so this finds a damaged file, too.",
            "Exit codes: 0 all is well, 1 a file is damaged or can't be read, 2 wrong command line."
        })
@SuppressWarnings("NullAway.Init") // picocli sets the fields
final class LayerDumpCommand extends Inspection {
    @Parameters(paramLabel = "PATH", description = "A layer file, or a directory: then all in and below it.")
    private Path path;

    @Option(names = "--blocks", description = "Each block of the file.")
    private boolean blocks;

    @Option(names = "--versions", description = "Each version: key, LSN, whether it is a base, size.")
    private boolean versions;

    @Option(names = "--json", description = "One JSON object per line.")
    private boolean json;

    @Override
    int run(PrintWriter out) throws IOException {
        List<Path> files = files();
        int damaged = 0;
        for (Path file : files) {
            try {
                dump(file, out);
            } catch (IOException e) {
                damaged++;
                tell(file, e, out);
            }
        }
        return damaged == 0 ? 0 : 1;
    }

    private List<Path> files() throws IOException {
        if (!Files.isDirectory(path)) {
            if (!Files.exists(path)) {
                throw new IOException("there is no " + path);
            }
            return List.of(path);
        }
        try (Stream<Path> below = Files.walk(path)) {
            List<Path> found = below.filter(Files::isRegularFile)
                    .filter(LayerDumpCommand::isLayer)
                    .sorted()
                    .toList();
            if (found.isEmpty()) {
                throw new IOException("there is no layer file in or below " + path);
            }
            return found;
        }
    }

    private static boolean isLayer(Path file) {
        String name = String.valueOf(file.getFileName());
        return Stream.of(LayerKind.values()).anyMatch(kind -> name.endsWith("." + kind.suffix()));
    }

    private void tell(Path file, IOException problem, PrintWriter out) {
        String text = problem.getMessage() == null ? problem.toString() : problem.getMessage();
        if (json) {
            out.println(JsonNodeFactory.instance
                    .objectNode()
                    .put("file", file.toString())
                    .put("problem", text));
        } else {
            out.println(file + ": " + text);
        }
    }

    private void dump(Path file, PrintWriter out) throws IOException {
        Path absolute = file.toAbsolutePath();
        Path directory = absolute.getParent();
        if (directory == null) {
            throw new IOException(file + " is not a file");
        }
        try (LayerDump dump = new LayerDump(new RealDisk(directory), directory.relativize(absolute))) {
            describe(file, dump, out);
            if (blocks) {
                dump.blocks().forEach(block -> describe(block, out));
            }
            dump.versions(KeyRange.ALL, (key, lsn, base, bytes, offset, length) -> {
                if (!versions) {
                    return; // read and checked, that is all
                }
                if (json) {
                    out.println(object("version", Keys.describe(key))
                            .put("key", key.toString())
                            .put("lsn", lsn.toString())
                            .put("base", base)
                            .put("bytes", length));
                } else {
                    out.printf(
                            "  %s at %s: %s of %d bytes%n", Keys.describe(key), lsn, base ? "base" : "record", length);
                }
            });
        }
    }

    private void describe(Path file, LayerDump dump, PrintWriter out) {
        LayerDescriptor layer = dump.layer();
        String kind = layer.kind().name().toLowerCase(Locale.ROOT);
        if (json) {
            out.println(object("layer", file.toString())
                    .put("kind", kind)
                    .put("number", layer.number())
                    .put("start_key", layer.keys().start().toString())
                    .put("end_key", layer.keys().end().toString())
                    .put("start_lsn", layer.startLsn().toString())
                    .put("end_lsn", layer.endLsn().toString())
                    .put("file_bytes", layer.fileBytes())
                    .put("versions", layer.versions())
                    .put("value_bytes", layer.valueBytes())
                    .put("base_bytes", layer.baseBytes())
                    .put("superseded_bytes", layer.supersededBytes())
                    .put("filter_bytes", dump.filterBytes())
                    .put("blocks", dump.blocks().size()));
            return;
        }
        out.println(file);
        out.println("  " + kind + " layer " + layer.number() + ", LSNs " + layer.startLsn() + " to " + layer.endLsn());
        out.println("  keys from " + Keys.describe(layer.keys().start()) + " to before "
                + Keys.describe(layer.keys().end()));
        out.println(
                "  " + layer.versions() + " versions of " + layer.valueBytes() + " bytes (bases " + layer.baseBytes()
                        + ", superseded " + layer.supersededBytes() + ") in "
                        + dump.blocks().size() + " blocks, file of "
                        + layer.fileBytes() + " bytes, key set of " + dump.filterBytes());
    }

    private void describe(LayerDump.BlockRow block, PrintWriter out) {
        if (json) {
            out.println(object("block", Keys.describe(block.firstKey()))
                    .put("number", block.number())
                    .put("first_key", block.firstKey().toString())
                    .put("first_lsn", block.firstLsn().toString())
                    .put("position", block.position())
                    .put("stored_bytes", block.storedBytes())
                    .put("rows_bytes", block.rowsBytes()));
        } else {
            out.printf(
                    "  block %d at %d: %d bytes, %d decompressed, from %s at %s%n",
                    block.number(),
                    block.position(),
                    block.storedBytes(),
                    block.rowsBytes(),
                    Keys.describe(block.firstKey()),
                    block.firstLsn());
        }
    }

    private static ObjectNode object(String what, String name) {
        return JsonNodeFactory.instance.objectNode().put(what, name);
    }
}
