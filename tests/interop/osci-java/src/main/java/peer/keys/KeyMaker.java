package peer.keys;

import java.io.*;
import java.math.BigInteger;
import java.nio.file.*;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.*;
import java.time.temporal.ChronoUnit;
import java.util.Date;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.*;
import org.bouncycastle.cert.X509CRLHolder;
import org.bouncycastle.cert.jcajce.*;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** Makes the invented CA and everybody's keys, fresh for each run: no secret lives in the repository. */
public final class KeyMaker {
    private static final int CIPHER = KeyUsage.keyEncipherment | KeyUsage.dataEncipherment;
    private static final int SIGNATURE = KeyUsage.digitalSignature | KeyUsage.nonRepudiation;

    private final Path folder;
    private final char[] pin;
    private final Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    private long serial = 4096;

    public KeyMaker(Path folder, String pin) {
        this.folder = folder;
        this.pin = pin.toCharArray();
    }

    public void make() throws Exception {
        Files.createDirectories(folder);
        Identity ca = authority("ca", "Invented Test CA");
        Identity otherCa = authority("stranger-ca", "Stranger CA");
        for (String party : new String[] {"intermediary", "originator", "addressee", "author", "reader1", "reader2"}) {
            both(ca, party, 3072);
        }
        both(ca, "weak1024", 1024);
        both(ca, "rsa2048", 2048);
        both(otherCa, "stranger", 3072);
        ec(ca, "originator_ec256", "secp256r1");
        ec(ca, "originator_ec384", "secp384r1");
        issue(ca, "expired_cipher", rsa(3072), CIPHER, -400, -1);
        issue(ca, "expired_signature", rsa(3072), SIGNATURE, -400, -1);
        issue(ca, "wrongusage_signature", rsa(3072), CIPHER, -1, 730);
        KeyPair own = rsa(3072);
        selfSigned("selfsigned_cipher", own, CIPHER);
        selfSigned("selfsigned_signature", rsa(3072), SIGNATURE);
        Identity cipher = issue(ca, "revoked_cipher", rsa(3072), CIPHER, -1, 730);
        Identity signature = issue(ca, "revoked_signature", rsa(3072), SIGNATURE, -1, 730);
        revoke(ca, cipher, signature);
    }

    private void both(Identity ca, String party, int bits) throws Exception {
        issue(ca, party + "_cipher", rsa(bits), CIPHER, -1, 730);
        issue(ca, party + "_signature", rsa(bits), SIGNATURE, -1, 730);
    }

    private void ec(Identity ca, String party, String curve) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec(curve));
        issue(ca, party + "_signature", generator.generateKeyPair(), SIGNATURE, -1, 730);
    }

    private static KeyPair rsa(int bits) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(bits);
        return generator.generateKeyPair();
    }

    private Identity authority(String file, String name) throws Exception {
        KeyPair keys = rsa(3072);
        X500Name subject = name(name);
        var builder = builder(subject, subject, keys, -800, 3650);
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
        return save(file, keys, builder, signer(keys.getPrivate()));
    }

    private Identity issue(Identity ca, String file, KeyPair keys, int usage, int fromDay, int toDay) throws Exception {
        var builder = builder(new JcaX509CertificateHolder(ca.certificate()).getSubject(), name(file), keys, fromDay, toDay);
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(usage));
        var extensions = new JcaX509ExtensionUtils();
        builder.addExtension(Extension.subjectKeyIdentifier, false, extensions.createSubjectKeyIdentifier(keys.getPublic()));
        builder.addExtension(Extension.authorityKeyIdentifier, false,
                extensions.createAuthorityKeyIdentifier(ca.certificate().getPublicKey()));
        return save(file, keys, builder, signer(ca.key()));
    }

    private Identity selfSigned(String file, KeyPair keys, int usage) throws Exception {
        var builder = builder(name(file), name(file), keys, -1, 730);
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(usage));
        return save(file, keys, builder, signer(keys.getPrivate()));
    }

    private JcaX509v3CertificateBuilder builder(X500Name issuer, X500Name subject, KeyPair keys, int fromDay, int toDay) {
        return new JcaX509v3CertificateBuilder(issuer, BigInteger.valueOf(serial++), day(fromDay), day(toDay),
                subject, keys.getPublic());
    }

    private void revoke(Identity ca, Identity... revoked) throws Exception {
        var builder = new JcaX509v2CRLBuilder(ca.certificate(), Date.from(now));
        builder.setNextUpdate(day(90));
        for (Identity identity : revoked) {
            builder.addCRLEntry(identity.certificate().getSerialNumber(), day(0), CRLReason.keyCompromise);
        }
        X509CRLHolder list = builder.build(signer(ca.key()));
        Files.write(folder.resolve("crl.der"), list.getEncoded());
        pem("crl.pem", list);
    }

    private Identity save(String file, KeyPair keys, JcaX509v3CertificateBuilder builder, ContentSigner signer)
            throws Exception {
        X509Certificate certificate = new JcaX509CertificateConverter().getCertificate(builder.build(signer));
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry(file, keys.getPrivate(), pin, new java.security.cert.Certificate[] {certificate});
        try (OutputStream out = Files.newOutputStream(folder.resolve(file + ".p12"))) {
            store.store(out, pin);
        }
        pem(file + ".pem", certificate);
        pem(file + ".key", new JcaPKCS8Generator(keys.getPrivate(), null));
        return new Identity(file, keys.getPrivate(), certificate);
    }

    private void pem(String file, Object what) throws IOException {
        try (JcaPEMWriter writer = new JcaPEMWriter(Files.newBufferedWriter(folder.resolve(file)))) {
            writer.writeObject(what);
        }
    }

    private static ContentSigner signer(PrivateKey key) throws Exception {
        return new JcaContentSignerBuilder("SHA256withRSA").build(key);
    }

    private static X500Name name(String common) {
        return new X500Name("C=DE,O=Invented OSCI Test,CN=" + common);
    }

    private Date day(int offset) {
        return Date.from(now.plus(Duration.ofDays(offset)));
    }
}
