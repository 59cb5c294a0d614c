package peer.wire;

import java.io.*;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.MGF1ParameterSpec;
import java.util.*;
import javax.crypto.*;
import javax.crypto.spec.*;
import org.w3c.dom.*;
import peer.keys.*;

/** Encryption by javax.crypto: of whole messages for a partner, and of content for readers. */
public final class Crypt {
    private static final SecureRandom RANDOM = new SecureRandom();

    /** How something is encrypted. Each field can be set apart, so that a negative case breaks exactly one thing. */
    public static final class Style implements Cloneable {
        public String algorithm = Xml.XENC11 + "aes256-gcm";
        public int ivLength = 12;
        /** What IvLength says; null leaves the element out (which means 16 octets). */
        public Integer declaredIv = 12;
        public String keyTransport = Xml.XENC11 + "rsa-oaep";
        public String mgf = Xml.XENC11 + "mgf1sha256";
        public String digest = Signing.SHA256;
        /** OAEP hash actually used. */
        public String hash = "SHA-256";
        public byte[] oaepLabel;
        public boolean base64;
        /** Algorithm names to announce instead of those used. */
        public String announced;
        public String announcedKeyTransport;
        public boolean flipCiphertext;
        public boolean flipKey;
        public X509Certificate announcedRecipient;

        public Style with(java.util.function.Consumer<Style> change) {
            try {
                Style copy = (Style) clone();
                change.accept(copy);
                return copy;
            } catch (CloneNotSupportedException e) {
                throw new IllegalStateException(e);
            }
        }

        public static Style cbc() {
            return new Style().with(s -> {
                s.algorithm = Xml.XENC + "aes256-cbc";
                s.ivLength = 16;
                s.declaredIv = null;
            });
        }

        boolean gcm() {
            return algorithm.endsWith("-gcm");
        }

        int keyBytes() {
            return algorithm.contains("128") ? 16 : algorithm.contains("192") ? 24 : 32;
        }
    }

    private Crypt() { }

    /** Wraps a plain message into soapMessageEncrypted for the partner's cipher certificate. */
    public static byte[] message(byte[] plain, X509Certificate recipient, Style style) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            byte[] key = random(style.keyBytes());
            ByteArrayOutputStream octets = new ByteArrayOutputStream();
            try (OutputStream cipher = encrypting(octets, key, style)) {
                cipher.write(plain);
            }
            byte[] secret = octets.toByteArray();
            if (style.flipCiphertext) secret[secret.length / 2] ^= 1;
            Mime.write(out, Message.root(envelope(key, recipient, style)), List.of(new Mime.Part("osci_enc",
                    style.base64 ? "text/base64" : "application/octet-stream", style.base64 ? "7bit" : "binary",
                    Mime.Data.of(secret))));
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
        return out.toByteArray();
    }

    /** The outer envelope alone; for large messages the second part is streamed beside it. */
    public static String envelope(byte[] key, X509Certificate recipient, Style style) throws GeneralSecurityException {
        X509Certificate named = style.announcedRecipient == null ? recipient : style.announcedRecipient;
        String keyInfo = "<ds:X509Data><ds:X509Certificate>" + Identity.base64(named)
                + "</ds:X509Certificate></ds:X509Data>";
        return "<soap:Envelope" + Xml.FIVE + " xsi:schemaLocation=\"" + Message.schemaLocation("MessageEncrypted")
                + "\"><soap:Body><xenc:EncryptedData MimeType=\"Multipart/Related\">" + method(style) + "<ds:KeyInfo>"
                + encryptedKey(key, recipient, keyInfo, style) + "</ds:KeyInfo><xenc:CipherData>"
                + "<xenc:CipherReference URI=\"cid:osci_enc\"><xenc:Transforms><ds:Transform Algorithm=\"" + Xml.DS
                + "base64\"></ds:Transform></xenc:Transforms></xenc:CipherReference></xenc:CipherData>"
                + "</xenc:EncryptedData></soap:Body></soap:Envelope>";
    }

    /** Content for one or more readers: certificate Id in the message, certificate. */
    public static String content(String xml, String id, Map<String, X509Certificate> readers, Style style) {
        try {
            byte[] key = random(style.keyBytes());
            StringBuilder keys = new StringBuilder();
            for (var reader : readers.entrySet()) {
                keys.append(encryptedKey(key, reader.getValue(), "<ds:RetrievalMethod Type=\"" + Xml.DS
                        + "X509Data\" URI=\"#" + reader.getKey() + "\"></ds:RetrievalMethod>", style));
            }
            ByteArrayOutputStream secret = new ByteArrayOutputStream();
            try (OutputStream cipher = encrypting(secret, key, style)) {
                cipher.write(xml.getBytes(StandardCharsets.UTF_8));
            }
            return "<xenc:EncryptedData Id=\"" + id + "\" MimeType=\"text/xml\">" + method(style) + "<ds:KeyInfo>" + keys
                    + "</ds:KeyInfo><xenc:CipherData><xenc:CipherValue>" + Xml.base64(secret.toByteArray())
                    + "</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>";
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String method(Style style) {
        String iv = style.declaredIv == null ? "" : "<osci128:IvLength xmlns:osci128=\"" + Xml.OSCI128 + "\" Value=\""
                + style.declaredIv + "\"></osci128:IvLength>";
        String name = style.announced == null ? style.algorithm : style.announced;
        return "<xenc:EncryptionMethod Algorithm=\"" + name + "\">" + iv + "</xenc:EncryptionMethod>";
    }

    private static String encryptedKey(byte[] key, X509Certificate to, String keyInfo, Style style)
            throws GeneralSecurityException {
        boolean oaep = style.keyTransport.endsWith("oaep") || style.keyTransport.endsWith("oaep-mgf1p");
        String parameters = "";
        if (oaep) {
            if (style.oaepLabel != null) parameters += "<xenc:OAEPparams>" + Xml.base64(style.oaepLabel) + "</xenc:OAEPparams>";
            if (style.mgf != null) parameters += "<xenc11:MGF xmlns:xenc11=\"" + Xml.XENC11 + "\" Algorithm=\"" + style.mgf + "\"></xenc11:MGF>";
            parameters += "<ds:DigestMethod Algorithm=\"" + style.digest + "\"></ds:DigestMethod>";
        }
        byte[] wrapped = rsa(Cipher.ENCRYPT_MODE, to.getPublicKey(), style, oaep).doFinal(key);
        if (style.flipKey) wrapped[wrapped.length / 2] ^= 1;
        String name = style.announcedKeyTransport == null ? style.keyTransport : style.announcedKeyTransport;
        return "<xenc:EncryptedKey><xenc:EncryptionMethod Algorithm=\"" + name + "\">"
                + parameters + "</xenc:EncryptionMethod><ds:KeyInfo>" + keyInfo + "</ds:KeyInfo><xenc:CipherData>"
                + "<xenc:CipherValue>" + Xml.base64(wrapped) + "</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>";
    }

    private static Cipher rsa(int mode, Key key, Style style, boolean oaep) throws GeneralSecurityException {
        if (!oaep) {
            Cipher cipher = Cipher.getInstance("RSA/ECB/PKCS1Padding");
            cipher.init(mode, key);
            return cipher;
        }
        MGF1ParameterSpec mgf = new MGF1ParameterSpec(style.keyTransport.endsWith("mgf1p") ? "SHA-1" : style.hash);
        PSource label = style.oaepLabel == null ? PSource.PSpecified.DEFAULT : new PSource.PSpecified(style.oaepLabel);
        Cipher cipher = Cipher.getInstance("RSA/ECB/OAEPPadding");
        cipher.init(mode, key, new OAEPParameterSpec(style.hash, "MGF1", mgf, label));
        return cipher;
    }

    /** Writes IV, ciphertext (and tag) to `out` while plaintext is written to the result. */
    public static OutputStream encrypting(OutputStream out, byte[] key, Style style) throws IOException {
        try {
            byte[] iv = random(style.ivLength);
            out.write(iv);
            Cipher cipher = symmetric(style.gcm());
            cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"),
                    style.gcm() ? new GCMParameterSpec(128, iv) : new IvParameterSpec(iv));
            return new CipherOutputStream(out, cipher);
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
    }

    public static byte[] random(int length) {
        byte[] bytes = new byte[length];
        RANDOM.nextBytes(bytes);
        return bytes;
    }

    private static Cipher symmetric(boolean gcm) throws GeneralSecurityException {
        return Cipher.getInstance(gcm ? "AES/GCM/NoPadding" : "AES/CBC/PKCS5Padding");
    }

    /** Opens a soapMessageEncrypted; the keys are chosen by the certificate it names. */
    public static byte[] open(Document envelope, Map<String, Mime.Part> parts, KeyRing keys) {
        Element data = Xml.first(envelope, Xml.XENC, "EncryptedData").orElseThrow(() -> new IllegalArgumentException("no EncryptedData"));
        Element key = Xml.first(data, Xml.XENC, "EncryptedKey").orElseThrow(() -> new IllegalArgumentException("no EncryptedKey"));
        try {
            X509Certificate named = Certificates.in(key);
            Identity owner = keys.owner(named).orElseThrow(() -> new Refusal("9200",
                    "encrypted for " + named.getSubjectX500Principal() + ", whose key is not here"));
            Mime.Part part = parts.get("osci_enc");
            if (part == null) throw new IllegalArgumentException("no part osci_enc");
            return decrypt(data, unwrap(key, owner.key()), part.data().bytes());
        } catch (GeneralSecurityException e) {
            throw new Refusal("9202", "cannot be decrypted: " + e.getMessage());
        }
    }

    /** Opens EncryptedData of the content for the reader whose certificate Id the message knows. */
    public static Document openContent(Element data, Identity reader) throws GeneralSecurityException {
        for (Element key : Xml.all(data, Xml.XENC, "EncryptedKey")) {
            String uri = Xml.first(key, Xml.DS, "RetrievalMethod").map(e -> e.getAttribute("URI")).orElse("");
            Element named = uri.isEmpty() ? null : data.getOwnerDocument().getElementById(uri.substring(1));
            if (named == null || !Certificates.in(named).equals(reader.certificate())) continue;
            Element value = Xml.children(data).stream().filter(e -> Xml.is(e, Xml.XENC, "CipherData")).findFirst().orElseThrow();
            byte[] plain = decrypt(data, unwrap(key, reader.key()), Xml.base64(value.getTextContent()));
            return Xml.parse(plain);
        }
        throw new GeneralSecurityException("no key for this reader");
    }

    private static byte[] unwrap(Element key, PrivateKey secret) throws GeneralSecurityException {
        Element method = Xml.child(key, Xml.XENC, "EncryptionMethod").orElseThrow();
        Style style = new Style();
        boolean oaep = method.getAttribute("Algorithm").equals(Xml.XENC11 + "rsa-oaep");
        style.hash = Xml.first(method, Xml.DS, "DigestMethod").map(e -> e.getAttribute("Algorithm")).orElse("").endsWith("512") ? "SHA-512" : "SHA-256";
        Element data = Xml.child(key, Xml.XENC, "CipherData").orElseThrow();
        return rsa(Cipher.DECRYPT_MODE, secret, style, oaep).doFinal(Xml.base64(data.getTextContent()));
    }

    private static byte[] decrypt(Element data, byte[] key, byte[] octets) throws GeneralSecurityException {
        Element method = Xml.child(data, Xml.XENC, "EncryptionMethod").orElseThrow();
        String algorithm = method.getAttribute("Algorithm");
        boolean gcm = algorithm.endsWith("-gcm");
        int length = gcm ? Xml.child(method, Xml.OSCI128, "IvLength").map(e -> Integer.parseInt(e.getAttribute("Value"))).orElse(16) : 16;
        byte[] iv = Arrays.copyOf(octets, length);
        Cipher cipher = symmetric(gcm);
        cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key, "AES"), gcm ? new GCMParameterSpec(128, iv) : new IvParameterSpec(iv));
        return cipher.doFinal(octets, length, octets.length - length);
    }
}
