package io.tidemark.pageserver.verify;

import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.ToLongFunction;

/** What {@link WalVerifier} found: counts per opcode, and the first differences of each. */
public final class VerifyReport {
    private static final int OPCODE = 0xF0;
    private static final int OPERATIONS = 16;

    private final int pgMajor;
    private final int maxFindings;
    private final TreeMap<Integer, OpcodeCounts> counts = new TreeMap<>();
    private final List<Finding> findings = new ArrayList<>();

    VerifyReport(int pgMajor, int maxFindings) {
        this.pgMajor = pgMajor;
        this.maxFindings = maxFindings;
    }

    /** One entry per opcode seen, in the order of resource managers and opcodes. */
    public List<OpcodeCounts> operations() {
        return List.copyOf(counts.values());
    }

    /** The differences kept, in order. */
    public List<Finding> findings() {
        return List.copyOf(findings);
    }

    /** The sum of one count over all opcodes. */
    public long total(ToLongFunction<OpcodeCounts> count) {
        return counts.values().stream().mapToLong(count).sum();
    }

    OpcodeCounts of(WalRecord record) {
        int operation = record.info() >> 4;
        if (record.rmgrId() == ResourceManagers.TRANSACTION) {
            operation &= 0x7; // there the high bit only says that extra information follows
        }
        return counts.computeIfAbsent(record.rmgrId() * OPERATIONS + operation, slot -> {
            String name = ResourceManagers.opcodeOf(record.rmgrId(), record.info(), pgMajor);
            return new OpcodeCounts(
                    record.rmgrId(),
                    ResourceManagers.nameOf(record.rmgrId()),
                    name != null ? name : "0x%02X".formatted(record.info() & OPCODE));
        });
    }

    void mismatch(OpcodeCounts count, String title, List<String> details) {
        count.mismatches++;
        if (count.mismatches <= maxFindings) {
            findings.add(new Finding(title, details));
        }
    }
}
