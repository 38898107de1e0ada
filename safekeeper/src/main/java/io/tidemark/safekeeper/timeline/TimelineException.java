package io.tidemark.safekeeper.timeline;

/** Why a timeline can't do what was asked of it, in words for the one who asked. */
public final class TimelineException extends Exception {
    private static final long serialVersionUID = 1;

    /** What kind of reason; each edge has its own way to say it. */
    public enum Kind {
        /** There is no such timeline here. */
        NOT_FOUND,
        /** It was deleted, or this node was excluded from it. */
        DELETED,
        /** It is being created, deleted or stopped right now, or has just been. */
        NOT_NOW,
        /** It is damaged or its disk failed; only a look at the log and a restart help. */
        BROKEN,
        /** What was asked contradicts what the timeline is: a generation, a membership. */
        CONFLICT,
        /** This node may not do that: it is (not) a member. */
        FORBIDDEN,
        /** What was asked can't be. */
        INVALID,
        /** The disk said no. */
        DISK
    }

    private final Kind kind;

    public TimelineException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public TimelineException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }

    /** The message; never null. */
    public String text() {
        String message = getMessage();
        return message == null ? kind.toString() : message;
    }
}
