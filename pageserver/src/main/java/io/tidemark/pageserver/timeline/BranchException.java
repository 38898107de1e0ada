package io.tidemark.pageserver.timeline;

/** A branch that is not made, with the reason. */
public final class BranchException extends Exception {
    private static final long serialVersionUID = 1;

    /** What stands in the way. */
    public enum Kind {
        /** The ancestor is not here. */
        NO_ANCESTOR,

        /** The ancestor has an ancestor itself. */
        TOO_MANY_ANCESTORS,

        /** The ancestor has no history at this LSN: not any more, not yet, or never. */
        UNACCEPTABLE_LSN,

        /** There is another timeline of this id. */
        CONFLICT,

        /** One of this id is being made right now, or the ancestor is being deleted: ask again. */
        BUSY
    }

    private final Kind kind;

    BranchException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    BranchException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }

    /** The reason, and what to do where that is not obvious. */
    public String text() {
        return String.valueOf(getMessage());
    }
}
