/**
 * The deterministic simulation of WAL on a quorum: real proposers, acceptors, WAL files and wire codecs in a world where one seed
 * decides everything else. It is the judge of consensus here.
 *
 * <p>A seed makes a cluster (how many safekeepers, which protocol version, which membership), a workload (competing computes that
 * write WAL, sync and restart) and a schedule of faults (crashes that lose unsynced bytes, torn writes, full disks, failed
 * fsync, cut and half-open connections, late messages, membership changes that are interrupted). After each event the
 * invariants of {@link io.tidemark.simulation.invariant} are checked; the end is quiet, and then there must be progress.
 *
 * <p>{@link io.tidemark.simulation.Mutant} is the proof that it can see: each is a deliberate bug around the real classes, and
 * a test asserts that each is caught. Start reading at {@link io.tidemark.simulation.Simulation}.
 */
@NullMarked
package io.tidemark.simulation;

import org.jspecify.annotations.NullMarked;
