package peer.keys;

import java.io.InputStream;
import java.nio.file.*;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.*;

/** The folder that `keys` made (or any folder of PKCS#12 files with one PIN). */
public final class KeyRing {
    private final Map<String, Identity> identities = new TreeMap<>();

    public KeyRing(Path folder, String pin) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.p12")) {
            for (Path file : files) {
                Identity identity = load(file, pin.toCharArray());
                identities.put(identity.name(), identity);
            }
        } catch (Exception e) {
            throw new IllegalArgumentException("the keys in " + folder + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static Identity load(Path file, char[] pin) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, pin);
        }
        String alias = store.aliases().nextElement();
        String name = file.getFileName().toString().replaceFirst("\\.p12$", "");
        return new Identity(name, (PrivateKey) store.getKey(alias, pin), (X509Certificate) store.getCertificate(alias));
    }

    /** The same folder, but only the private keys of one party: what it may open. */
    public KeyRing only(String party) {
        KeyRing own = new KeyRing();
        identities.forEach((name, identity) -> {
            if (name.startsWith(party + "_")) own.identities.put(name, identity);
        });
        return own;
    }

    private KeyRing() { }

    public Identity get(String name) {
        Identity identity = identities.get(name);
        if (identity == null) throw new IllegalArgumentException("no key " + name + ".p12 in the key folder");
        return identity;
    }

    /** Whose private key fits this certificate: byte for byte, as OSCI chooses the key. */
    public Optional<Identity> owner(X509Certificate certificate) {
        return identities.values().stream().filter(i -> i.certificate().equals(certificate)).findFirst();
    }

    public Collection<Identity> all() {
        return identities.values();
    }

    public Party party(String name) {
        return new Party(get(name + "_cipher"), get(name + "_signature"));
    }

    /** A role owns up to two certificates: one to receive with, one to sign with. */
    public record Party(Identity cipher, Identity signature) { }
}
