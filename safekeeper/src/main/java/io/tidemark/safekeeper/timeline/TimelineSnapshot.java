package io.tidemark.safekeeper.timeline;

import io.tidemark.safekeeper.acceptor.AcceptorState;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;

/**
 * One moment of a timeline, for whoever is not its owner. All of it has been carried out: what it calls flushed is durable.
 *
 * @param state the control file; its LSNs may lag behind the ones below
 * @param lastLogTerm the term that wrote the end of the WAL; 0 when there is none
 * @param writeLsn end of what was handed to the operating system
 * @param flushLsn end of the last complete record that is durable here
 * @param commitLsn end of what is known to be on a quorum; readers may have everything before it
 */
public record TimelineSnapshot(
        AcceptorState state,
        Term lastLogTerm,
        Lsn writeLsn,
        Lsn flushLsn,
        Lsn commitLsn,
        Lsn backupLsn,
        Lsn peerHorizonLsn,
        Lsn remoteConsistentLsn) {}
