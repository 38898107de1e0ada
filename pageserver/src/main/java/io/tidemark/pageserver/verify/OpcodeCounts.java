package io.tidemark.pageserver.verify;

/**
 * What happened to the records of one opcode and to the blocks they name.
 *
 * <p>Each block is counted once: as restored, compared, seeded, unsupported, or changed without an image to compare with.
 */
public final class OpcodeCounts {
    private final int rmgrId;
    private final String rmgr;
    private final String opcode;
    long records;
    long restored;
    long compared;
    long seeded;
    long unchecked;
    long unsupported;
    long mismatches;
    long knownDifferences;

    OpcodeCounts(int rmgrId, String rmgr, String opcode) {
        this.rmgrId = rmgrId;
        this.rmgr = rmgr;
        this.opcode = opcode;
    }

    public int rmgrId() {
        return rmgrId;
    }

    public String rmgr() {
        return rmgr;
    }

    /** The opcode's name in that version, with {@code +INIT} where the record initialises its page. */
    public String opcode() {
        return opcode;
    }

    public long records() {
        return records;
    }

    /** Blocks whose image redo must use: they show that images are restored, and nothing about redo. */
    public long restored() {
        return restored;
    }

    /** Blocks that redo changed and that were compared with an image. */
    public long compared() {
        return compared;
    }

    /** Blocks that started from the image they would have been compared with, since nothing was known about them. */
    public long seeded() {
        return seeded;
    }

    /** Blocks that redo changed and that had no image to compare with. */
    public long unchecked() {
        return unchecked;
    }

    /** Blocks for which there is no redo. */
    public long unsupported() {
        return unsupported;
    }

    /** Blocks that are not as PostgreSQL has them, or that redo refused. */
    public long mismatches() {
        return mismatches;
    }

    /** Compared blocks that differ in the one way in which PostgreSQL differs from itself; see {@link WalVerifier}. */
    public long knownDifferences() {
        return knownDifferences;
    }
}
