package io.tidemark.cli.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemark.cli.TidemarkCommand;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The command line of another tidemark process: this JVM and class path, and the flags that the launcher would give it. */
public final class JvmCommand {
    /** System property: an AOT cache that fits this class path; the launcher sets it. */
    private static final String AOT_CACHE_PROPERTY = "tidemark.aot.cache";

    private JvmCommand() {}

    /** The command line of {@code tidemark subcommand arguments}. */
    public static List<String> of(String subcommand, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags("all"));
        command.addAll(flags(subcommand));
        String cache = System.getProperty(AOT_CACHE_PROPERTY);
        if (cache != null) {
            command.addAll(List.of("-XX:AOTCache=" + cache, "-Xlog:aot=off", "-Xlog:cds=off"));
        }
        command.addAll(
                List.of("-cp", System.getProperty("java.class.path"), TidemarkCommand.class.getName(), subcommand));
        command.addAll(arguments);
        return command;
    }

    /** The launcher's flag file of a subcommand: one flag per line, # starts a comment; none when there is no file. */
    private static List<String> flags(String subcommand) throws IOException {
        try (InputStream file = JvmCommand.class.getResourceAsStream("/launcher/" + subcommand + ".jvmopts")) {
            if (file == null) {
                return List.of();
            }
            return new String(file.readAllBytes(), UTF_8)
                    .lines()
                    .map(line -> line.replaceFirst("#.*", "").strip())
                    .filter(line -> !line.isEmpty())
                    .toList();
        }
    }
}
