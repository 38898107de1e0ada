package io.tidemark.pageserver.http;

import io.tidemark.pageserver.timeline.BaseDataImports;
import io.tidemark.pageserver.timeline.BranchException;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.pageserver.timeline.TimelineBranches;
import io.tidemark.runtime.http.HttpError;
import io.tidemark.runtime.http.HttpReply;
import io.tidemark.runtime.http.HttpRequestView;
import io.tidemark.wire.client.ConnectionUri;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * Makes timelines. The body says of what:
 *
 * <pre>
 *   new_timeline_id, ancestor_timeline_id [, ancestor_start_lsn]     a branch (Neon's branch mode)
 *   new_timeline_id, import_pgdata.location.LocalFs.path             the data directory of a server that was shut down (import mode)
 *   new_timeline_id, import_pgdata.location.Postgres.url             a server that runs: postgres://user[:password]@host:port/ (ours);
 *                                                                  a password may also stand beside url, as password
 * </pre>
 *
 * <p>An import is answered when it is done.
 */
public final class TimelineCreation {
    private final BaseDataImports imports;
    private final TimelineBranches branches;
    private final Duration waitLsnTimeout;

    /** {@code waitLsnTimeout}: how long a branch waits for its ancestor to have ingested the WAL up to it. */
    public TimelineCreation(BaseDataImports imports, TimelineBranches branches, Duration waitLsnTimeout) {
        this.imports = imports;
        this.branches = branches;
        this.waitLsnTimeout = waitLsnTimeout;
    }

    HttpReply create(TenantId tenant, HttpRequestView request) {
        JsonNode body = request.json();
        TimelineId timelineId = TimelinePath.parse(
                "new_timeline_id", body.path("new_timeline_id").asString(""), TimelineId::parse);
        TenantTimelineId id = new TenantTimelineId(tenant, timelineId);
        try {
            Timeline made = body.hasNonNull("ancestor_timeline_id") ? branch(id, body) : imported(id, request);
            return new HttpReply(201, HttpReply.JSON, TimelineInfo.of(made).toString());
        } catch (IOException e) {
            throw new HttpError(500, String.valueOf(e.getMessage()));
        }
    }

    private Timeline branch(TenantTimelineId id, JsonNode body) throws IOException {
        TimelineId ancestor = TimelinePath.parse(
                "ancestor_timeline_id", body.path("ancestor_timeline_id").asString(""), TimelineId::parse);
        Optional<Lsn> at = body.hasNonNull("ancestor_start_lsn")
                ? Optional.of(TimelinePath.parse(
                        "ancestor_start_lsn", body.path("ancestor_start_lsn").asString(""), Lsn::parse))
                : Optional.empty();
        try {
            return branches.create(id, ancestor, at, waitLsnTimeout);
        } catch (BranchException e) {
            int status = switch (e.kind()) {
                // Neon answers 500: 404 would mean the tenant to the storage controller.
                case NO_ANCESTOR, TOO_MANY_ANCESTORS -> 500;
                case UNACCEPTABLE_LSN -> 406;
                case CONFLICT -> 409;
                case BUSY -> 429;
            };
            throw new HttpError(status, e.text());
        }
    }

    private Timeline imported(TenantTimelineId id, HttpRequestView request) throws IOException {
        JsonNode location = request.json().path("import_pgdata").path("location");
        String path = location.path("LocalFs").path("path").asString("");
        String url = location.path("Postgres").path("url").asString("");
        if (path.isEmpty() == url.isEmpty()) {
            throw HttpError.badRequest("the body needs ancestor_timeline_id, to make a branch, or"
                    + " import_pgdata.location.LocalFs.path, the data directory, on this machine, of a PostgreSQL that was"
                    + " shut down, or import_pgdata.location.Postgres.url, one that runs");
        }
        // It is this machine's file system and network, not the tenant's.
        request.requireEverything();
        try {
            return url.isEmpty()
                    ? imports.dataDirectory(id, Path.of(path))
                    : imports.runningServer(id, server(url, location.path("Postgres")));
        } catch (IllegalStateException e) {
            throw new HttpError(409, String.valueOf(e.getMessage()));
        } catch (IllegalArgumentException e) {
            throw HttpError.badRequest(String.valueOf(e.getMessage()));
        }
    }

    private static PgClientConfig server(String url, JsonNode how) {
        PgClientConfig server = ConnectionUri.parse(url).config();
        return how.hasNonNull("password")
                ? server.withPassword(how.path("password").asString(""))
                : server;
    }

    /** How far the copy of a running server is: {@code {"copied_bytes": N, "total_bytes": M}}; 404 when none is going on. */
    HttpReply progress(TenantTimelineId id) {
        BaseDataImports.Progress progress = imports.progress(id)
                .orElseThrow(() -> HttpError.notFound("no server is being copied for timeline " + id));
        return HttpReply.json(PageserverApi.object()
                .put("copied_bytes", progress.copiedBytes())
                .put("total_bytes", progress.totalBytes()));
    }
}
