/**
 * The WAL push protocol, versions 2 and 3: what a proposer and an acceptor say to each other inside CopyBoth.
 *
 * <p>One sealed interface per direction, one record per message. Each message owns its tag and its grammar; the interfaces
 * have the only switch over tags. Version 2 is little endian with 8-byte tags and no generations (they decode as 0);
 * version 3 is big endian with 1-byte tags. Decoders answer with a message or an {@link
 * io.tidemark.wire.frame.InvalidMessageException}, and never allocate by a length that the peer chose without checking it against what has arrived.
 *
 * <p>Source: Neon's walproposer.h and safekeeper.rs messages. Start reading at {@link
 * io.tidemark.wire.walpush.ProposerMessage}.
 */
@NullMarked
package io.tidemark.wire.walpush;

import org.jspecify.annotations.NullMarked;
