package peer.cases;

import java.util.*;
import peer.client.*;
import peer.keys.*;
import peer.wire.*;

/** N22–N27: certificates that must be refused or warned about. */
public final class CertificateCases {
    private final Context context;

    public CertificateCases(Context context) {
        this.context = context;
    }

    private Identity key(String name) {
        return context.keys.get(name);
    }

    private Answer asked(String cipher, String signature) {
        return context.dialog(new KeyRing.Party(key(cipher), key(signature))).getMessageId();
    }

    @Case(id = "N22", title = "expired client signature certificate", expected = "refused 9700 (--policy expired=warn: 3700 with 0800)")
    public Outcome expiredSignature() {
        Answer answer = asked("originator_cipher", "expired_signature");
        boolean warn = context.policy("expired", "refuse").equals("warn");
        return warn ? Outcome.of(answer.is("3700") && answer.ok(), answer.seen()) : Outcome.of(answer, "9700");
    }

    @Case(id = "N23", title = "expired client cipher certificate", expected = "warning 3500, or refused fault 9501 (--policy expired-cipher=warn|refuse)")
    public Outcome expiredCipher() {
        Answer answer = asked("expired_cipher", "originator_signature");
        boolean warn = context.policy("expired-cipher", "warn").equals("warn");
        return warn ? Outcome.of(answer.is("3500") && answer.ok(), answer.seen()) : Outcome.of(answer, "fault 9501");
    }

    @Case(id = "N24", title = "revoked certificates (crl.pem)", expected = "signature 9701, cipher fault 9502, addressee 9707, reader 9709, author 3703")
    public Outcome revoked() {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("signature", Outcome.of(asked("originator_cipher", "revoked_signature"), "9701"));
        steps.put("cipher", Outcome.of(asked("revoked_cipher", "originator_signature"), "fault 9502"));
        Dialog d = context.originator();
        String id = context.issuedId(d);
        steps.put("addressee", Outcome.of(d.send(context.delivery(Context.text()).store(d, key("revoked_cipher"), id)), "9707"));
        steps.put("reader", Outcome.of(withRole("CipherCertificateOtherReader", "reader0", "revoked_cipher"), "9709"));
        steps.put("author's cipher", Outcome.of(withRole("CipherCertificateOtherAuthor", "author9", "revoked_cipher"), "9705"));
        steps.put("author", Outcome.of(withRole("SignatureCertificateOtherAuthor", "author9", "revoked_signature"), "3703"));
        return Outcome.all(steps);
    }

    private Answer withRole(String element, String role, String identity) {
        Dialog d = context.originator();
        String id = context.issuedId(d);
        Delivery delivery = context.delivery(Context.text());
        delivery.role(element, role, key(identity));
        return d.send(delivery.store(d, context.mailbox(), id));
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

    /** Refused means also: not executed. The answer to a refused cipher certificate cannot be encrypted for it. */
    private static Outcome refused(Answer answer, String... accepted) {
        boolean executed = answer.messageId().isPresent();
        Outcome outcome = Outcome.of(answer.is(accepted) && !executed, answer.seen());
        return executed ? outcome.noting("the order was executed all the same") : outcome;
    }

    @Case(id = "N27", title = "signature certificate with a wrong key usage", expected = "9601 or 9700")
    public Outcome keyUsage() {
        return refused(asked("originator_cipher", "wrongusage_signature"), "9601", "9700");
    }
}
