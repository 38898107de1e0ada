package io.tidemark.simulation.actor;

import io.tidemark.safekeeper.acceptor.AcceptorEvent;
import io.tidemark.simulation.invariant.AcceptorView;
import io.tidemark.simulation.world.Dice;
import io.tidemark.wire.id.Term;

/** What goes on beside consensus: safekeepers hear of each other through a broker, late and out of order, and save their LSNs. */
public final class BrokerActor {
    private static final long SECOND = 1_000_000;

    private final World world;
    private final Dice dice;

    public BrokerActor(World world) {
        this.world = world;
        this.dice = world.dice("broker");
    }

    public void begin() {
        world.queue().after(dice.between(SECOND / 10, 2 * SECOND), () -> {
            if (dice.chance(0.3)) {
                dice.pick(world.safekeepers()).happens(new AcceptorEvent.SaveLsns());
            } else {
                spread(dice.pick(world.safekeepers()), dice.pick(world.safekeepers()));
            }
            begin();
        });
    }

    private void spread(SafekeeperActor from, SafekeeperActor to) {
        AcceptorView view = from.view();
        if (view == null || from == to) {
            return;
        }
        Term lastLogTerm = view.termHistory().upTo(view.flushLsn()).lastTerm();
        AcceptorEvent news = new AcceptorEvent.PeerProgress(
                lastLogTerm, view.commitLsn(), view.backupLsn(), view.remoteConsistentLsn(), view.peerHorizonLsn());
        world.queue().after(dice.longTail(1_000, 20 * SECOND), () -> to.happens(news));
    }
}
