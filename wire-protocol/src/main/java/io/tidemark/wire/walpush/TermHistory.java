package io.tidemark.wire.walpush;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.frame.MessageReader;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Who wrote which part of a timeline's WAL: entries strictly increasing in term, never decreasing in LSN.
 *
 * <p>On the wire: {@code u32 n, n * {u64 term, u64 lsn}}, little endian in v2, big endian in v3.
 *
 * @param entries oldest first; may be empty
 */
public record TermHistory(List<TermLsn> entries) {
    public static final TermHistory EMPTY = new TermHistory(List.of());

    private static final int ENTRY_BYTES = 16;

    /** Checks the order; throws {@link IllegalArgumentException} when it is violated. */
    public TermHistory {
        entries = List.copyOf(entries);
        for (int i = 1; i < entries.size(); i++) {
            TermLsn previous = entries.get(i - 1);
            TermLsn current = entries.get(i);
            if (!previous.term().isBefore(current.term()) || current.lsn().isBefore(previous.lsn())) {
                throw new IllegalArgumentException("term history out of order at entry " + i + ": " + entries);
            }
        }
    }

    public static TermHistory of(TermLsn... entries) {
        return new TermHistory(List.of(entries));
    }

    public boolean isEmpty() {
        return entries.isEmpty();
    }

    /** The leading entries with {@code lsn <= end}: the history of a log that ends at {@code end}. */
    public TermHistory upTo(Lsn end) {
        int n = 0;
        while (n < entries.size() && entries.get(n).lsn().isAtMost(end)) {
            n++;
        }
        return n == entries.size() ? this : new TermHistory(entries.subList(0, n));
    }

    /** The term of the last entry; 0 when there is none. */
    public Term lastTerm() {
        return entries.isEmpty() ? Term.ZERO : entries.getLast().term();
    }

    public TermHistory plus(TermLsn entry) {
        List<TermLsn> longer = new ArrayList<>(entries);
        longer.add(entry);
        return new TermHistory(longer);
    }

    /**
     * The highest point up to which this history (a proposer's) and an acceptor's log agree.
     *
     * <p>The common prefix is found by term. Inside its last common term both logs are one until either of them goes on to
     * its next term, or the acceptor's log ends.
     *
     * @param acceptor the acceptor's history, cut at its flush_lsn
     * @param acceptorFlushLsn where the acceptor's log ends
     * @return empty when the histories have no term in common
     * @throws IllegalArgumentException when a common term starts at two LSNs: one of the logs is corrupt
     */
    public Optional<TermLsn> highestCommonPoint(TermHistory acceptor, Lsn acceptorFlushLsn) {
        int common = -1;
        int limit = Math.min(entries.size(), acceptor.entries.size());
        for (int i = 0;
                i < limit
                        && entries.get(i).term().equals(acceptor.entries.get(i).term());
                i++) {
            if (!entries.get(i).lsn().equals(acceptor.entries.get(i).lsn())) {
                throw new IllegalArgumentException("term " + entries.get(i).term() + " starts at two LSNs: "
                        + entries.get(i).lsn() + " and "
                        + acceptor.entries.get(i).lsn());
            }
            common = i;
        }
        if (common < 0) {
            return Optional.empty();
        }
        Term term = entries.get(common).term();
        if (common == entries.size() - 1) {
            return Optional.of(new TermLsn(term, acceptorFlushLsn));
        }
        Lsn acceptorEnd = common + 1 < acceptor.entries.size()
                ? acceptor.entries.get(common + 1).lsn()
                : acceptorFlushLsn;
        return Optional.of(new TermLsn(term, entries.get(common + 1).lsn().min(acceptorEnd)));
    }

    /** Reads a history; throws {@link InvalidMessageException} also for one out of order. */
    static TermHistory decode(WalPushVersion version, MessageReader in) {
        int n = in.count(
                switch (version) {
                    case V2 -> in.u32LE();
                    case V3 -> in.u32();
                },
                ENTRY_BYTES);
        List<TermLsn> entries = new ArrayList<>(n);
        for (int i = 0; i < n; i++) {
            entries.add(
                    switch (version) {
                        case V2 -> new TermLsn(Term.of(in.i64LE()), Lsn.of(in.i64LE()));
                        case V3 -> new TermLsn(Term.of(in.i64()), Lsn.of(in.i64()));
                    });
        }
        try {
            return new TermHistory(entries);
        } catch (IllegalArgumentException e) {
            throw new InvalidMessageException("term history: " + e.getMessage(), e);
        }
    }

    void encode(WalPushVersion version, ByteBuf out) {
        switch (version) {
            case V2 -> {
                out.writeIntLE(entries.size());
                for (TermLsn entry : entries) {
                    out.writeLongLE(entry.term().value())
                            .writeLongLE(entry.lsn().value());
                }
            }
            case V3 -> {
                out.writeInt(entries.size());
                for (TermLsn entry : entries) {
                    out.writeLong(entry.term().value()).writeLong(entry.lsn().value());
                }
            }
        }
    }

    @Override
    public String toString() {
        return entries.toString();
    }
}
