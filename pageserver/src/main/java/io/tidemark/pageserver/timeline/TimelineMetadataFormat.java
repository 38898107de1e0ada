package io.tidemark.pageserver.timeline;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemark.pageserver.timeline.TimelineMetadata.BranchPoint;
import io.tidemark.pageserver.timeline.TimelineMetadata.Reparenting;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.wal.WalFlavour;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.CRC32C;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The file {@code timeline} of a timeline's directory.
 *
 * <pre>
 *   file   = "tidemark-timeline " version(decimal) " " crc32c(8 hex digits, of the body) LF body
 *   body   = one JSON object, UTF-8
 *   object = tenant_id, timeline_id: 32 hex digits | pg_version: 14..18 | system_id: decimal text | flavour: "stock" or "neon"
 *            data_checksums, hint_bits_logged: boolean | wal_segment_size: bytes | start_lsn, readable_lsn: LSN
 *            ancestor_timeline_id, ancestor_lsn: only of a branch | ancestor_prev_record_lsn: of one that has it
 *            former_ancestor_timeline_id, ..._lsn, ..._prev_record_lsn: the same of one that was detached
 *            reparented_timeline_ids: of one that has taken over that ancestor's history: array of 32 hex digits
 *            reparenting_done: boolean, beside it
 * </pre>
 */
final class TimelineMetadataFormat {
    static final int VERSION = 1;
    private static final String MAGIC = "tidemark-timeline";
    private static final String REPARENTED = "reparented_timeline_ids";
    private static final String REPARENTING_DONE = "reparenting_done";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private TimelineMetadataFormat() {}

    static byte[] encode(TimelineMetadata metadata) {
        ObjectNode node = JSON.createObjectNode();
        node.put("tenant_id", metadata.id().tenantId().toString());
        node.put("timeline_id", metadata.id().timelineId().toString());
        node.put("pg_version", metadata.pgMajor());
        node.put("system_id", metadata.systemId().toString());
        node.put("flavour", metadata.flavour().name().toLowerCase(Locale.ROOT));
        node.put("data_checksums", metadata.dataChecksums());
        node.put("hint_bits_logged", metadata.hintBitsLogged());
        node.put("wal_segment_size", metadata.walSegmentSizeBytes());
        node.put("start_lsn", metadata.startLsn().toString());
        node.put("readable_lsn", metadata.readableLsn().toString());
        metadata.ancestor().ifPresent(branch -> put(node, "ancestor", branch));
        metadata.formerAncestor().ifPresent(branch -> put(node, "former_ancestor", branch));
        metadata.reparenting().ifPresent(reparenting -> {
            ArrayNode ids = node.putArray(REPARENTED);
            reparenting.timelines().forEach(id -> ids.add(id.toString()));
            node.put(REPARENTING_DONE, reparenting.done());
        });
        byte[] body = (node.toPrettyString() + "\n").getBytes(UTF_8);
        byte[] head = "%s %d %08x\n".formatted(MAGIC, VERSION, crc(body, 0)).getBytes(UTF_8);
        byte[] file = new byte[head.length + body.length];
        System.arraycopy(head, 0, file, 0, head.length);
        System.arraycopy(body, 0, file, head.length, body.length);
        return file;
    }

    private static void put(ObjectNode node, String name, BranchPoint branch) {
        node.put(name + "_timeline_id", branch.timelineId().toString());
        node.put(name + "_lsn", branch.lsn().toString());
        if (branch.prevRecordLsn().isValid()) {
            node.put(name + "_prev_record_lsn", branch.prevRecordLsn().toString());
        }
    }

    /** Reads a file; an {@link IOException} says whether it is too new or damaged. */
    static TimelineMetadata decode(byte[] file) throws IOException {
        int lineEnd = 0;
        while (lineEnd < file.length && file[lineEnd] != '\n') {
            lineEnd++;
        }
        String[] head = new String(file, 0, lineEnd, UTF_8).split(" ", -1);
        if (head.length != 3 || !head[0].equals(MAGIC)) {
            throw new IOException("it is damaged: it does not begin like a timeline's file");
        }
        if (!head[1].equals(Integer.toString(VERSION))) {
            throw new IOException("its format " + head[1] + " is not the one that this version reads, " + VERSION
                    + ": use the version that wrote it, or a newer one");
        }
        if (lineEnd == file.length || !head[2].equals("%08x".formatted(crc(file, lineEnd + 1)))) {
            throw new IOException("it is damaged: its checksum is wrong");
        }
        try {
            return decodeBody(JSON.readTree(file, lineEnd + 1, file.length - lineEnd - 1));
        } catch (JacksonException | IllegalArgumentException e) {
            throw new IOException("it is damaged: " + e.getMessage(), e);
        }
    }

    private static TimelineMetadata decodeBody(JsonNode node) {
        return new TimelineMetadata(
                new TenantTimelineId(
                        TenantId.parse(text(node, "tenant_id")), TimelineId.parse(text(node, "timeline_id"))),
                require(node, "pg_version").asInt(),
                SystemId.parse(text(node, "system_id")),
                WalFlavour.valueOf(text(node, "flavour").toUpperCase(Locale.ROOT)),
                require(node, "data_checksums").asBoolean(),
                require(node, "hint_bits_logged").asBoolean(),
                require(node, "wal_segment_size").asInt(),
                Lsn.parse(text(node, "start_lsn")),
                Lsn.parse(text(node, "readable_lsn")),
                branchPoint(node, "ancestor"),
                branchPoint(node, "former_ancestor"),
                reparenting(node));
    }

    private static Optional<Reparenting> reparenting(JsonNode node) {
        if (!node.has(REPARENTED)) {
            return Optional.empty();
        }
        List<TimelineId> ids = new ArrayList<>();
        node.get(REPARENTED).forEach(id -> ids.add(TimelineId.parse(id.asString())));
        return Optional.of(new Reparenting(ids, require(node, REPARENTING_DONE).asBoolean()));
    }

    private static Optional<BranchPoint> branchPoint(JsonNode node, String name) {
        if (!node.has(name + "_timeline_id")) {
            return Optional.empty();
        }
        String prev = name + "_prev_record_lsn";
        return Optional.of(new BranchPoint(
                TimelineId.parse(text(node, name + "_timeline_id")),
                Lsn.parse(text(node, name + "_lsn")),
                node.has(prev) ? Lsn.parse(text(node, prev)) : Lsn.INVALID));
    }

    private static JsonNode require(JsonNode node, String name) {
        JsonNode value = node.get(name);
        if (value == null) {
            throw new IllegalArgumentException("field " + name + " is missing");
        }
        return value;
    }

    private static String text(JsonNode node, String name) {
        return require(node, name).asString();
    }

    private static int crc(byte[] bytes, int from) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, bytes.length - from);
        return (int) crc.getValue();
    }
}
