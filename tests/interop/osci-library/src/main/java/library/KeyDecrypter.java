package library;

import de.osci.osci12.common.Constants;
import de.osci.osci12.encryption.*;
import de.osci.osci12.extinterfaces.crypto.Decrypter;
import java.security.cert.X509Certificate;
import peer.keys.Identity;

/** Opens keys with a key of the folder, by the library's own cryptography. */
public final class KeyDecrypter extends Decrypter {
    private final Identity identity;

    public KeyDecrypter(Identity identity) {
        this.identity = identity;
    }

    @Override
    public byte[] decrypt(byte[] data) throws OSCICipherException {
        try {
            return Crypto.doRSADecryption(identity.key(), data);
        } catch (Exception e) {
            throw new OSCICipherException("decryption_error");
        }
    }

    @Override
    public byte[] decrypt(byte[] data, String mgf, String digest) throws OSCICipherException {
        try {
            return Crypto.doRSADecryption(identity.key(), data, Constants.ASYMMETRIC_CIPHER_ALGORITHM_RSA_OAEP, mgf, digest, null);
        } catch (Exception e) {
            throw new OSCICipherException("decryption_error");
        }
    }

    @Override
    public X509Certificate getCertificate() {
        return identity.certificate();
    }

    @Override
    public String getVendor() {
        return "drehscheibe";
    }

    @Override
    public String getVersion() {
        return "1";
    }
}
