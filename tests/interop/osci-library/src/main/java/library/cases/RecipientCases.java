package library.cases;

import de.osci.osci12.common.*;
import de.osci.osci12.messageparts.*;
import de.osci.osci12.messagetypes.*;
import de.osci.osci12.roles.*;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.*;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.*;
import java.util.function.Consumer;
import library.*;
import peer.cases.*;

/** L1–L5, L8, beyond the numbers: the library pushes to our passive recipient as an intermediary would, and takes what our sender sends. */
public final class RecipientCases {
    private final Scene scene;

    public RecipientCases(Scene scene) {
        this.scene = scene;
    }

    /** The library as intermediary; its signature and key are the ones that our recipient knows. */
    private final class Pusher {
        final KeySigner signer = new KeySigner(scene.keys.get("intermediary_signature"));
        final Line line = new Line(scene.args.number("patience", 60));
        final DialogHandler handler;
        final Push push;
        final Originator originator;

        Pusher() {
            Intermed intermediary = new Intermed(signer, new KeyDecrypter(scene.keys.get("intermediary_cipher")));
            handler = new DialogHandler(intermediary, scene.mailbox(), line);
            handler.setLanguageList("de");
            originator = new Originator(new KeySigner(scene.keys.get("originator_signature")), new KeyDecrypter(scene.keys.get("originator_cipher")));
            push = new Push(handler, scene.args.need("recipient"), originator);
        }

        /** What the library finds in our answer. Its parser of answers knows none of a recipient; its reader of stored messages does. */
        Outcome send(Dialog.Order order, String... accepted) throws Exception {
            Reply reply = Dialog.exchange(order, handler, line, scene.keys, scene.keys.get("addressee_signature").certificate());
            if (reply.wire.fault() || reply.wire.plain == null) return reply.outcome(accepted);
            StoredMessage stored = Push.answer(reply.wire.plain);
            Reply read = new Reply(stored, null, reply.wire);
            if (stored.isSigned() != handler.isCreateSignatures()) read.problems.add(stored.isSigned() ? "the answer is signed" : "the answer is not signed");
            if (stored.isSigned() && !scene.keys.get("addressee_signature").certificate().equals(reply.wire.signature.signer())) read.problems.add("signed by somebody else");
            if (!reply.wire.encrypted) read.problems.add("the answer is plain");
            return read.outcome(accepted);
        }
    }

    private ContentContainer container(Originator originator, String text) throws Exception {
        ContentContainer container = new ContentContainer();
        container.setRefID("container0");
        container.addContent(new Content(text));
        container.addContent(new Content(new Attachment(new ByteArrayInputStream(Scene.random(3000)), "plan.bin")));
        container.sign(originator);
        return container;
    }

    /** Our recipient takes documents only that a rule knows. */
    private String document() throws IOException {
        return Files.readString(Path.of(scene.args.need("document")));
    }

    private static String id() {
        return UUID.randomUUID().toString();
    }

    @Case(id = "L1", title = "acceptDelivery to our passive recipient: in order; signed over something else; unsigned; plain",
            expected = "0800, 9601, 9600, fault 9300; answers encrypted, signed by the addressee")
    public Outcome accepts() throws Exception {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("in order", accept(p -> { }, "0800"));
        steps.put("other octets", accept(p -> p.signer.change = octets -> new byte[] {1}, "9601"));
        steps.put("unsigned", accept(p -> p.handler.setCreateSignatures(false), "9600"));
        steps.put("plain", accept(p -> p.handler.setEncryption(false), "fault 9300"));
        return Outcome.all(steps);
    }

    private Outcome accept(Consumer<Pusher> change, String... accepted) throws Exception {
        Pusher pusher = new Pusher();
        change.accept(pusher);
        ContentContainer container = container(pusher.originator, document());
        return pusher.send(h -> pusher.push.accept(id(), "Invented application", List.of(container), List.of()), accepted);
    }

    /** How content for us is put together. */
    private enum Shape { FLAT, NESTED, LAYERS, SIGNED_LAYER }

    @Case(id = "L2", title = "acceptDelivery with content encrypted for us, encrypted attachment, authors' signatures with time: flat; nested; two layers; layer in a signed container; author's signature wrong",
            expected = "0800, 0800, 0800, 0800, 9805")
    public Outcome acceptsEncrypted() throws Exception {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        for (Shape shape : Shape.values()) {
            steps.put(shape.name().toLowerCase(Locale.ROOT).replace('_', ' '), secret(new KeySigner(scene.keys.get("originator_signature")), shape, "0800"));
        }
        KeySigner forger = new KeySigner(scene.keys.get("originator_signature"));
        forger.change = octets -> new byte[] {1};
        steps.put("signature wrong", secret(forger, Shape.FLAT, "9805"));
        return Outcome.all(steps);
    }

    private Outcome secret(KeySigner signer, Shape shape, String accepted) throws Exception {
        Pusher pusher = new Pusher();
        Author author = new Author(signer, null);
        Addressee us = (Addressee) pusher.handler.getSupplier();
        ContentContainer inner = signed(author, new Content(document()), Scene.secretAttachment(Scene.random(3000), "plan.bin"));
        if (shape == Shape.NESTED) inner = signed(author, new Content(inner), new Content("Anschreiben"));
        EncryptedDataOSCI data = new EncryptedDataOSCI(inner);
        data.encrypt(us);
        List<ContentContainer> open = List.of();
        if (shape == Shape.LAYERS) {
            ContentContainer around = new ContentContainer();
            around.addEncryptedData(data);
            data = new EncryptedDataOSCI(around);
            data.encrypt(us);
        }
        if (shape == Shape.SIGNED_LAYER) {
            ContentContainer around = new ContentContainer();
            around.addEncryptedData(data);
            around.sign(author);
            open = List.of(around);
        }
        List<ContentContainer> containers = open;
        List<EncryptedDataOSCI> layers = open.isEmpty() ? List.of(data) : List.of();
        return pusher.send(h -> pusher.push.accept(id(), "Invented application", containers, layers, author), accepted);
    }

    private static ContentContainer signed(Author author, Content... contents) throws Exception {
        ContentContainer container = new ContentContainer();
        for (Content content : contents) container.addContent(content);
        container.sign(author, Constants.DIGEST_ALGORITHM_SHA256, OffsetDateTime.now().truncatedTo(ChronoUnit.SECONDS).toString());
        return container;
    }

    @Case(id = "L3", title = "processDelivery to our passive recipient with and without MessageId", expected = "0800 each")
    public Outcome processes() throws Exception {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        for (boolean logged : new boolean[] {true, false}) {
            Pusher pusher = new Pusher();
            ContentContainer container = container(pusher.originator, document());
            String id = logged ? id() : null;
            steps.put(logged ? "with" : "without",
                    pusher.send(h -> pusher.push.process(id, logged ? id() : null, "Invented application", List.of(container), List.of()), "0800"));
        }
        return Outcome.all(steps);
    }

    @Case(id = "L4", title = "our sender: forwardDelivery of a routed message to the library, for two products",
            expected = "library takes both, decrypts, document, attachment and signatures intact; card with Reception")
    public Outcome forwards() throws Exception {
        return routed("146285202040", AcceptDelivery.class);
    }

    @Case(id = "L5", title = "our sender: mediateDelivery of a routed message to the library, which replies, for two products", expected = "as L4")
    public Outcome mediates() throws Exception {
        return routed("146285202230", ProcessDelivery.class);
    }

    /** Gives our recipient a document for that municipality and reads what the router delivers to the library for it. */
    private Outcome routed(String ars, Class<? extends OSCIRequest> type) throws Exception {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        try (Recipient sink = new Recipient(scene.keys, scene.args.number("sink", 0))) {
            steps.put("in", given(ars));
            for (int product = 1; product <= 2; product++) {
                Recipient.Taken taken = sink.await(scene.args.number("patience", 60));
                if (taken == null) throw new Context.Unreached("nothing was delivered");
                if (!type.isInstance(taken.order())) return Outcome.of(false, taken.order() + " " + taken.refusal());
                Map<String, Outcome> found = content((ContentPackageI) taken.order());
                found.put("order", Outcome.of(taken.order().isSigned(), taken.order().isSigned() ? "signed" : "unsigned"));
                steps.put("product " + product, Outcome.all(found));
            }
        }
        return Outcome.all(steps);
    }

    private Outcome given(String ars) throws Exception {
        Pusher pusher = new Pusher();
        ContentContainer container = new ContentContainer();
        container.addContent(new Content(document().replace("146285202020", ars)));
        container.addContent(new Content(new Attachment(new ByteArrayInputStream(PLAN), "plan.pdf")));
        container.sign(pusher.originator);
        return pusher.send(h -> pusher.push.accept(id(), "Invented application", List.of(container), List.of()), "0800");
    }

    @Case(id = "L8", title = "our sender: a routed message in the mailbox, without an order; the library fetches", expected = "0801; content and card as L4")
    public Outcome deposits() throws Exception {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        Dialog drain = scene.owner().opened();
        for (int i = 0; i < 500 && drain.send(Orders.fetch(OSCIMessage.NO_SELECTION_RULE, null)).is("0801"); i++) { }
        drain.exit();
        steps.put("in", given("146285204030"));
        Dialog d = scene.owner().opened();
        long end = System.nanoTime() + scene.args.number("patience", 60) * 1_000_000_000L;
        Reply reply = d.send(Orders.fetch(OSCIMessage.NO_SELECTION_RULE, null));
        while (reply.is("9803") && System.nanoTime() < end) reply = d.send(Orders.fetch(OSCIMessage.NO_SELECTION_RULE, null));
        steps.put("fetch", reply.outcome("0801"));
        Map<String, Outcome> found = content(reply.as(ResponseToFetchDelivery.class));
        steps.put("delivery", Outcome.all(found));
        d.exit();
        return Outcome.all(steps);
    }

    private static final byte[] PLAN = "%PDF-invented".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

    /** What our sender wrote, as the library reads it, and its card. */
    private Map<String, Outcome> content(ContentPackageI content) throws Exception {
        ContentContainer opened = content.getEncryptedData()[0].decrypt(new Addressee(null, new KeyDecrypter(scene.keys.get("addressee_cipher"))));
        String first = opened.getContents()[0].getContentData().strip();
        Attachment[] attachments = opened.getAttachments();
        Dialog d = scene.client().opened();
        Reply cards = d.send(Orders.cards(card -> {
            card.setSelectionMode(OSCIMessage.SELECT_BY_MESSAGE_ID);
            card.setSelectionRule(content.getMessageId());
        }));
        d.exit();
        boolean fetched = content instanceof ResponseToFetchDelivery;
        return DialogCases.steps(
                "author", Outcome.of(opened.checkAllSignatures(), opened.getSigners().length + " valid"),
                "document", Outcome.of(first.contains("Pauline"), first.length() + " characters"),
                "attachment", Outcome.of(attachments.length == 1 && Arrays.equals(attachments[0].getStream().readAllBytes(), PLAN), "equal"),
                "card", DeliveryCases.times(cards.as(ResponseToFetchProcessCard.class).getProcessCardBundles()[0],
                        fetched ? "Creation+Forwarding" : "Creation+Forwarding+Reception"));
    }
}
