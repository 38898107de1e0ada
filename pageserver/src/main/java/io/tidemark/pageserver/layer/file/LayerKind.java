package io.tidemark.pageserver.layer.file;

/** What a layer file promises about its versions. */
public enum LayerKind {
    /** Any versions within a range of LSNs. */
    DELTA(1, "delta"),
    /** Bases of one LSN, one per key. A key that is not in it may still exist. */
    IMAGE(2, "image");

    private final int code;
    private final String suffix;

    LayerKind(int code, String suffix) {
        this.code = code;
        this.suffix = suffix;
    }

    int code() {
        return code;
    }

    /** The end of the file's name, behind the dot. */
    public String suffix() {
        return suffix;
    }

    static LayerKind ofCode(int code) {
        return switch (code) {
            case 1 -> DELTA;
            case 2 -> IMAGE;
            default -> throw new IllegalArgumentException("no kind of layer has code " + code);
        };
    }
}
