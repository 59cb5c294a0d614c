package peer.cases;

import java.nio.charset.StandardCharsets;
import java.util.*;
import peer.Args;
import peer.client.*;
import peer.keys.*;
import peer.wire.*;

/** What every case needs: the server's URL, the keys, the policy choices, and the usual parties and deliveries. */
public final class Context {
    public final String url;
    public final KeyRing keys;
    public final Args args;
    private final Map<String, String> policy;
    private boolean controlled;

    public Context(Args args) {
        this.args = args;
        this.url = args.need("url");
        this.keys = new KeyRing(java.nio.file.Path.of(args.need("keys")), args.get("pin", "123456"));
        this.policy = args.pairs("policy");
    }

    /** The value of a policy option; each option's first value is the strict one and the default. */
    public String policy(String name, String otherwise) {
        return policy.getOrDefault(name, otherwise);
    }

    public boolean accepts(String name) {
        return policy(name, "refuse").equals("accept");
    }

    public Http http() {
        return new Http(url, keys, args.number("patience", 60));
    }

    public Dialog dialog(String party) {
        return dialog(keys.party(party));
    }

    public Dialog dialog(KeyRing.Party party) {
        return new Dialog(http(), keys, party);
    }

    public Dialog originator() {
        return dialog("originator");
    }

    public Dialog addressee() {
        return dialog("addressee");
    }

    /** Opens a dialogue or stops the case: what it tests cannot be reached. */
    public Dialog opened(Dialog d) {
        Answer answer = d.init();
        if (!answer.ok()) throw new Unreached("initDialog: " + answer.seen() + " " + answer.problems);
        return d;
    }

    /** A correct order must be answered well; else a server that refuses everything would pass the negative cases. */
    public void control() {
        if (controlled) return;
        issuedId(originator());
        controlled = true;
    }

    public Identity mailbox() {
        return keys.get("addressee_cipher");
    }

    public String issuedId(Dialog d) {
        Answer answer = d.getMessageId();
        return answer.messageId().filter(id -> answer.is("0800", "0801"))
                .orElseThrow(() -> new Unreached("getMessageId: " + answer.seen() + " " + answer.problems));
    }

    /** Text of its own for each delivery, so that two are never taken for each other. */
    public static byte[] text() {
        return ("Invented application " + UUID.randomUUID()).getBytes(StandardCharsets.UTF_8);
    }

    /** One signed container with inline content and an attachment. */
    public Delivery delivery(byte[] text) {
        Delivery delivery = new Delivery();
        Identity author = keys.get("author_signature");
        String id = delivery.role("SignatureCertificateOtherAuthor", "author0", author);
        Content content = new Content("container0").inline("content0", text)
                .attachment("content1", Mime.Part.octets("plan.bin", Crypt.random(3000))).signedBy(author, id);
        return delivery.container(content);
    }

    /** The same, and a second container that only reader1 can open. */
    public Delivery deliveryWithSecret(byte[] text, byte[] secret) {
        Delivery delivery = delivery(text);
        Identity reader = keys.get("reader1_cipher");
        String id = delivery.role("CipherCertificateOtherReader", "reader0", reader);
        delivery.encrypted.add(Crypt.content(new Content("secret0").inline("secretcontent0", secret).xml(), "encdata0",
                Map.of(id, reader.certificate()), new Crypt.Style()));
        return delivery;
    }

    /** Stores a delivery in an implicit dialogue; the result is its MessageId. */
    public String stored(Delivery delivery) {
        Dialog d = originator();
        String id = issuedId(d);
        Answer answer = d.send(delivery.store(d, mailbox(), id));
        if (!answer.is("0800", "0801")) throw new Unreached("storeDelivery: " + answer.seen() + " " + answer.problems);
        return id;
    }

    /** A valid storeDelivery, ready to be spoilt. */
    public Ready ready() {
        return ready(originator());
    }

    public Ready ready(Dialog d) {
        String id = issuedId(d);
        return new Ready(d, delivery(text()).store(d, mailbox(), id), id);
    }

    /** A dialogue and its next order. */
    public record Ready(Dialog dialog, Message order, String messageId) {
        public Answer send() {
            return dialog.send(order);
        }

        /** Signs, then alters the envelope's text. */
        public Answer sendAltered(java.util.function.UnaryOperator<String> change) {
            String before = order.xml();
            String after = change.apply(before);
            if (after.equals(before)) throw new Unreached("the alteration found nothing to alter");
            return dialog.deliver(Mime.write(Message.root(after), order.parts), order);
        }
    }

    /** A case that could not get as far as its question: a failure, with the reason. */
    public static final class Unreached extends RuntimeException {
        private static final long serialVersionUID = 1;

        public Unreached(String message) {
            super(message);
        }
    }
}
