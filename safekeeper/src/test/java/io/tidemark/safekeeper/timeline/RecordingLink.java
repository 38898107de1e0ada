package io.tidemark.safekeeper.timeline;

import io.tidemark.safekeeper.acceptor.ConnectionId;
import io.tidemark.safekeeper.acceptor.Refusal;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.AcceptorMessage;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A link that keeps what the timeline says to its proposer: messages, and words about its end. */
final class RecordingLink implements ProposerLink {
    private final ConnectionId id;
    private final BlockingQueue<Object> said = new LinkedBlockingQueue<>();

    RecordingLink(long id) {
        this.id = new ConnectionId(id);
    }

    <T> T next(Class<T> kind) throws InterruptedException {
        Object next = said.poll(10, TimeUnit.SECONDS);
        if (!kind.isInstance(next)) {
            throw new AssertionError("expected " + kind.getSimpleName() + ", got " + next);
        }
        return kind.cast(next);
    }

    @Override
    public ConnectionId id() {
        return id;
    }

    @Override
    public void send(AcceptorMessage message) {
        said.add(message);
    }

    @Override
    public void refuse(Refusal refusal, String reason) {
        said.add(refusal);
    }

    @Override
    public void fail(String reason) {
        said.add("fail: " + reason);
    }

    @Override
    public void closeSilently() {
        said.add("closed");
    }

    @Override
    public void elected(Term term) {
        said.add(term);
    }
}
