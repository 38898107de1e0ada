package io.tidemark.safekeeper.acceptor;

/**
 * What speaks against a message.
 *
 * @param alarming true when a healthy cluster can't produce it
 */
record Objection(Refusal refusal, String reason, boolean alarming) {
    static Objection of(Refusal refusal, String reason) {
        return new Objection(refusal, reason, false);
    }
}
