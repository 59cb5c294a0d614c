package peer.cases;

import java.util.Map;
import peer.client.Dialog;
import peer.keys.*;
import peer.wire.*;

/** H14–H19: other ways to encrypt and sign. */
public final class AlgorithmCases {
    private final Context context;

    public AlgorithmCases(Context context) {
        this.context = context;
    }

    @Case(id = "H14", title = "plain; plain and unsigned", expected = "plain=accept: 0800 in plain, else a fault; unsigned=accept: 0800, else 9600")
    public Outcome plain() {
        Dialog d = context.originator();
        d.encrypt = false;
        Answer plain = d.getMessageId();
        Dialog u = context.originator();
        u.encrypt = false;
        u.sign = false;
        Answer unsigned = u.getMessageId();
        boolean allowed = context.policy("plain", "accept").equals("accept");
        Outcome first = allowed ? Outcome.of(plain, "0800") : refused(plain);
        Outcome second = allowed && context.accepts("unsigned") ? Outcome.of(unsigned, "0800")
                : unsigned.is("9600") ? Outcome.of(true, unsigned.seen()) : refused(unsigned);
        return Outcome.all(DialogCases.steps("plain", first, "unsigned", second));
    }

    private static Outcome refused(Answer answer) {
        return Outcome.of(answer.fault() && answer.status == 200, answer.seen());
    }

    @Case(id = "H15", title = "RSA 1.5 key transport", expected = "rsa15=accept: 0800; else fault 9202")
    public Outcome rsa15() {
        Dialog d = context.originator();
        d.crypt = new Crypt.Style().with(s -> s.keyTransport = Xml.XENC + "rsa-1_5");
        return Outcome.of(d.getMessageId(), context.accepts("rsa15") ? "0800" : "fault 9202");
    }

    @Case(id = "H16", title = "client starts with CBC", expected = "cbc=accept: 0801 with GCMPaddingModus announced; else fault 9202")
    public Outcome cbc() {
        Dialog d = context.originator();
        d.crypt = Crypt.Style.cbc();
        Answer answer = d.init();
        if (!context.accepts("cbc")) return Outcome.of(answer, "fault 9202");
        boolean gcm = answer.document != null && Xml.all(answer.document, Xml.OSCI2017, "Feature").stream()
                .anyMatch(f -> f.getAttribute("Key").equals("GCMPaddingModus"));
        return gcm ? Outcome.of(answer, "0801") : Outcome.of(false, answer.seen()).noting("GCMPaddingModus is not announced");
    }

    @Case(id = "H17", title = "16-octet IV", expected = "read; the answer has a 12-octet IV and says so")
    public Outcome longIv() {
        Dialog d = context.originator();
        d.crypt = new Crypt.Style().with(s -> {
            s.ivLength = 16;
            s.declaredIv = null;
        });
        Answer answer = d.getMessageId();
        String outer = new String(answer.raw, java.nio.charset.StandardCharsets.ISO_8859_1);
        boolean says = outer.matches("(?s).*IvLength[^>]*Value=\"12\".*");
        Outcome outcome = Outcome.of(answer, "0800");
        return says || !outcome.passed() ? outcome : Outcome.of(false, answer.seen()).noting("the answer does not say IvLength 12");
    }

    @Case(id = "H18", title = "Base64 transfer encoding", expected = "0800")
    public Outcome base64() {
        Dialog d = context.originator();
        d.crypt = new Crypt.Style().with(s -> s.base64 = true);
        return Outcome.of(d.getMessageId(), "0800");
    }

    @Case(id = "H19", title = "PSS, ECDSA, SHA-512", expected = "0800 each")
    public Outcome signatures() {
        Identity rsa = context.keys.get("originator_signature");
        return Outcome.all(DialogCases.steps(
                "rsa-sha512", signed(rsa, Signing.RSA_SHA512, javax.xml.crypto.dsig.DigestMethod.SHA512),
                "pss-sha256", signed(rsa, Signing.PSS_SHA256, Signing.SHA256),
                "pss-sha512", signed(rsa, Signing.PSS_SHA512, Signing.SHA256),
                "sha3-256 digests", signed(rsa, Signing.RSA_SHA256, "http://www.w3.org/2007/05/xmldsig-more#sha3-256"),
                "ecdsa-sha256", signed(context.keys.get("originator_ec256_signature"), Signing.ECDSA_SHA256, Signing.SHA256),
                "ecdsa-sha384", signed(context.keys.get("originator_ec384_signature"), Signing.ECDSA_SHA384, Signing.SHA256)));
    }

    private Outcome signed(Identity signer, String method, String digest) {
        Dialog d = context.dialog(new KeyRing.Party(context.keys.get("originator_cipher"), signer));
        d.style = new Signing.Style(method, digest, Signing.C14N);
        return Outcome.of(d.getMessageId(), "0800");
    }

    /** All settings of one order's encryption that must be refused alike. */
    static Outcome refusals(Context context, Map<String, Crypt.Style> styles, String... accepted) {
        Map<String, Outcome> steps = new java.util.LinkedHashMap<>();
        styles.forEach((name, style) -> {
            Dialog d = context.originator();
            d.crypt = style;
            steps.put(name, Outcome.of(d.getMessageId(), accepted));
        });
        return Outcome.all(steps);
    }
}
