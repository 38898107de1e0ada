package io.tidemark.pageserver.key;

import org.jspecify.annotations.Nullable;

/** What a key names, by its family; {@link Keys} has the table. */
public enum KeyKind {
    RELATION_BLOCK(0x00),
    SLRU_BLOCK(0x01),
    CONTROL(0x60),
    RELATION_SIZE(0x61),
    DATABASE(0x62),
    RELATION_MAP(0x63),
    SLRU_SEGMENT_SIZE(0x64),
    TWO_PHASE_FILE(0x65),
    RESTORE_POINT(0x66),
    REPLICATION_ORIGIN(0x70),
    AUX_FILE(0x71);

    /** Keys of this family and above do not exist unless somebody put them: a read that finds nothing is no error. */
    static final int FIRST_SPARSE_FAMILY = 0x60;

    /** A branch does not see its ancestor's keys of this family and above. */
    static final int FIRST_OWN_FAMILY = 0x70;

    private static final @Nullable KeyKind[] BY_FAMILY = byFamily();

    private final int family;

    KeyKind(int family) {
        this.family = family;
    }

    private static @Nullable KeyKind[] byFamily() {
        @Nullable KeyKind[] kinds = new @Nullable KeyKind[256];
        for (KeyKind kind : values()) {
            kinds[kind.family] = kind;
        }
        return kinds;
    }

    /** The number in a key's first byte. */
    public int family() {
        return family;
    }

    /** All keys of this kind. */
    public KeyRange range() {
        return new KeyRange(Key.of(family, 0, 0, 0, 0, 0), Key.of(family + 1, 0, 0, 0, 0, 0));
    }

    /** Whether values are pages, 8192 bytes each; else they are small and come and go. */
    public boolean isPage() {
        return family < FIRST_SPARSE_FAMILY;
    }

    /** Whether a branch sees what its ancestor had at the branch point. */
    public boolean isInherited() {
        return family < FIRST_OWN_FAMILY;
    }

    /** The kind of a key; null for one that nobody makes. */
    public static @Nullable KeyKind of(Key key) {
        return BY_FAMILY[key.family()];
    }
}
