package io.tidemark.pageserver.http;

import io.tidemark.pageserver.timeline.BaseDataImports;
import io.tidemark.pageserver.timeline.BranchException;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.pageserver.timeline.TimelineBranches;
import io.tidemark.runtime.http.HttpError;
import io.tidemark.runtime.http.HttpReply;
import io.tidemark.runtime.http.HttpRequestView;
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
 * </pre>
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
        TimelineId timelineId = TimelineRoutes.parse(
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
        TimelineId ancestor = TimelineRoutes.parse(
                "ancestor_timeline_id", body.path("ancestor_timeline_id").asString(""), TimelineId::parse);
        Optional<Lsn> at = body.hasNonNull("ancestor_start_lsn")
                ? Optional.of(TimelineRoutes.parse(
                        "ancestor_start_lsn", body.path("ancestor_start_lsn").asString(""), Lsn::parse))
                : Optional.empty();
        try {
            return branches.create(id, ancestor, at, waitLsnTimeout);
        } catch (BranchException e) {
            int status = switch (e.kind()) {
                // Neon answers 500: 404 would mean the tenant to the storage controller.
                case NO_ANCESTOR -> 500;
                case UNACCEPTABLE_LSN -> 406;
                case CONFLICT -> 409;
                case BUSY -> 429;
            };
            throw new HttpError(status, e.text());
        }
    }

    private Timeline imported(TenantTimelineId id, HttpRequestView request) throws IOException {
        String path = request.json()
                .path("import_pgdata")
                .path("location")
                .path("LocalFs")
                .path("path")
                .asString("");
        if (path.isEmpty()) {
            throw HttpError.badRequest("the body needs ancestor_timeline_id, to make a branch, or"
                    + " import_pgdata.location.LocalFs.path, the data directory, on this machine, of a PostgreSQL that was"
                    + " shut down");
        }
        // It is this machine's file system, not the tenant's.
        request.requireEverything();
        try {
            return imports.dataDirectory(id, Path.of(path));
        } catch (IllegalStateException e) {
            throw new HttpError(409, String.valueOf(e.getMessage()));
        } catch (IllegalArgumentException e) {
            throw HttpError.badRequest(String.valueOf(e.getMessage()));
        }
    }
}
