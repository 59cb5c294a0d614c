package library.cases;

import de.osci.osci12.messagetypes.ResponseToGetMessageId;
import de.osci.osci12.roles.*;
import java.security.cert.X509Certificate;
import java.util.*;
import library.*;
import peer.cases.*;

/** N22–N27: certificates that must be refused or warned about. */
public final class CertificateCases {
    private final Scene scene;

    public CertificateCases(Scene scene) {
        this.scene = scene;
    }

    private Reply asked(String cipher, String signature) {
        return scene.dialog(cipher, new KeySigner(scene.keys.get(signature))).messageId();
    }

    private X509Certificate certificate(String name) {
        return scene.keys.get(name).certificate();
    }

    @Case(id = "N22", title = "expired client signature certificate", expected = "refused 9700 (--policy expired=warn: 3700 with 0800)")
    public Outcome expiredSignature() {
        Reply reply = asked("originator_cipher", "expired_signature");
        boolean warn = scene.policy("expired", "refuse").equals("warn");
        return warn ? Outcome.of(reply.is("3700") && reply.ok(), reply.seen()) : refused(reply, "9700");
    }

    @Case(id = "N23", title = "expired client cipher certificate", expected = "warning 3500, or refused fault 9501 (--policy expired-cipher=warn|refuse)")
    public Outcome expiredCipher() {
        Reply reply = asked("expired_cipher", "originator_signature");
        boolean warn = scene.policy("expired-cipher", "warn").equals("warn");
        return warn ? Outcome.of(reply.is("3500") && reply.ok(), reply.seen()) : refused(reply, "fault 9501");
    }

    @Case(id = "N24", title = "revoked certificates (crl.pem)", expected = "signature 9701, cipher fault 9502, addressee 9707, reader 9709, author's cipher 9705, author 3703")
    public Outcome revoked() throws Exception {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("signature", refused(asked("originator_cipher", "revoked_signature"), "9701"));
        steps.put("cipher", refused(asked("revoked_cipher", "originator_signature"), "fault 9502"));
        String id = scene.client().issuedId();
        steps.put("addressee", scene.client().send(scene.letter(Scene.text()).store(new Addressee(null, certificate("revoked_cipher")), id)).outcome("9707"));
        steps.put("reader", withRole(new Reader(certificate("revoked_cipher"))).outcome("9709"));
        steps.put("author's cipher", withRole(new Author(null, certificate("revoked_cipher"))).outcome("9705"));
        steps.put("author", withRole(new Author(certificate("revoked_signature"), null)).outcome("3703"));
        return Outcome.all(steps);
    }

    private Reply withRole(Role role) throws Exception {
        String id = scene.client().issuedId();
        Letter letter = scene.letter(Scene.text());
        letter.roles.add(role);
        return scene.client().send(letter.store(scene.mailbox(), id));
    }

    @Case(id = "N25", title = "self-signed, and of an unknown CA", expected = "signature 9700 (or 3707 as a refusal), cipher fault 9501")
    public Outcome unknownCa() {
        return Outcome.all(DialogCases.steps(
                "self-signed", refused(asked("originator_cipher", "selfsigned_signature"), "9700", "3707"),
                "self-signed cipher", refused(asked("selfsigned_cipher", "originator_signature"), "fault 9501"),
                "other CA", refused(asked("originator_cipher", "stranger_signature"), "9700", "3707"),
                "other CA cipher", refused(asked("stranger_cipher", "originator_signature"), "fault 9501")));
    }

    @Case(id = "N26", title = "1024 and 2048 bits under the rule of 3072", expected = "refused: signature 9700, cipher fault 9501")
    public Outcome shortKeys() {
        return Outcome.all(DialogCases.steps(
                "1024 signature", refused(asked("originator_cipher", "weak1024_signature"), "9700"),
                "2048 signature", refused(asked("originator_cipher", "rsa2048_signature"), "9700"),
                "1024 cipher", refused(asked("weak1024_cipher", "originator_signature"), "fault 9501"),
                "2048 cipher", refused(asked("rsa2048_cipher", "originator_signature"), "fault 9501")));
    }

    /** Refused means also: not executed. */
    private static Outcome refused(Reply reply, String... accepted) {
        boolean executed = reply.message instanceof ResponseToGetMessageId response && response.getMessageId() != null;
        Outcome outcome = Outcome.of(reply.is(accepted) && !executed, reply.seen());
        return executed ? outcome.noting("the order was executed all the same") : outcome;
    }

    @Case(id = "N27", title = "signature certificate with a wrong key usage", expected = "9601 or 9700")
    public Outcome keyUsage() {
        return refused(asked("originator_cipher", "wrongusage_signature"), "9601", "9700");
    }
}
