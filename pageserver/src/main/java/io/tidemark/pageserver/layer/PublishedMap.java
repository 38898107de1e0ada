package io.tidemark.pageserver.layer;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;

/**
 * The one layer map that readers find, and those that some of them still have. A layer is released when no map is left that holds
 * it.
 *
 * <p>Readers take no lock: see {@link LayerMap}. The lock orders those who publish.
 */
final class PublishedMap {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition happened = lock.newCondition();
    private final IdentityHashMap<Layer, Integer> holders = new IdentityHashMap<>();
    private final List<LayerMap> retired = new ArrayList<>();
    private volatile LayerMap current;
    private volatile boolean anyRetired;
    private long events;

    PublishedMap(LayerMap first) {
        this.current = first;
        hold(first);
    }

    LayerMap current() {
        return current;
    }

    /** Publishes what {@code change} makes of the current map. */
    void publish(UnaryOperator<LayerMap> change) {
        List<Layer> released;
        lock.lock();
        try {
            LayerMap old = current;
            LayerMap next = change.apply(old);
            hold(next);
            current = next;
            retired.add(old);
            anyRetired = true;
            released = unheld();
            events++;
            happened.signalAll();
        } finally {
            lock.unlock();
        }
        released.forEach(Layer::release);
    }

    private void hold(LayerMap map) {
        map.layers().forEach(layer -> holders.merge(layer, 1, Integer::sum));
    }

    /** Takes back what maps without readers held. */
    private List<Layer> unheld() {
        List<Layer> released = new ArrayList<>();
        for (Iterator<LayerMap> maps = retired.iterator(); maps.hasNext(); ) {
            LayerMap map = maps.next();
            if (!map.isPinned()) {
                maps.remove();
                letGo(map, released);
            }
        }
        anyRetired = !retired.isEmpty();
        return released;
    }

    private void letGo(LayerMap map, List<Layer> released) {
        for (Layer layer : map.layers()) {
            if (holders.merge(layer, -1, Integer::sum) == 0) {
                holders.remove(layer);
                released.add(layer);
            }
        }
    }

    /** Looks again whether a retired map has no readers any more. */
    void reclaim() {
        if (!anyRetired || !lock.tryLock()) {
            return; // whoever has the lock looks, or the next reader that leaves does
        }
        List<Layer> released;
        try {
            released = unheld();
        } finally {
            lock.unlock();
        }
        released.forEach(Layer::release);
    }

    boolean anyRetired() {
        return anyRetired;
    }

    /** Counts publications and {@link #wake}s; for {@link #awaitEvent}. */
    long events() {
        lock.lock();
        try {
            return events;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until there are more events than were seen; answers the nanoseconds left, none at the deadline. */
    long awaitEvent(long seen, long nanos) throws InterruptedException {
        lock.lock();
        try {
            long left = nanos;
            while (events == seen && left > 0) {
                left = happened.awaitNanos(left);
            }
            return left;
        } finally {
            lock.unlock();
        }
    }

    /** Lets those who wait look again. */
    void wake() {
        lock.lock();
        try {
            events++;
            happened.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
