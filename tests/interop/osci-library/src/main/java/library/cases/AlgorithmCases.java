package library.cases;

import de.osci.osci12.common.*;
import java.util.*;
import library.*;
import peer.cases.*;
import peer.keys.Identity;

/** H14–H19: other ways to encrypt and sign. */
public final class AlgorithmCases {
    private final Scene scene;

    public AlgorithmCases(Scene scene) {
        this.scene = scene;
    }

    @Case(id = "H14", title = "plain; plain and unsigned", expected = "plain=accept: 0800 in plain, else a fault; unsigned=accept: 0800, else 9600")
    public Outcome plain() {
        Reply plain = scene.client().plain().messageId();
        Dialog u = scene.client().plain();
        u.handler.setCreateSignatures(false);
        Reply unsigned = u.messageId();
        boolean allowed = scene.policy("plain", "accept").equals("accept");
        return Outcome.all(DialogCases.steps("plain", allowed ? plain.outcome("0800") : refused(plain),
                "unsigned", allowed && scene.accepts("unsigned") ? unsigned.outcome("0800") : unsigned.is("9600") ? unsigned.outcome("9600") : refused(unsigned)));
    }

    private static Outcome refused(Reply reply) {
        return Outcome.of(reply.wire.fault() && reply.wire.status == 200, reply.seen());
    }

    @Case(id = "H15", title = "RSA 1.5 key transport", expected = "rsa15=accept: 0800; else fault 9202")
    public Outcome rsa15() {
        Dialog d = scene.client();
        d.handler.setAsymmetricCipherAlgorithm(Constants.ASYMMETRIC_CIPHER_ALGORITHM_RSA_1_5);
        return d.messageId().outcome(scene.accepts("rsa15") ? "0800" : "fault 9202");
    }

    @Case(id = "H16", title = "client starts with CBC", expected = "cbc=accept: 0801 and the client goes on with GCM; else fault 9202")
    public Outcome cbc() {
        Dialog d = scene.client();
        d.handler.setSymmetricCipherAlgorithm(Constants.SYMMETRIC_CIPHER_ALGORITHM_AES256);
        Reply reply = d.init();
        if (!scene.accepts("cbc")) return reply.outcome("fault 9202");
        boolean gcm = d.handler.getSymmetricCipherAlgorithm().equals(Constants.SYMMETRIC_CIPHER_ALGORITHM_AES256_GCM);
        return gcm ? reply.outcome("0801") : Outcome.of(false, reply.seen()).noting("the client did not switch to GCM");
    }

    @Case(id = "H17", title = "16-octet IV", expected = "read; the answer has a 12-octet IV and says so")
    public Outcome longIv() {
        Dialog d = scene.client();
        d.handler.setIvLength(16);
        Reply reply = d.messageId();
        String outer = new String(d.line.received, java.nio.charset.StandardCharsets.ISO_8859_1);
        if (!outer.matches("(?s).*IvLength[^>]*Value=\"12\".*")) reply.problems.add("the answer does not say IvLength 12");
        return reply.outcome("0800");
    }

    @Case(id = "H18", title = "Base64 transfer encoding", expected = "0800")
    public Outcome base64() {
        return scene.client().send(handler -> {
            var order = new de.osci.osci12.messagetypes.GetMessageId(handler);
            order.setBase64Encoding(true);
            return order.send();
        }).outcome("0800");
    }

    @Case(id = "H19", title = "PSS, ECDSA, SHA-512, SHA-3, AES-128 and AES-192", expected = "0800 each")
    public Outcome signatures() {
        Identity rsa = scene.keys.get("originator_signature");
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("rsa-sha512", signed(rsa, Constants.SIGNATURE_ALGORITHM_RSA_SHA512, Constants.DIGEST_ALGORITHM_SHA512));
        steps.put("pss-sha256", signed(rsa, Constants.SIGNATURE_ALGORITHM_RSA_SHA256_PSS, Constants.DIGEST_ALGORITHM_SHA256));
        steps.put("pss-sha512", signed(rsa, Constants.SIGNATURE_ALGORITHM_RSA_SHA512_PSS, Constants.DIGEST_ALGORITHM_SHA256));
        steps.put("pss-sha3-256", signed(rsa, Constants.SIGNATURE_ALGORITHM_RSA_SHA3_256, Constants.DIGEST_ALGORITHM_SHA3_256));
        steps.put("pss-sha3-384", signed(rsa, Constants.SIGNATURE_ALGORITHM_RSA_SHA3_384, Constants.DIGEST_ALGORITHM_SHA3_384));
        steps.put("pss-sha3-512", signed(rsa, Constants.SIGNATURE_ALGORITHM_RSA_SHA3_512, Constants.DIGEST_ALGORITHM_SHA3_512));
        steps.put("ecdsa-sha256", signed(scene.keys.get("originator_ec256_signature"), Constants.SIGNATURE_ALGORITHM_ECDSA_SHA256, Constants.DIGEST_ALGORITHM_SHA256));
        steps.put("ecdsa-sha512", signed(scene.keys.get("originator_ec384_signature"), Constants.SIGNATURE_ALGORITHM_ECDSA_SHA512, Constants.DIGEST_ALGORITHM_SHA512));
        for (String algorithm : List.of(Constants.SYMMETRIC_CIPHER_ALGORITHM_AES128_GCM, Constants.SYMMETRIC_CIPHER_ALGORITHM_AES192_GCM)) {
            Dialog d = scene.client();
            d.handler.setSymmetricCipherAlgorithm(algorithm);
            steps.put(algorithm.replaceFirst(".*#", ""), d.messageId().outcome("0800"));
        }
        return Outcome.all(steps);
    }

    private Outcome signed(Identity signer, String algorithm, String digest) {
        Dialog d = scene.dialog("originator_cipher", new KeySigner(signer, signer, algorithm));
        return d.send(handler -> {
            var order = new de.osci.osci12.messagetypes.GetMessageId(handler);
            order.setDigestAlgorithm(digest);
            return order.send();
        }).outcome("0800");
    }
}
