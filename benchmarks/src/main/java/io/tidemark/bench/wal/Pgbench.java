package io.tidemark.bench.wal;

import io.tidemark.bench.harness.Program;
import io.tidemark.shim.postgres.PostgresServer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Runs pgbench against a server of ours, as the superuser, on the database {@code postgres}. */
public final class Pgbench {
    private static final Pattern TPS = Pattern.compile("tps = ([0-9.]+) \\(without initial connection time\\)");
    private static final Pattern LATENCY = Pattern.compile("latency average = ([0-9.]+) ms");
    private static final Pattern FAILED = Pattern.compile("number of failed transactions: ([0-9]+)");
    private static final Duration DEADLINE = Duration.ofMinutes(30);

    private final String program;
    private final PostgresServer server;

    /** @param program the path of pgbench */
    public Pgbench(String program, PostgresServer server) {
        this.program = program;
        this.server = server;
    }

    /** A run's throughput in transactions per second, and the mean latency of a transaction in milliseconds. */
    public record Result(double tps, double latencyMillis) {}

    /** Makes pgbench's tables: 100000 accounts, about 15 MB, per unit of scale. */
    public void initialize(int scale) throws IOException, InterruptedException {
        run(List.of("--initialize", "--quiet", "--scale=" + scale));
    }

    /** The same without a vacuum: rows come frozen from COPY. For a server with {@code wal_level=minimal} little of it is WAL. */
    public void load(int scale) throws IOException, InterruptedException {
        run(List.of("--initialize", "--quiet", "--init-steps=dtgp", "--scale=" + scale));
    }

    /** The TPC-B-like transaction for some seconds; pgbench itself vacuums nothing before. */
    public Result runFor(int clients, int seconds) throws IOException, InterruptedException {
        return result(run(List.of("--no-vacuum", "--client=" + clients, "--jobs=1", "--time=" + seconds)));
    }

    /** One SELECT by primary key per transaction, for some seconds. */
    public Result selectFor(int clients, int seconds) throws IOException, InterruptedException {
        return result(
                run(List.of("--select-only", "--no-vacuum", "--client=" + clients, "--jobs=1", "--time=" + seconds)));
    }

    /** The TPC-B-like transaction so many times in each client. */
    public Result runTimes(int clients, int transactions) throws IOException, InterruptedException {
        return result(run(List.of("--no-vacuum", "--client=" + clients, "--jobs=1", "--transactions=" + transactions)));
    }

    private String run(List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(program);
        command.addAll(List.of("--host=" + server.host(), "--port=" + server.port(), "--username=postgres"));
        command.addAll(arguments);
        command.add("postgres");
        return Program.run(command, DEADLINE).output();
    }

    static Result result(String output) throws IOException {
        Matcher failed = FAILED.matcher(output);
        if (failed.find() && Long.parseLong(failed.group(1)) > 0) {
            throw new IOException("pgbench had failed transactions: " + output);
        }
        return new Result(number(TPS, output), number(LATENCY, output));
    }

    private static double number(Pattern pattern, String output) throws IOException {
        Matcher matcher = pattern.matcher(output);
        if (!matcher.find()) {
            throw new IOException("no " + pattern + " in what pgbench printed: " + output);
        }
        return Double.parseDouble(matcher.group(1));
    }
}
