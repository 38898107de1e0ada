package io.tidemark.shim.postgres;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How a new data directory is made. Locale C and UTF-8 always, so that a data directory does not depend on the machine.
 *
 * @param user the superuser's name
 * @param password the superuser's password for connections over TCP (SCRAM); empty: whoever reaches the port is trusted
 * @param dataChecksums off in clusters Tidemark creates: storage carries its own checksums
 * @param walSegmentSizeMb a power of two from 1 to 1024
 */
public record InitDbOptions(String user, Optional<String> password, boolean dataChecksums, int walSegmentSizeMb) {
    /** Superuser {@code postgres}, trusted on loopback, no data checksums, segments of 16 MB. */
    public static InitDbOptions defaults() {
        return new InitDbOptions("postgres", Optional.empty(), false, 16);
    }

    public InitDbOptions withPassword(String newPassword) {
        return new InitDbOptions(user, Optional.of(newPassword), dataChecksums, walSegmentSizeMb);
    }

    public InitDbOptions withWalSegmentSizeMb(int newSizeMb) {
        return new InitDbOptions(user, password, dataChecksums, newSizeMb);
    }

    /** The flags of {@code initdb} for a major version, without the data directory and the password file. */
    List<String> flags(int major) {
        List<String> flags = new ArrayList<>(List.of(
                "--username=" + user,
                "--encoding=UTF8",
                "--locale=C",
                "--auth=" + (password.isPresent() ? "scram-sha-256" : "trust"),
                "--wal-segsize=" + walSegmentSizeMb,
                // The directory is made again if the machine crashes within the next seconds.
                "--no-sync"));
        if (dataChecksums) {
            flags.add("--data-checksums");
        } else if (major >= 18) {
            flags.add("--no-data-checksums");
        }
        return flags;
    }
}
