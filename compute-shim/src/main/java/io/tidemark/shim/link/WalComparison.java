package io.tidemark.shim.link;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.EventLoop;
import io.tidemark.wire.id.Lsn;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * Compares a range of WAL of two origins byte by byte, reading both at the pace of the slower one. Shows whether a PostgreSQL has the
 * history that the quorum has before a single new byte of it is accepted.
 */
public final class WalComparison implements WalFeed.Listener {
    /** One of the two could not give the range. */
    public static final class FeedFailedException extends Exception {
        private static final long serialVersionUID = 1L;

        private final boolean first;

        FeedFailedException(boolean first, String reason) {
            super(reason);
            this.first = first;
        }

        /** Whether it was the first origin that failed. */
        public boolean isFirst() {
            return first;
        }
    }

    /** What counts as a difference. */
    public enum Strictness {
        /** Every byte that differs. */
        EXACT,
        /**
         * A byte that differs, is not 0 in the other origin, and is not in a page header. A safekeeper whose timeline begins in the
         * middle of a segment answers for what is before with page headers of its own and zeros; two histories of real WAL differ in
         * more than that.
         */
        IGNORING_GENERATED
    }

    // A long page header; the short one is shorter.
    private static final int PAGE_HEADER_BYTES = 40;

    private final CompletableFuture<Optional<Lsn>> result = new CompletableFuture<>();
    private final Strictness strictness;
    private final WalFeed one;
    private final WalFeed other;
    private final Lsn endLsn;

    private WalComparison(
            Function<WalFeed.Listener, WalFeed> openOne,
            Function<WalFeed.Listener, WalFeed> openOther,
            Lsn endLsn,
            Strictness strictness) {
        this.endLsn = endLsn;
        this.strictness = strictness;
        this.one = openOne.apply(this);
        this.other = openOther.apply(this);
    }

    /**
     * Compares up to {@code endLsn}. Both feeds must be opened at the same start, on this event loop.
     *
     * @return the first differing position, or empty when there is none; fails with {@link FeedFailedException}. Cancelling it
     *     closes both feeds
     */
    public static CompletableFuture<Optional<Lsn>> compare(
            EventLoop loop,
            Function<WalFeed.Listener, WalFeed> openOne,
            Function<WalFeed.Listener, WalFeed> openOther,
            Lsn endLsn,
            Strictness strictness) {
        CompletableFuture<Optional<Lsn>> answer = new CompletableFuture<>();
        loop.execute(() -> {
            WalComparison comparison = new WalComparison(openOne, openOther, endLsn, strictness);
            var _ = comparison.result.whenComplete((difference, error) -> {
                comparison.one.close();
                comparison.other.close();
                if (error == null) {
                    answer.complete(difference);
                } else {
                    answer.completeExceptionally(error);
                }
            });
            var _ = answer.whenComplete((difference, error) -> loop.execute(() -> comparison.result.cancel(false)));
        });
        return answer;
    }

    @Override
    public void walArrived(WalFeed feed) {
        if (result.isDone()) {
            return;
        }
        Lsn from = one.takenLsn();
        int bytes = (int) one.receivedLsn().min(other.receivedLsn()).min(endLsn).minus(from);
        if (bytes <= 0) {
            return;
        }
        ByteBuf left = one.take(bytes);
        ByteBuf right = other.take(bytes);
        int difference = firstDifference(left, right);
        if (strictness == Strictness.IGNORING_GENERATED) {
            while (difference >= 0 && isGenerated(right, difference, from)) {
                int next = difference + 1;
                int further = firstDifference(
                        left.slice(left.readerIndex() + next, bytes - next),
                        right.slice(right.readerIndex() + next, bytes - next));
                difference = further < 0 ? -1 : next + further;
            }
        }
        left.release();
        right.release();
        if (difference >= 0) {
            result.complete(Optional.of(from.plus(difference)));
        } else if (from.plus(bytes).isAtLeast(endLsn)) {
            result.complete(Optional.empty());
        }
    }

    private static boolean isGenerated(ByteBuf wal, int index, Lsn from) {
        return wal.getByte(wal.readerIndex() + index) == 0 || from.plus(index).pageOffset() < PAGE_HEADER_BYTES;
    }

    @Override
    public void failed(WalFeed feed, String reason) {
        result.completeExceptionally(new FeedFailedException(feed == one, reason));
    }

    /** Index of the first byte in which two buffers of the same length differ; -1 when there is none. Indexes stay. */
    public static int firstDifference(ByteBuf left, ByteBuf right) {
        if (ByteBufUtil.equals(left, right)) {
            return -1;
        }
        int length = Math.min(left.readableBytes(), right.readableBytes());
        for (int i = 0; i < length; i++) {
            if (left.getByte(left.readerIndex() + i) != right.getByte(right.readerIndex() + i)) {
                return i;
            }
        }
        return length;
    }
}
