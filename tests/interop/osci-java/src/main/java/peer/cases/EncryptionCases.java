package peer.cases;

import java.security.GeneralSecurityException;
import java.util.*;
import peer.client.*;
import peer.keys.Identity;
import peer.wire.*;

/** N28–N33, N36: what cannot be decrypted, and that nobody learns why. */
public final class EncryptionCases {
    private static final int ROUNDS = 21;
    private final Context context;

    public EncryptionCases(Context context) {
        this.context = context;
    }

    private Crypt.Style style(java.util.function.Consumer<Crypt.Style> change) {
        return new Crypt.Style().with(change);
    }

    private Answer send(Crypt.Style style) {
        Dialog d = context.originator();
        d.crypt = style;
        return d.getMessageId();
    }

    @Case(id = "N28", title = "encrypted for a certificate that is not the server's", expected = "fault 9200")
    public Outcome wrongCertificate() {
        Answer other = context.http().post(Crypt.message(context.originator().messageIdOrder().mime(),
                context.keys.get("reader1_cipher").certificate(), new Crypt.Style()));
        return Outcome.of(other, "fault 9200");
    }

    @Case(id = "N29", title = "ciphertext bit flipped", expected = "fault 9202, same text and time as N30")
    public Outcome ciphertext() {
        return alike(style(s -> s.flipCiphertext = true), style(s -> s.flipKey = true));
    }

    @Case(id = "N30", title = "wrapped key altered", expected = "fault 9202, same text and time as N29")
    public Outcome key() {
        return alike(style(s -> s.flipKey = true), style(s -> s.flipCiphertext = true));
    }

    /** The first must be refused; both must look the same from outside, in words and within the noise of the clock. */
    private Outcome alike(Crypt.Style asked, Crypt.Style other) {
        Answer first = send(asked);
        Answer second = send(other);
        boolean text = words(first).equals(words(second));
        byte[] plain = context.originator().messageIdOrder().mime();
        long one = median(plain, asked);
        long two = median(plain, other);
        boolean time = Math.abs(one - two) < Math.max(one, two) / 2 + 2_000;
        Outcome outcome = Outcome.of(first.is("fault 9202") && text && time, first.seen());
        return outcome.noting("medians " + one + " and " + two + " µs" + (text ? "" : ", texts differ") + (time ? "" : ", times differ"));
    }

    private static String words(Answer answer) {
        return answer.document == null ? answer.seen()
                : Xml.first(answer.document, Xml.SOAP, "Fault").map(e -> e.getTextContent()).orElse(answer.seen());
    }

    private long median(byte[] plain, Crypt.Style style) {
        Http http = context.http();
        long[] times = new long[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            byte[] octets = Crypt.message(plain, context.keys.get("intermediary_cipher").certificate(), style);
            long start = System.nanoTime();
            http.post(octets);
            times[i] = (System.nanoTime() - start) / 1000;
        }
        Arrays.sort(times);
        return times[ROUNDS / 2];
    }

    @Case(id = "N31", title = "unknown data, key, signature, digest algorithm", expected = "fault 9202, 9202, 9100, 9100")
    public Outcome unknown() {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("data", Outcome.of(send(style(s -> s.announced = "urn:invented:cipher")), "fault 9202"));
        steps.put("key", Outcome.of(send(style(s -> s.announcedKeyTransport = "urn:invented:keys")), "fault 9202"));
        steps.put("signature", Outcome.of(context.ready().sendAltered(
                xml -> xml.replace(Signing.RSA_SHA256, "urn:invented:signature")), "fault 9100"));
        steps.put("digest", Outcome.of(context.ready().sendAltered(
                xml -> xml.replaceFirst("<ds:DigestMethod Algorithm=\"[^\"]*\"", "<ds:DigestMethod Algorithm=\"urn:invented:digest\"")), "fault 9100"));
        return Outcome.all(steps);
    }

    @Case(id = "N32", title = "rsa-oaep-mgf1p, OAEPparams, missing MGF", expected = "fault 9202 or 9100")
    public Outcome oaep() {
        Map<String, Crypt.Style> styles = new LinkedHashMap<>();
        styles.put("mgf1p", style(s -> {
            s.keyTransport = Xml.XENC + "rsa-oaep-mgf1p";
            s.mgf = null;
        }));
        styles.put("OAEPparams", style(s -> s.oaepLabel = new byte[] {1, 2, 3}));
        styles.put("no MGF", style(s -> s.mgf = null));
        return AlgorithmCases.refusals(context, styles, "fault 9202", "fault 9100");
    }

    @Case(id = "N33", title = "IvLength missing although 12 were sent; IvLength 13", expected = "fault 9202")
    public Outcome iv() {
        Map<String, Crypt.Style> styles = new LinkedHashMap<>();
        styles.put("missing", style(s -> s.declaredIv = null));
        styles.put("13", style(s -> {
            s.ivLength = 13;
            s.declaredIv = 13;
        }));
        styles.put("0", style(s -> s.declaredIv = 0));
        styles.put("huge", style(s -> s.declaredIv = Integer.MAX_VALUE));
        return AlgorithmCases.refusals(context, styles, "fault 9202");
    }

    @Case(id = "N36", title = "wrong reader opens content", expected = "delivered; reader2 has no key, reader1 has")
    public Outcome wrongReader() throws GeneralSecurityException {
        String id = context.stored(context.deliveryWithSecret(Context.text(), Context.text()));
        Dialog d = context.opened(context.addressee());
        Answer got = d.fetch(Dialog.byId(id));
        d.exit();
        if (!got.is("0801")) return Outcome.of(got, "0801");
        var data = Xml.first(got.document, Xml.XENC, "EncryptedData").orElseThrow();
        Crypt.openContent(data, context.keys.get("reader1_cipher"));
        return Outcome.of(!opens(data, context.keys.get("reader2_cipher")), got.seen());
    }

    private static boolean opens(org.w3c.dom.Element data, Identity reader) {
        try {
            Crypt.openContent(data, reader);
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }
}
