package io.tidemark.pageserver.http;

import io.tidemark.pageserver.timeline.LsnByTimestamp;
import io.tidemark.pageserver.timeline.ReadException;
import io.tidemark.pageserver.timeline.RestorePoints;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.pageserver.timeline.TimelineMaintenance;
import io.tidemark.pageserver.timeline.TimelineRegistry;
import io.tidemark.runtime.http.HttpError;
import io.tidemark.runtime.http.HttpReply;
import io.tidemark.runtime.http.HttpRequestView;
import io.tidemark.runtime.http.Router;
import io.tidemark.wire.id.Lsn;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** LSNs, their moments and names, and LSNs that are kept readable for a while. */
final class TimeRoutes {
    private static final DateTimeFormatter MILLISECONDS =
            new DateTimeFormatterBuilder().appendInstant(3).toFormatter(Locale.ROOT);

    /** How often a search is begun anew that garbage collection has overtaken. */
    private static final int ATTEMPTS = 3;

    private final TimelinePath path;
    private final TimelineMaintenance maintenance;

    TimeRoutes(TimelineRegistry timelines, TimelineMaintenance maintenance) {
        this.path = new TimelinePath(timelines);
        this.maintenance = maintenance;
    }

    /** Adds its routes. */
    void addTo(Router router) {
        router.on("GET", TimelinePath.TIMELINE + "/get_lsn_by_timestamp", this::lsnByTimestamp)
                .on("GET", TimelinePath.TIMELINE + "/get_timestamp_of_lsn", this::timestampOfLsn)
                .on("GET", TimelinePath.TIMELINE + "/restore_points", this::restorePoints)
                .on("POST", TimelinePath.TIMELINE + "/lsn_lease", this::lease);
    }

    private HttpReply lsnByTimestamp(HttpRequestView request) {
        Timeline timeline = path.timeline(request);
        Instant instant = instant(request);
        boolean withLease = request.flag("with_lease", false);
        for (int attempt = 1; ; attempt++) {
            boolean last = attempt == ATTEMPTS;
            try {
                LsnByTimestamp.Answer answer = LsnByTimestamp.find(timeline, instant);
                Optional<Instant> end = withLease
                        ? maintenance.lease(
                                timeline, answer.lsn(), maintenance.config().timestampLeaseLength())
                        : Optional.empty();
                if (withLease && end.isEmpty() && !last) {
                    continue;
                }
                ObjectNode node = PageserverApi.object()
                        .put("lsn", answer.lsn().toString())
                        .put("kind", answer.kind().name().toLowerCase(Locale.ROOT));
                end.ifPresent(until -> node.put("valid_until", MILLISECONDS.format(until)));
                return HttpReply.json(node);
            } catch (ReadException e) {
                if (last || e.kind() != ReadException.Kind.BAD_REQUEST) {
                    throw new HttpError(500, e.text());
                }
            }
        }
    }

    private static Instant instant(HttpRequestView request) {
        String text = request.parameter("timestamp")
                .orElseThrow(() -> HttpError.badRequest("timestamp is missing: RFC 3339, 2026-11-26T12:00:00Z"));
        try {
            return OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeException e) {
            throw HttpError.badRequest("timestamp '" + text + "' is not RFC 3339, 2026-11-26T12:00:00Z");
        }
    }

    /** When what was newest at an LSN was committed, as a JSON string; 412 when nothing had been. */
    private HttpReply timestampOfLsn(HttpRequestView request) {
        Timeline timeline = path.timeline(request);
        Lsn lsn = TimelinePath.parse(
                "lsn",
                request.parameter("lsn").orElseThrow(() -> HttpError.badRequest("lsn is missing: 0/16B3748")),
                Lsn::parse);
        try {
            Lsn effective = timeline.effectiveLsn(lsn, Lsn.INVALID, Duration.ZERO);
            Instant time = LsnByTimestamp.commitTimeAt(timeline, effective)
                    .orElseThrow(() -> new HttpError(412, "nothing was committed at or before " + lsn));
            return new HttpReply(
                    200,
                    HttpReply.JSON,
                    JsonNodeFactory.instance.stringNode(time.toString()).toString());
        } catch (ReadException e) {
            throw new HttpError(e.kind() == ReadException.Kind.BAD_REQUEST ? 412 : 500, e.text());
        }
    }

    /** The names that pg_create_restore_point gave; each with the timeline that has it, which may be an ancestor. */
    private HttpReply restorePoints(HttpRequestView request) {
        Timeline timeline = path.timeline(request);
        ArrayNode all = PageserverApi.array();
        try {
            for (RestorePoints.Offer offer : RestorePoints.of(timeline)) {
                all.add(PageserverApi.object()
                        .put("name", offer.point().name())
                        .put("lsn", offer.point().lsn().toString())
                        .put("time", offer.point().time().toString())
                        .put("timeline_id", offer.timeline().toString()));
            }
        } catch (ReadException e) {
            throw new HttpError(500, e.text());
        }
        return HttpReply.json(all);
    }

    /** Body: {@code lsn}. 500 when it is not readable any more, as Neon answers. */
    private HttpReply lease(HttpRequestView request) {
        Timeline timeline = path.timeline(request);
        Lsn lsn = TimelinePath.parse("lsn", request.json().path("lsn").asString(""), Lsn::parse);
        try {
            Instant end = maintenance
                    .lease(timeline, lsn, maintenance.config().leaseLength())
                    .orElseThrow(() -> new HttpError(
                            500,
                            "no lease on " + lsn + ": it is not readable any more; the first LSN that is, is "
                                    + timeline.minReadableLsn()));
            return HttpReply.json(PageserverApi.object().put("valid_until", MILLISECONDS.format(end)));
        } catch (IllegalStateException e) {
            throw new HttpError(503, String.valueOf(e.getMessage()));
        }
    }
}
