package io.tidemark.runtime.auth;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Ed25519 public keys from PEM files ({@code openssl pkey -pubout}): of one file, or of every regular file of a directory, so that a
 * new key can be valid before the old one is retired.
 */
final class PublicKeys {
    private static final Pattern PEM = Pattern.compile("-----BEGIN PUBLIC KEY-----([^-]*)-----END PUBLIC KEY-----");
    private static final int MAX_FILE_BYTES = 64 * 1024;

    private PublicKeys() {}

    /** Throws an {@link IOException} that names the file when there is no key, or one that can't be read. */
    static List<PublicKey> load(Path fileOrDirectory) throws IOException {
        List<PublicKey> keys = new ArrayList<>();
        if (Files.isDirectory(fileOrDirectory)) {
            try (Stream<Path> files = Files.list(fileOrDirectory)) {
                for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                    keys.addAll(ofFile(file));
                }
            }
        } else {
            keys.addAll(ofFile(fileOrDirectory));
        }
        if (keys.isEmpty()) {
            throw new IOException("there is no public key in the directory " + fileOrDirectory);
        }
        return List.copyOf(keys);
    }

    private static List<PublicKey> ofFile(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException("there is no file " + file + " with a public key");
        }
        if (Files.size(file) > MAX_FILE_BYTES) {
            throw new IOException(file + " is too long for a public key");
        }
        Matcher blocks = PEM.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
        List<PublicKey> keys = new ArrayList<>();
        while (blocks.find()) {
            keys.add(decode(file, blocks.group(1)));
        }
        if (keys.isEmpty()) {
            throw new IOException(file + " holds no public key in PEM form (BEGIN PUBLIC KEY)");
        }
        return keys;
    }

    private static PublicKey decode(Path file, String base64) throws IOException {
        try {
            byte[] der = Base64.getMimeDecoder().decode(base64.strip());
            return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(der));
        } catch (IllegalArgumentException | GeneralSecurityException e) {
            throw new IOException(file + " holds a public key that is not one of Ed25519", e);
        }
    }
}
