package io.tidemark.shim.proposer;

import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.PageserverFeedback;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What standbys and pageservers report through safekeepers, brought together: every safekeeper relays its own view. */
final class FeedbackRelay {
    /** More shards than any timeline has; feedback of others is dropped. */
    private static final int MAX_SHARDS = 256;

    private final Map<Integer, PageserverFeedback> pageservers = new HashMap<>();
    private HotStandbyFeedback standby = HotStandbyFeedback.NONE;

    /** The oldest xmin of all active safekeepers counts. */
    void standby(List<Peer> peers, List<ProposerEffect> out) {
        HotStandbyFeedback all = HotStandbyFeedback.NONE;
        for (Peer peer : peers) {
            if (peer.isActive()) {
                HotStandbyFeedback one = peer.standbyFeedback;
                all = new HotStandbyFeedback(
                        Math.max(all.timestampMicros(), one.timestampMicros()),
                        oldest(all.xmin(), one.xmin()),
                        oldest(all.catalogXmin(), one.catalogXmin()));
            }
        }
        if (all.xmin() != standby.xmin() || all.catalogXmin() != standby.catalogXmin()) {
            out.add(new ProposerEffect.StandbyFeedback(all));
        }
        standby = all;
    }

    private static long oldest(long a, long b) {
        if (a == 0 || b == 0) {
            return a | b; // 0 is "none"
        }
        return Long.compareUnsigned(a, b) <= 0 ? a : b;
    }

    /** Passes on what is newer than the last of this shard. */
    void pageserver(PageserverFeedback news, List<ProposerEffect> out) {
        if (news.shardNumber() < 0 || news.shardNumber() >= MAX_SHARDS) {
            return;
        }
        PageserverFeedback last = pageservers.get(news.shardNumber());
        if (last == null || news.replyTimeMicros() > last.replyTimeMicros()) {
            pageservers.put(news.shardNumber(), news);
            out.add(new ProposerEffect.PageserverProgress(news));
        }
    }
}
