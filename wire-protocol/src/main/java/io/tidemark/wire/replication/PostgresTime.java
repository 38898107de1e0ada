package io.tidemark.wire.replication;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** Time as PostgreSQL's protocols have it (TimestampTz): microseconds since 2000-01-01 00:00:00 UTC. */
public final class PostgresTime {
    private static final Instant EPOCH = Instant.parse("2000-01-01T00:00:00Z");

    private PostgresTime() {}

    /** Throws {@link ArithmeticException} for instants some 292,000 years away. */
    public static long ofInstant(Instant instant) {
        return ChronoUnit.MICROS.between(EPOCH, instant);
    }

    /** Total: every long is an instant. */
    public static Instant toInstant(long micros) {
        return EPOCH.plus(micros, ChronoUnit.MICROS);
    }
}
