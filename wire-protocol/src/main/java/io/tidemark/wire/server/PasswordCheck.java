package io.tidemark.wire.server;

import io.tidemark.wire.frame.InitialPacket.StartupMessage;
import java.util.Optional;

/** Decides whether a client may come in. One per connection when it has something to remember for the session. */
@FunctionalInterface
public interface PasswordCheck {
    /**
     * Called on the event loop; must not block.
     *
     * @param password as the client sent it in clear text
     * @return empty when it may come in, else the message of the error that it gets
     */
    Optional<String> refusal(StartupMessage startup, String password);
}
