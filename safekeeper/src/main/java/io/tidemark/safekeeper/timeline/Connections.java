package io.tidemark.safekeeper.timeline;

import io.tidemark.safekeeper.acceptor.ConnectionId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Who is connected to the PostgreSQL port, for people and for the status of a timeline. Each session keeps its own entry. */
public final class Connections {
    private final AtomicLong lastId = new AtomicLong();
    private final ConcurrentHashMap<ConnectionId, Entry> entries = new ConcurrentHashMap<>();

    /** What a connection does. */
    public enum Kind {
        /** Asks questions, or has asked for nothing yet. */
        QUERY,
        PROPOSER,
        PAGESERVER,
        STANDBY,
        RECEIVEWAL,
        /** Reads WAL with a term: a recovering proposer or another safekeeper. */
        RECOVERY
    }

    /**
     * One connection.
     *
     * @param peer address and port
     * @param applicationName as the client said; empty when it did not
     * @param term of a proposer: the one it was elected for here; null before that
     */
    public record Entry(
            ConnectionId id,
            String peer,
            String applicationName,
            Instant since,
            Kind kind,
            @Nullable TenantTimelineId ttid,
            @Nullable Term term) {
        public Entry as(Kind newKind) {
            return new Entry(id, peer, applicationName, since, newKind, ttid, term);
        }

        public Entry of(@Nullable TenantTimelineId newTtid) {
            return new Entry(id, peer, applicationName, since, kind, newTtid, term);
        }

        public Entry named(String newApplicationName) {
            return new Entry(id, peer, newApplicationName, since, kind, ttid, term);
        }

        public Entry elected(Term newTerm) {
            return new Entry(id, peer, applicationName, since, kind, ttid, newTerm);
        }
    }

    /** A number that no other connection of this process has or will have. */
    public ConnectionId nextId() {
        return new ConnectionId(lastId.incrementAndGet());
    }

    public void put(Entry entry) {
        entries.put(entry.id(), entry);
    }

    /** Changes the entry, if it is still there. */
    public void update(ConnectionId id, UnaryOperator<Entry> change) {
        entries.computeIfPresent(id, (key, entry) -> change.apply(entry));
    }

    public void remove(ConnectionId id) {
        entries.remove(id);
    }

    public Optional<Entry> find(ConnectionId id) {
        return Optional.ofNullable(entries.get(id));
    }

    public int count() {
        return entries.size();
    }

    /** All of them, oldest first. */
    public List<Entry> all() {
        return entries.values().stream()
                .sorted(Comparator.comparingLong(entry -> entry.id().value()))
                .toList();
    }
}
