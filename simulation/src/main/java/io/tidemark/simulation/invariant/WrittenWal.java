package io.tidemark.simulation.invariant;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Every byte of WAL that any elected proposer ever made, by term. A term history and an LSN then say exactly what a log must
 * contain, whoever holds it.
 */
public final class WrittenWal {
    private final TreeMap<Term, Chapter> chapters = new TreeMap<>();

    /** What the proposer of one term wrote, from where its term starts. */
    public static final class Chapter {
        private final Lsn start;
        private byte[] bytes = new byte[64 * 1024];
        private int length;
        private final TreeSet<Long> recordEnds = new TreeSet<>();

        private Chapter(Lsn start) {
            this.start = start;
        }

        public Lsn start() {
            return start;
        }

        public Lsn end() {
            return start.plus(length);
        }

        /** Adds bytes at the end; {@code recordEnd} is where the record that they complete ends, or the end itself. */
        public void append(byte[] more, Lsn recordEnd) {
            if (length + more.length > bytes.length) {
                bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more.length));
            }
            System.arraycopy(more, 0, bytes, length, more.length);
            length += more.length;
            recordEnds.add(recordEnd.value());
        }

        /** A copy of {@code [from, to)}, which must have been written. */
        public byte[] read(Lsn from, Lsn to) {
            return Arrays.copyOfRange(bytes, (int) from.minus(start), (int) to.minus(start));
        }
    }

    /** A part of a log that one term wrote: {@code [from, to)}, never empty. */
    public record Piece(Term term, Lsn from, Lsn to) {
        @Override
        public String toString() {
            return term + ":" + from + ".." + to;
        }
    }

    /** Starts the WAL of a newly elected proposer. */
    public Chapter begin(Term term, Lsn start) {
        Chapter chapter = new Chapter(start);
        chapters.put(term, chapter);
        return chapter;
    }

    public @Nullable Chapter chapter(Term term) {
        return chapters.get(term);
    }

    /** Which term wrote what of a log with this history that ends at {@code end}. */
    public static List<Piece> pieces(TermHistory history, Lsn end) {
        List<Piece> pieces = new ArrayList<>();
        List<TermLsn> entries = history.entries();
        for (int i = 0; i < entries.size(); i++) {
            Lsn from = entries.get(i).lsn();
            Lsn to = i + 1 < entries.size() ? entries.get(i + 1).lsn().min(end) : end;
            if (from.isBefore(to)) {
                pieces.add(new Piece(entries.get(i).term(), from, to));
            }
        }
        return pieces;
    }

    /** Where two logs first differ in who wrote what below {@code limit}; null when they don't. */
    public static @Nullable Lsn divergence(List<Piece> one, List<Piece> other, Lsn limit) {
        int i = 0;
        int k = 0;
        Lsn position = Lsn.INVALID;
        while (position.isBefore(limit)) {
            i += i < one.size() && one.get(i).to().isAtMost(position) ? 1 : 0;
            k += k < other.size() && other.get(k).to().isAtMost(position) ? 1 : 0;
            Piece a = i < one.size() ? one.get(i) : null;
            Piece b = k < other.size() ? other.get(k) : null;
            if (!Objects.equals(writerAt(a, position), writerAt(b, position))) {
                return position;
            }
            position = nextChange(a, position, limit).min(nextChange(b, position, limit));
        }
        return null;
    }

    private static @Nullable Term writerAt(@Nullable Piece piece, Lsn position) {
        return piece != null && piece.from().isAtMost(position) ? piece.term() : null;
    }

    private static Lsn nextChange(@Nullable Piece piece, Lsn position, Lsn limit) {
        if (piece == null) {
            return limit;
        }
        return piece.from().isAfter(position) ? piece.from() : piece.to();
    }

    /** True when all of {@code [from, to)} of such a log has been written by somebody. */
    public boolean covers(TermHistory history, Lsn from, Lsn to) {
        Lsn position = from;
        for (Piece piece : pieces(history, to)) {
            if (piece.to().isAtMost(position)) {
                continue;
            }
            Chapter chapter = chapters.get(piece.term());
            if (chapter == null || piece.from().isAfter(position) || piece.to().isAfter(chapter.end())) {
                return false;
            }
            position = piece.to();
        }
        return position.isAtLeast(to);
    }

    /** The bytes {@code [from, to)} of such a log; ask {@link #covers} first. */
    public byte[] read(TermHistory history, Lsn from, Lsn to) {
        byte[] all = new byte[(int) to.minus(from)];
        for (Piece piece : pieces(history, to)) {
            Chapter chapter = chapters.get(piece.term());
            Lsn begin = piece.from().max(from);
            if (chapter != null && begin.isBefore(piece.to())) {
                byte[] part = chapter.read(begin, piece.to());
                System.arraycopy(part, 0, all, (int) begin.minus(from), part.length);
            }
        }
        return all;
    }

    /** True when a record of such a log ends at {@code lsn}, or one of its terms starts there. */
    public boolean isRecordBoundary(TermHistory history, Lsn lsn) {
        Term writer = null;
        for (TermLsn entry : history.entries()) {
            if (entry.lsn().equals(lsn)) {
                return true;
            }
            writer = entry.lsn().isBefore(lsn) ? entry.term() : writer;
        }
        Chapter chapter = writer == null ? null : chapters.get(writer);
        return chapter != null && chapter.recordEnds.contains(lsn.value());
    }
}
