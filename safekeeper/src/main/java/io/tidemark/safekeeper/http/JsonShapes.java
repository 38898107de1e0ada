package io.tidemark.safekeeper.http;

import io.tidemark.safekeeper.acceptor.AcceptorState;
import io.tidemark.safekeeper.timeline.Connections;
import io.tidemark.safekeeper.timeline.ReaderFeedback;
import io.tidemark.safekeeper.timeline.TimelineSnapshot;
import io.tidemark.safekeeper.timeline.TimelineView;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;
import java.math.BigInteger;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** What a safekeeper's objects look like in JSON: Neon's names and shapes. LSNs are {@code X/X} strings, terms and ids numbers. */
final class JsonShapes {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private JsonShapes() {}

    static ObjectNode object() {
        return JSON.objectNode();
    }

    static ArrayNode array() {
        return JSON.arrayNode();
    }

    /** An unsigned 64-bit number. */
    static void putUnsigned(ObjectNode node, String name, long value) {
        if (value >= 0) {
            node.put(name, value);
        } else {
            node.put(name, new BigInteger(Long.toUnsignedString(value)));
        }
    }

    static ObjectNode ids(TenantTimelineId ttid) {
        return object().put("tenant_id", ttid.tenantId().toString())
                .put("timeline_id", ttid.timelineId().toString());
    }

    static ObjectNode membership(MembershipConfig config) {
        ObjectNode node = object().put("generation", config.generation());
        node.set("members", members(config.members()));
        if (config.isJoint()) {
            node.set("new_members", members(config.newMembers()));
        } else {
            node.putNull("new_members");
        }
        return node;
    }

    private static ArrayNode members(List<MembershipConfig.Member> members) {
        ArrayNode array = array();
        for (MembershipConfig.Member member : members) {
            ObjectNode node = object();
            putUnsigned(node, "id", member.nodeId().value());
            array.add(node.put("host", member.host()).put("pg_port", member.pgPort()));
        }
        return array;
    }

    private static ArrayNode history(TermHistory history) {
        ArrayNode array = array();
        for (TermLsn entry : history.entries()) {
            ObjectNode node = object();
            putUnsigned(node, "term", entry.term().value());
            array.add(node.put("lsn", entry.lsn().toString()));
        }
        return array;
    }

    private static ObjectNode server(AcceptorState state) {
        ObjectNode node = object().put("pg_version", state.pgVersion().number());
        putUnsigned(node, "system_id", state.systemId().value());
        return node.put("wal_seg_size", state.walSegmentSizeBytes());
    }

    /** TimelineStatus. {@code snapshot} is the view's. */
    static ObjectNode status(TimelineView view, TimelineSnapshot snapshot, Connections connections) {
        AcceptorState state = snapshot.state();
        ObjectNode node = ids(view.ttid());
        node.set("mconf", membership(state.membership()));
        ObjectNode acceptor = object();
        putUnsigned(acceptor, "term", state.term().value());
        putUnsigned(acceptor, "epoch", snapshot.lastLogTerm().value());
        acceptor.set("term_history", history(state.termHistory()));
        node.set("acceptor_state", acceptor);
        node.set("pg_info", server(state));
        node.put("flush_lsn", snapshot.flushLsn().toString());
        node.put("timeline_start_lsn", state.timelineStartLsn().toString());
        node.put("local_start_lsn", state.localStartLsn().toString());
        node.put("commit_lsn", snapshot.commitLsn().toString());
        node.put("backup_lsn", snapshot.backupLsn().toString());
        node.put("peer_horizon_lsn", snapshot.peerHorizonLsn().toString());
        node.put("remote_consistent_lsn", snapshot.remoteConsistentLsn().toString());
        node.set("peers", array());
        node.set("walsenders", walSenders(view, connections));
        node.set("walreceivers", walReceivers(view));
        if (view.failure() != null) {
            node.put("failure", view.failure());
        }
        return node;
    }

    private static ArrayNode walReceivers(TimelineView view) {
        ArrayNode array = array();
        for (TimelineView.Proposer proposer : view.proposers()) {
            ObjectNode node = object();
            putUnsigned(node, "conn_id", proposer.connection().value());
            array.add(node.put("status", proposer.electedTerm() == null ? "Voting" : "Streaming"));
        }
        return array;
    }

    private static ArrayNode walSenders(TimelineView view, Connections connections) {
        ArrayNode array = array();
        for (TimelineView.Reader reader : view.readers()) {
            ObjectNode sender = object();
            sender.set("ttid", ids(view.ttid()));
            connections.find(reader.connection()).ifPresent(entry -> {
                sender.put("addr", entry.peer());
                if (entry.applicationName().isEmpty()) {
                    sender.putNull("appname");
                } else {
                    sender.put("appname", entry.applicationName());
                }
            });
            putUnsigned(sender, "conn_id", reader.connection().value());
            sender.set("feedback", feedback(reader.feedback()));
            ObjectNode wrapper = object();
            wrapper.set("Vanilla", sender);
            array.add(wrapper);
        }
        return array;
    }

    private static ObjectNode feedback(ReaderFeedback feedback) {
        ObjectNode wrapper = object();
        switch (feedback) {
            case ReaderFeedback.OfPageserver pageserver -> wrapper.set("Pageserver", pageserver(pageserver.feedback()));
            case ReaderFeedback.OfStandby standby -> wrapper.set("Standby", standby(standby));
        }
        return wrapper;
    }

    private static ObjectNode pageserver(@Nullable PageserverFeedback feedback) {
        ObjectNode node = object();
        putUnsigned(node, "current_timeline_size", feedback == null ? 0 : feedback.currentTimelineSizeBytes());
        node.put(
                "last_received_lsn",
                feedback == null ? "0/0" : feedback.lastReceivedLsn().toString());
        node.put(
                "disk_consistent_lsn",
                feedback == null ? "0/0" : feedback.diskConsistentLsn().toString());
        node.put(
                "remote_consistent_lsn",
                feedback == null ? "0/0" : feedback.remoteConsistentLsn().toString());
        node.put("replytime", feedback == null ? 0 : feedback.replyTimeMicros());
        node.put("shard_number", feedback == null ? 0 : Integer.toUnsignedLong(feedback.shardNumber()));
        return node;
    }

    private static ObjectNode standby(ReaderFeedback.OfStandby standby) {
        ObjectNode node = object();
        node.set(
                "reply",
                object().put("write_lsn", standby.writeLsn().toString())
                        .put("flush_lsn", standby.flushLsn().toString())
                        .put("apply_lsn", standby.applyLsn().toString())
                        .put("reply_ts", standby.timestampMicros()));
        HotStandbyFeedback hot = standby.hotStandby();
        ObjectNode hotNode = object().put("ts", hot.timestampMicros());
        putUnsigned(hotNode, "xmin", hot.xmin());
        putUnsigned(hotNode, "catalog_xmin", hot.catalogXmin());
        node.set("hs_feedback", hotNode);
        return node;
    }

    /** One timeline in a debug dump. */
    static ObjectNode dump(TimelineView view, boolean controlFile, boolean memory, boolean termHistory) {
        ObjectNode node = ids(view.ttid());
        TimelineSnapshot snapshot = view.snapshot();
        if (view.failure() != null) {
            node.put("failure", view.failure());
        }
        if (snapshot != null && controlFile) {
            node.set("control_file", controlFile(snapshot.state(), termHistory));
        }
        if (snapshot != null && memory) {
            node.set("memory", memory(view, snapshot));
        }
        return node;
    }

    private static ObjectNode controlFile(AcceptorState state, boolean termHistory) {
        ObjectNode node = ids(state.ttid());
        node.set("mconf", membership(state.membership()));
        ObjectNode acceptor = object();
        putUnsigned(acceptor, "term", state.term().value());
        if (termHistory) {
            acceptor.set("term_history", history(state.termHistory()));
        }
        node.set("acceptor_state", acceptor);
        node.set("server", server(state));
        node.put("timeline_start_lsn", state.timelineStartLsn().toString());
        node.put("local_start_lsn", state.localStartLsn().toString());
        node.put("commit_lsn", state.commitLsn().toString());
        node.put("backup_lsn", state.backupLsn().toString());
        node.put("peer_horizon_lsn", state.peerHorizonLsn().toString());
        node.put("remote_consistent_lsn", state.remoteConsistentLsn().toString());
        node.put("creation_ts", state.creationTimeMillis());
        return node;
    }

    private static ObjectNode memory(TimelineView view, TimelineSnapshot snapshot) {
        ObjectNode node = object().put("num_computes", view.proposers().size());
        putUnsigned(node, "last_log_term", snapshot.lastLogTerm().value());
        node.put("write_lsn", snapshot.writeLsn().toString());
        node.put("flush_lsn", snapshot.flushLsn().toString());
        node.put("commit_lsn", snapshot.commitLsn().toString());
        node.put("backup_lsn", snapshot.backupLsn().toString());
        node.put("peer_horizon_lsn", snapshot.peerHorizonLsn().toString());
        node.put("remote_consistent_lsn", snapshot.remoteConsistentLsn().toString());
        return node;
    }
}
