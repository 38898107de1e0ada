package io.tidemark.it.auth;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** PostgreSQL's own client: what people will come with. */
final class Psql {
    private static final Path PROGRAM = Path.of("/usr/lib/postgresql/15/bin/psql");

    private Psql() {}

    /** What it said, and whether it was content. */
    record Answer(int exitCode, String text) {}

    static boolean isInstalled() {
        return Files.isExecutable(PROGRAM);
    }

    /** Asks one question; the password comes by PGPASSWORD, an empty one means that there is none. */
    static Answer ask(int port, String password, String options, String question) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(List.of(
                        PROGRAM.toString(),
                        "-X",
                        "-w",
                        "-At",
                        "-h",
                        "127.0.0.1",
                        "-p",
                        Integer.toString(port),
                        "-U",
                        "somebody",
                        "-d",
                        "postgres",
                        "-c",
                        question))
                .redirectErrorStream(true);
        Map<String, String> environment = builder.environment();
        environment.remove("PGPASSWORD");
        if (!password.isEmpty()) {
            environment.put("PGPASSWORD", password);
        }
        environment.put("PGOPTIONS", options);
        environment.put("HOME", "/nonexistent");
        Process process = builder.start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("psql does not end: " + text);
        }
        return new Answer(process.exitValue(), text.strip());
    }
}
