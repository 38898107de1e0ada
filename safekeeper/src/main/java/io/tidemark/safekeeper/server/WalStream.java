package io.tidemark.safekeeper.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.tidemark.safekeeper.timeline.ReaderFeedback;
import io.tidemark.safekeeper.timeline.Timeline;
import io.tidemark.safekeeper.timeline.TimelineException;
import io.tidemark.safekeeper.timeline.TimelineSnapshot;
import io.tidemark.safekeeper.timeline.TimelineView;
import io.tidemark.safekeeper.wal.VerifyingWalReader;
import io.tidemark.wire.frame.SqlState;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** What may be read of a timeline, chunk by chunk. Used by one thread, which may block. */
final class WalStream implements AutoCloseable {
    private final Timeline timeline;
    private final @Nullable Term term;
    private Lsn position;

    /** Opened when there is something to read: before that the timeline may not know where it begins. */
    private @Nullable VerifyingWalReader reader;

    /** The stream ends in order, for a reason that the reader is told, or is not. */
    static final class Ended extends Exception {
        private static final long serialVersionUID = 1;

        private final String sqlState;
        private final boolean silent;

        private Ended(String sqlState, String text, boolean silent) {
            super(text, null, false, false);
            this.sqlState = sqlState;
            this.silent = silent;
        }

        String sqlState() {
            return sqlState;
        }

        String text() {
            return String.valueOf(getMessage());
        }

        /** The connection is closed without a word. */
        boolean isSilent() {
            return silent;
        }
    }

    private WalStream(Timeline timeline, Lsn start, @Nullable Term term) {
        this.timeline = timeline;
        this.position = start;
        this.term = term;
    }

    static WalStream of(Timeline timeline, EdgeCommand.StartReplication command) {
        return new WalStream(timeline, command.startLsn(), command.term());
    }

    /** For metrics. */
    String kind() {
        return term == null ? "committed" : "term";
    }

    /** Up to here everything has been read. */
    Lsn position() {
        return position;
    }

    /** commit_lsn; flush_lsn for a reader with a term, as long as that is the term of the log. */
    Lsn readableEnd() throws Ended {
        TimelineView view = timeline.view();
        TimelineSnapshot snapshot = view.snapshot();
        if (snapshot == null || view.failure() != null) {
            throw new Ended(
                    SqlState.INTERNAL_ERROR,
                    "timeline " + view.ttid() + " stands still: " + view.failure(),
                    view.stopped());
        }
        if (term == null) {
            return snapshot.commitLsn();
        }
        // While there is something to read the term is checked around the read itself.
        if (position.isAtLeast(snapshot.flushLsn()) && !snapshot.lastLogTerm().equals(term)) {
            throw termChanged(snapshot.lastLogTerm());
        }
        return snapshot.flushLsn();
    }

    private Ended termChanged(Term now) {
        return new Ended(SqlState.INTERNAL_ERROR, "term changed: requested " + term + ", now " + now, false);
    }

    /**
     * The next chunk: at most as long as an append; ends at {@code end}, with a page or with the segment, since a record must not be cut
     * anywhere else. Null when there is none yet. The caller gets the reference.
     */
    @Nullable
    ByteBuf read(ByteBufAllocator allocator, Lsn end) throws IOException, TimelineException, Ended {
        VerifyingWalReader open = reader;
        if (open == null) {
            open = timeline.openReader(position);
            reader = open;
        }
        ByteBuf wal = allocator.directBuffer(AppendRequest.MAX_WAL_BYTES);
        boolean done = false;
        try {
            int bytes = open.read(end, AppendRequest.MAX_WAL_BYTES, wal);
            if (term != null) {
                requireTerm(term);
            }
            done = bytes > 0;
            position = position.plus(bytes);
            return done ? wal : null;
        } finally {
            if (!done) {
                wal.release();
            }
        }
    }

    // WAL of a term is cut only after a higher term was adopted. So what was read before the owner says "still this
    // term" is WAL that
    // this term's proposer wrote or took over.
    private void requireTerm(Term wanted) throws TimelineException, Ended {
        Term now = timeline.termNow();
        if (!now.equals(wanted)) {
            throw termChanged(now);
        }
    }

    /**
     * Ends the stream of a pageserver that has everything, when there is no compute that could bring more. Pageservers know the
     * SQLSTATE and the words.
     */
    void requireUseful(String applicationName, ReaderFeedback feedback) throws Ended {
        TimelineView view = timeline.view();
        TimelineSnapshot snapshot = view.snapshot();
        if (term != null
                || snapshot == null
                || !view.proposers().isEmpty()
                || !(feedback instanceof ReaderFeedback.OfPageserver pageserver)) {
            return;
        }
        Lsn remote = pageserver.feedback() == null
                ? Lsn.INVALID
                : pageserver.feedback().remoteConsistentLsn();
        Lsn commitLsn = snapshot.commitLsn();
        if (!commitLsn.isValid() || remote.isAtLeast(commitLsn)) {
            String app = applicationName.isEmpty() ? "None" : "Some(\"" + applicationName + "\")";
            throw new Ended(
                    SqlState.SUCCESSFUL_COMPLETION,
                    "ending streaming to " + app + " at " + position
                            + ", receiver is caughtup and there is no computes",
                    false);
        }
    }

    @Override
    public void close() throws IOException {
        if (reader != null) {
            reader.close();
        }
    }
}
