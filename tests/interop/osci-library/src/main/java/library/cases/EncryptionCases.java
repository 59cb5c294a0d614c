package library.cases;

import de.osci.osci12.messageparts.EncryptedDataOSCI;
import de.osci.osci12.messagetypes.*;
import de.osci.osci12.roles.Reader;
import java.util.*;
import java.util.function.UnaryOperator;
import library.*;
import peer.cases.*;
import peer.wire.*;

/** N28–N33, N36: what cannot be decrypted, and that nobody learns why. */
public final class EncryptionCases {
    private static final int ROUNDS = 21;
    private static final UnaryOperator<byte[]> CIPHERTEXT = Text.flipped("osci_enc", 700);
    private static final UnaryOperator<byte[]> KEY = Text.change(xml -> {
        int at = xml.indexOf("<xenc:CipherValue>") + 18 + 40;
        return xml.substring(0, at) + (xml.charAt(at) == 'A' ? 'B' : 'A') + xml.substring(at + 1);
    });
    private final Scene scene;

    public EncryptionCases(Scene scene) {
        this.scene = scene;
    }

    private Reply send(UnaryOperator<byte[]> change) {
        Dialog d = scene.client();
        d.line.change = change;
        return d.messageId();
    }

    private Outcome sent(UnaryOperator<String> change, String... accepted) {
        return send(Text.change(change)).outcome(accepted);
    }

    @Case(id = "N28", title = "encrypted for a certificate that is not the server's", expected = "fault 9200")
    public Outcome wrongCertificate() {
        return scene.dialog("originator_cipher", scene.signer(), "reader1_cipher").messageId().outcome("fault 9200");
    }

    @Case(id = "N29", title = "ciphertext bit flipped", expected = "fault 9202, same text and time as N30")
    public Outcome ciphertext() {
        return alike(CIPHERTEXT, KEY);
    }

    @Case(id = "N30", title = "wrapped key altered", expected = "fault 9202, same text and time as N29")
    public Outcome key() {
        return alike(KEY, CIPHERTEXT);
    }

    /** The first must be refused; both must look the same from outside, in words and within the noise of the clock. */
    private Outcome alike(UnaryOperator<byte[]> asked, UnaryOperator<byte[]> other) {
        Reply first = send(asked);
        Reply second = send(other);
        boolean text = words(first).equals(words(second));
        long[] medians = medians(asked, other);
        long one = medians[0];
        long two = medians[1];
        boolean time = Math.abs(one - two) < Math.max(one, two) / 2 + 2_000;
        return Outcome.of(first.is("fault 9202") && text && time, first.seen())
                .noting("medians " + one + " and " + two + " µs" + (text ? "" : ", texts differ") + (time ? "" : ", times differ"));
    }

    private static String words(Reply reply) {
        return reply.wire.document == null ? reply.seen() : Xml.first(reply.wire.document, Xml.SOAP, "Fault").map(e -> e.getTextContent()).orElse(reply.seen());
    }

    /** Medians of both in turn, so that other work on the machine weighs on both alike. */
    private long[] medians(UnaryOperator<byte[]> one, UnaryOperator<byte[]> two) {
        Dialog d = scene.client();
        d.messageId();
        byte[][] octets = {one.apply(d.line.sent), two.apply(d.line.sent)};
        long[][] times = new long[2][ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            for (int k = 0; k < 2; k++) {
                long start = System.nanoTime();
                d.raw(octets[k]);
                times[k][i] = (System.nanoTime() - start) / 1000;
            }
        }
        for (long[] each : times) Arrays.sort(each);
        return new long[] {times[0][ROUNDS / 2], times[1][ROUNDS / 2]};
    }

    @Case(id = "N31", title = "unknown data, key, signature, digest algorithm", expected = "fault 9202, 9202, 9100, 9100")
    public Outcome unknown() throws Exception {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("data", sent(xml -> xml.replaceFirst("http://www.w3.org/2009/xmlenc11#aes256-gcm", "urn:invented:cipher"), "fault 9202"));
        steps.put("key", sent(xml -> xml.replaceFirst("http://www.w3.org/2009/xmlenc11#rsa-oaep", "urn:invented:keys"), "fault 9202"));
        steps.put("signature", scene.spoilt(Text.change(xml -> xml.replaceFirst("<ds:SignatureMethod Algorithm=\"[^\"]*\"",
                "<ds:SignatureMethod Algorithm=\"urn:invented:signature\""))).outcome("fault 9100"));
        steps.put("digest", scene.spoilt(Text.change(xml -> xml.replaceFirst("<ds:DigestMethod Algorithm=\"[^\"]*\"",
                "<ds:DigestMethod Algorithm=\"urn:invented:digest\""))).outcome("fault 9100"));
        return Outcome.all(steps);
    }

    @Case(id = "N32", title = "rsa-oaep-mgf1p, OAEPparams, missing MGF", expected = "fault 9202 or 9100")
    public Outcome oaep() {
        String mgf = "<xenc11:MGF[^>]*>(</xenc11:MGF>)?";
        return Outcome.all(DialogCases.steps(
                "mgf1p", sent(xml -> xml.replaceFirst("http://www.w3.org/2009/xmlenc11#rsa-oaep", "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p")
                        .replaceFirst(mgf, ""), "fault 9202", "fault 9100"),
                "OAEPparams", sent(xml -> xml.replaceFirst("(" + mgf + ")", "<xenc:OAEPparams>AQID</xenc:OAEPparams>$1"), "fault 9202", "fault 9100"),
                "no MGF", sent(xml -> xml.replaceFirst(mgf, ""), "fault 9202", "fault 9100")));
    }

    @Case(id = "N33", title = "IvLength missing although 12 were sent; 13, 0, huge", expected = "fault 9202")
    public Outcome iv() {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("missing", sent(xml -> xml.replaceFirst("<osci128:IvLength.*?</osci128:IvLength>", ""), "fault 9202"));
        for (String length : List.of("13", "0", String.valueOf(Integer.MAX_VALUE))) {
            steps.put(length, sent(xml -> xml.replaceFirst("(IvLength[^>]*Value=\")12", "$1" + length), "fault 9202"));
        }
        return Outcome.all(steps);
    }

    @Case(id = "N36", title = "wrong reader opens content", expected = "delivered; the library opens it for reader1 and refuses reader2")
    public Outcome wrongReader() throws Exception {
        String id = scene.stored(scene.letterWithSecret(Scene.text(), Scene.text()));
        Dialog d = scene.owner().opened();
        Reply reply = d.send(Orders.fetch(OSCIMessage.SELECT_BY_MESSAGE_ID, id));
        d.exit();
        EncryptedDataOSCI data = reply.as(ResponseToFetchDelivery.class).getEncryptedData()[0];
        data.decrypt(new Reader(new KeyDecrypter(scene.keys.get("reader1_cipher"))));
        try {
            data.decrypt(new Reader(new KeyDecrypter(scene.keys.get("reader2_cipher"))));
            return Outcome.of(false, reply.seen() + ", opened by reader2");
        } catch (IllegalArgumentException e) {
            return Outcome.of(reply.is("0801"), reply.seen() + ", refused to reader2");
        }
    }
}
