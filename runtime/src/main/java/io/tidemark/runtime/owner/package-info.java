/**
 * State that is changed by one thread at a time: a mailbox, and somebody who empties it.
 *
 * <p>An {@link io.tidemark.runtime.owner.Owner} is not a thread of its own. It borrows one of {@link
 * io.tidemark.runtime.owner.OwnerThreads} when something arrives, takes all that has arrived, ends the batch (that is where a
 * timeline does its one fdatasync) and gives the thread back when the mailbox is empty. So a thousand idle owners cost their
 * mailboxes, a few hundred bytes each, and no thread, timer or poll.
 *
 * <p>Always: one thread at a time runs an owner's behaviour, and what one batch wrote is visible to the next; messages are
 * handled in the order in which {@code tell} took them; every message that was taken is handled or discarded exactly once. A full mailbox
 * refuses nothing at once: it asks the teller to stop, and says when to go on.
 *
 * <p>Knows nothing of timelines, sockets or files. Start reading at {@link io.tidemark.runtime.owner.Owner}.
 */
@NullMarked
package io.tidemark.runtime.owner;

import org.jspecify.annotations.NullMarked;
