package io.tidemark.runtime.owner;

/**
 * How much may wait in a mailbox, and how much makes one batch.
 *
 * @param mailboxMessages tellers are asked to stop at this many waiting messages
 * @param mailboxBytes tellers are asked to stop at this many waiting bytes
 * @param batchMessages a batch ends at the latest after this many messages, so that nobody waits for ever for its end
 * @param batchBytes a batch ends at the latest after this many bytes
 */
public record OwnerLimits(int mailboxMessages, long mailboxBytes, int batchMessages, long batchBytes) {
    public OwnerLimits {
        if (mailboxMessages < 1 || mailboxBytes < 1 || batchMessages < 1 || batchBytes < 1) {
            throw new IllegalArgumentException("a limit of an owner is at least 1");
        }
    }
}
