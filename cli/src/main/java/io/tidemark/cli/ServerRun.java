package io.tidemark.cli;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Model.CommandSpec;

/** How a command runs a server in this process: started or refused with a sentence, then until it is told to stop. */
final class ServerRun {
    private ServerRun() {}

    /** Starts the server. */
    @FunctionalInterface
    interface Start {
        AutoCloseable start() throws IOException;
    }

    /** Returns the exit code of a server that could not start, and never else. */
    static int until(CommandSpec command, LogFormat logFormat, Start start) throws InterruptedException {
        AutoCloseable server;
        try {
            logFormat.configure();
            server = start.start();
        } catch (IOException e) {
            command.commandLine().getErr().println("tidemark " + command.name() + ": " + text(e));
            return 1;
        }
        stopOnSignal(server);
        new CountDownLatch(1).await();
        return 0;
    }

    private static String text(IOException e) {
        Throwable cause = e.getCause();
        String reason = cause == null || cause.getMessage() == null ? "" : " (" + cause.getMessage() + ")";
        return e.getMessage() + reason;
    }

    // The JVM would end with 143 after its hooks; being told to stop is not an error.
    private static void stopOnSignal(AutoCloseable server) {
        Runtime.getRuntime()
                .addShutdownHook(Thread.ofPlatform().name("shutdown").unstarted(() -> {
                    int exitCode = 0;
                    try {
                        server.close();
                    } catch (Exception e) {
                        exitCode = 1;
                    }
                    Runtime.getRuntime().halt(exitCode);
                }));
    }
}
