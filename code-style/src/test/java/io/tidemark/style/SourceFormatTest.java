package io.tidemark.style;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.palantir.javaformat.java.Formatter;
import com.palantir.javaformat.java.FormatterException;
import com.palantir.javaformat.java.ImportOrderer;
import com.palantir.javaformat.java.JavaFormatterOptions;
import com.palantir.javaformat.java.RemoveUnusedImports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Every Java file of the project is formatted as palantir-java-format would. It runs as a test, and not in a Maven
 * plugin, because a plugin parses with the javac of the JVM Maven runs on, which may be older than our source level.
 *
 * <p>{@code mvn -q -pl code-style test -Dformat=apply} rewrites the files instead of failing.
 */
class SourceFormatTest {
    private static final JavaFormatterOptions OPTIONS = JavaFormatterOptions.builder()
            .style(JavaFormatterOptions.Style.PALANTIR)
            .formatJavadoc(false)
            .build();

    @Test
    void everySourceFileIsFormatted() throws Exception {
        boolean apply = "apply".equals(System.getProperty("format"));
        Path root = Path.of("..").toAbsolutePath().normalize();
        Formatter formatter = Formatter.createFormatter(OPTIONS);
        List<Path> files = sourceFiles(root);
        List<String> unformatted = new ArrayList<>();
        for (Path file : files) {
            String before = Files.readString(file, UTF_8);
            String after = format(formatter, file, before);
            if (!after.equals(before)) {
                if (apply) {
                    Files.writeString(file, after, UTF_8);
                } else {
                    unformatted.add(root.relativize(file).toString());
                }
            }
        }
        assertThat(files).as("source files found below %s", root).isNotEmpty();
        assertThat(unformatted)
                .as("unformatted files; run: mvn -q -pl code-style test -Dformat=apply")
                .isEmpty();
    }

    private static String format(Formatter formatter, Path file, String source) {
        try {
            String body = RemoveUnusedImports.removeUnusedImports(source);
            return formatter.formatSource(ImportOrderer.reorderImports(body, JavaFormatterOptions.Style.PALANTIR));
        } catch (FormatterException e) {
            throw new AssertionError(file + ": " + e.getMessage(), e);
        }
    }

    private static List<Path> sourceFiles(Path root) throws IOException {
        try (Stream<Path> walk = Files.walk(root)) {
            return walk.filter(f -> f.toString().endsWith(".java"))
                    .filter(f -> !root.relativize(f).toString().contains("target/"))
                    .sorted()
                    .toList();
        }
    }
}
