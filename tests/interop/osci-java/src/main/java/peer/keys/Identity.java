package peer.keys;

import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.HexFormat;

/** A key pair with its certificate, under the file name it has in the key folder. */
public record Identity(String name, PrivateKey key, X509Certificate certificate) {

    /** The Id that OSCI partners give a certificate: role, use, SHA-256 of the DER. */
    public String id(String role, String use) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
            return role + "_" + use + "_" + HexFormat.of().formatHex(hash);
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The certificate in Base64, wrapped with LF as on the wire. */
    public static String base64(X509Certificate certificate) {
        try {
            return Base64.getMimeEncoder(76, new byte[] {'\n'}).encodeToString(certificate.getEncoded());
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
