package io.tidemark.safekeeper.acceptor;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.walpush.AcceptorMessage;

/** What an acceptor wants done. The owner does it in list order; the first failure ends the list and the acceptor. */
public sealed interface AcceptorEffect {
    /** Durably replace the control file. */
    record PersistState(AcceptorState state) implements AcceptorEffect {}

    /**
     * Make the first segment when there is no WAL yet: zeros with a valid long page header, and fake continuation state so that a
     * reader that starts at the segment's beginning finds its first real record at {@code startLsn}. Idempotent.
     */
    record InitFirstSegment(Lsn startLsn) implements AcceptorEffect {}

    /** Durably cut the WAL so that it ends at {@code endLsn}; writing goes on there. */
    record TruncateWal(Lsn endLsn) implements AcceptorEffect {}

    /** Hand WAL to the operating system. Carries one reference of {@code wal} to the owner, which releases it. */
    record WriteWal(Lsn beginLsn, ByteBuf wal) implements AcceptorEffect {}

    /** fdatasync everything written. */
    record FlushWal() implements AcceptorEffect {}

    record Send(ConnectionId connection, AcceptorMessage message) implements AcceptorEffect {}

    /** Refuse: answer with an ErrorResponse of this text, and close. {@code refusal} is the metric's label. */
    record Refuse(ConnectionId connection, Refusal refusal, String reason) implements AcceptorEffect {}

    /** Something that must not happen in a healthy cluster: log it loudly, count it. */
    record Alarm(String text) implements AcceptorEffect {}
}
