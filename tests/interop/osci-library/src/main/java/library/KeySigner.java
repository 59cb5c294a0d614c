package library;

import de.osci.osci12.common.*;
import de.osci.osci12.extinterfaces.crypto.Signer;
import java.security.*;
import java.security.cert.X509Certificate;
import java.util.function.UnaryOperator;
import peer.keys.Identity;

/** Signs with a key of the folder, by the algorithm asked for; may show one certificate and use the key of another. */
public final class KeySigner extends Signer {
    private final Identity shown;
    private final Identity used;
    private final String algorithm;
    /** What becomes of the SignedInfo before it is signed: to sign anew what the line will then carry. */
    public UnaryOperator<byte[]> change = UnaryOperator.identity();

    public KeySigner(Identity identity) {
        this(identity, identity, usual(identity));
    }

    public KeySigner(Identity shown, Identity used, String algorithm) {
        this.shown = shown;
        this.used = used;
        this.algorithm = algorithm;
    }

    private static String usual(Identity identity) {
        return identity.key().getAlgorithm().startsWith("EC") ? Constants.SIGNATURE_ALGORITHM_ECDSA_SHA256 : Constants.SIGNATURE_ALGORITHM_RSA_SHA256;
    }

    @Override
    public byte[] sign(byte[] data, String algorithm) throws SignatureException {
        try {
            Signature signature = Signature.getInstance(Constants.JCA_JCE_MAP.get(algorithm), DialogHandler.getSecurityProvider());
            signature.initSign(used.key());
            signature.update(change.apply(data));
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new SignatureException(e);
        }
    }

    @Override
    public X509Certificate getCertificate() {
        return shown.certificate();
    }

    @Override
    public String getAlgorithm() {
        return algorithm;
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
