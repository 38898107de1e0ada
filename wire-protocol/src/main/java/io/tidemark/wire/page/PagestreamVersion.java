package io.tidemark.wire.page;

import java.util.Optional;

/** The versions of the pagestream protocol; the command that starts a stream names its own. */
public enum PagestreamVersion {
    /** No request id, no echo. */
    V2("pagestream_v2"),

    /** A request id, and every answer begins with the whole request. */
    V3("pagestream_v3");

    private final String command;

    PagestreamVersion(String command) {
        this.command = command;
    }

    /** The first word of the command. */
    public String command() {
        return command;
    }

    /** The version that a command's first word asks for, in any case of letters. */
    public static Optional<PagestreamVersion> ofCommand(String word) {
        for (PagestreamVersion version : values()) {
            if (version.command.equalsIgnoreCase(word)) {
                return Optional.of(version);
            }
        }
        return Optional.empty();
    }
}
