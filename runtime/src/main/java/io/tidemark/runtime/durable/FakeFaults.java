package io.tidemark.runtime.durable;

/** What goes wrong on a {@link FakeDisk}, and when: power, counted in operations, and fsyncs. Guarded by the disk's monitor. */
final class FakeFaults {
    private static final int NEVER = -1;

    private long operations;
    /** The operation during which power fails; 0 means never. */
    private long lastOperation;

    private boolean powerLost;
    private int goodSyncs = NEVER;
    private int crashes;

    long operations() {
        return operations;
    }

    int crashes() {
        return crashes;
    }

    void losePowerDuring(int n) {
        lastOperation = operations + n;
    }

    void losePower() {
        powerLost = true;
    }

    boolean hasLostPower() {
        return powerLost;
    }

    void failSyncAfter(int good) {
        goodSyncs = good;
    }

    void crash() {
        crashes++;
        powerLost = false;
        lastOperation = 0;
        goodSyncs = NEVER;
    }

    void requirePower() {
        if (powerLost) {
            throw new PowerLossException("the disk has no power");
        }
    }

    /** Counts an operation; answers whether power fails during it, for {@link #endOperation}. */
    boolean beginOperation() {
        requirePower();
        operations++;
        return operations == lastOperation;
    }

    void endOperation(boolean last) {
        if (last) {
            powerLost = true;
            requirePower();
        }
    }

    /** Counts a sync, which does nothing when power fails during it; answers whether it fails. */
    boolean nextSyncFails() {
        endOperation(beginOperation());
        if (goodSyncs == NEVER) {
            return false;
        }
        goodSyncs--;
        return goodSyncs == NEVER;
    }
}
