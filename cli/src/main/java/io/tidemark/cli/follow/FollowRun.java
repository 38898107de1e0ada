package io.tidemark.cli.follow;

import io.tidemark.cli.storage.Branch;
import io.tidemark.cli.storage.FollowStatus;
import io.tidemark.cli.storage.FollowedSource;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.shim.compute.PostgresKeeper;
import io.tidemark.shim.compute.Shim;
import io.tidemark.shim.compute.ShimConfig;
import io.tidemark.shim.compute.ShimState;
import io.tidemark.shim.compute.ShimStatus;
import io.tidemark.shim.libpq.Questions;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the WAL of a server to the safekeepers, in this process, until it is told to stop. The server does not wait for it. Says how it is in
 * {@link FollowStatus}.
 */
public final class FollowRun {
    private static final Logger log = LoggerFactory.getLogger(FollowRun.class);
    private static final long SAY_MILLIS = 250;
    private static final long ASK_MILLIS = 1_000;
    private static final long ASK_AGAIN_MILLIS = 5_000;

    private final Path importDir;
    private final FollowedSource source;
    private final ShimConfig config;
    private final Object lock = new Object();
    private @Nullable Shim current;
    private boolean stopped;
    private volatile Lsn sourceLsn = Lsn.INVALID;

    /** One that has not begun. */
    public FollowRun(StorageDirectory directory, Branch branch, FollowedSource source) {
        this.importDir = directory.layout().importDir(branch.name());
        this.source = source;
        this.config = ShimConfig.of(
                        source.address(),
                        SafekeeperAddress.parseList(directory.config().safekeeperList()),
                        new TenantTimelineId(directory.config().tenantId(), branch.timelineId()))
                .following(source.slot(), Imports.APPLICATION_NAME);
    }

    /** Follows until the shim has ended: stopped, refused, or fenced by a compute of the branch. */
    public ShimState run() throws InterruptedException {
        Shim shim = Shim.start(config, PostgresKeeper.NONE);
        synchronized (lock) {
            current = shim;
            if (stopped) {
                shim.close();
            }
        }
        Thread watch = Thread.ofVirtual().name("import-watch").start(this::watch);
        try {
            while (true) {
                try {
                    ShimStatus last = shim.finished().get(SAY_MILLIS, TimeUnit.MILLISECONDS);
                    say(last);
                    return last.state();
                } catch (TimeoutException goesOn) {
                    say(shim.status());
                } catch (ExecutionException e) {
                    log.error("the shim failed", e.getCause());
                    return ShimState.REFUSED;
                }
            }
        } finally {
            watch.interrupt();
        }
    }

    /** Ends it; from another thread. */
    public void stop() {
        synchronized (lock) {
            stopped = true;
            if (current != null) {
                current.close();
            }
        }
    }

    /** Asks the server how far it is, for those who want to know how far we are behind. */
    private void watch() {
        try (SourceProbe probe = new SourceProbe(source.address())) {
            while (true) {
                try (Questions questions = probe.watch()) {
                    while (true) {
                        sourceLsn = SourceProbe.flushLsn(questions);
                        TimeUnit.MILLISECONDS.sleep(ASK_MILLIS);
                    }
                } catch (IOException e) {
                    log.debug("the server is not asked for its flush_lsn: {}", e.getMessage());
                    TimeUnit.MILLISECONDS.sleep(ASK_AGAIN_MILLIS);
                }
            }
        } catch (InterruptedException over) {
            Thread.currentThread().interrupt();
        }
    }

    private void say(ShimStatus status) {
        try {
            new FollowStatus(
                            status.state().name().toLowerCase(Locale.ROOT),
                            ProcessHandle.current().pid(),
                            sourceLsn.max(status.sourceLsn()).toString(),
                            status.commitLsn().toString(),
                            status.problem())
                    .write(importDir);
        } catch (IOException e) {
            log.warn("could not say how far it is: {}", e.toString());
        }
    }
}
