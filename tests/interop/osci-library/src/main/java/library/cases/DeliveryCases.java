package library.cases;

import de.osci.osci12.messageparts.*;
import de.osci.osci12.messagetypes.*;
import de.osci.osci12.roles.*;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.*;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.*;
import library.*;
import peer.cases.*;
import peer.wire.*;

/** H4–H7, H20, H21, H23, H24: store, fetch, process cards. */
public final class DeliveryCases {
    private final Scene scene;

    public DeliveryCases(Scene scene) {
        this.scene = scene;
    }

    /** Fetches one delivery in a dialogue of its own. */
    private Reply fetched(String id) {
        Dialog d = scene.owner().opened();
        Reply reply = d.send(Orders.fetch(OSCIMessage.SELECT_BY_MESSAGE_ID, id));
        d.exit();
        return reply;
    }

    @Case(id = "H4", title = "fetch by MessageId",
            expected = "container, attachment, secret container; signatures valid; card: Creation+Forwarding; Reception after exit")
    public Outcome fetchById() throws Exception {
        String text = Scene.text();
        String secret = Scene.text();
        String id = scene.stored(scene.letterWithSecret(text, secret));
        Dialog d = scene.owner().opened();
        Reply reply = d.send(Orders.fetch(OSCIMessage.SELECT_BY_MESSAGE_ID, id));
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("fetch", reply.outcome("0801"));
        var got = reply.as(ResponseToFetchDelivery.class);
        ContentContainer container = got.getContentContainerByRefID("container0");
        steps.put("content", Outcome.of(container.getContents()[0].getContentData().equals(text), "inline"));
        steps.put("attachment", Outcome.of(container.getAttachments().length == 1, container.getAttachments()[0].getRefID()));
        steps.put("secret", Outcome.of(opened(got, "reader1").equals(secret), "reader1"));
        steps.put("author", Outcome.of(container.checkAllSignatures(), "valid"));
        steps.put("card", times(got.getProcessCardBundle(), "Creation+Forwarding"));
        d.exit();
        Dialog later = scene.owner().opened();
        var cards = later.send(Orders.cards(c -> {
            c.setSelectionMode(OSCIMessage.SELECT_BY_MESSAGE_ID);
            c.setSelectionRule(id);
        })).as(ResponseToFetchProcessCard.class);
        steps.put("card after exit", times(cards.getProcessCardBundles()[0], "Creation+Forwarding+Reception"));
        later.exit();
        return Outcome.all(steps);
    }

    private String opened(ContentPackageI got, String reader) throws Exception {
        ContentContainer container = got.getEncryptedData()[0].decrypt(new Reader(new KeyDecrypter(scene.keys.get(reader + "_cipher"))));
        return container.getContents()[0].getContentData();
    }

    static Outcome times(ProcessCardBundle card, String expected) {
        if (card == null) return Outcome.of(false, "no card");
        List<String> seen = new ArrayList<>();
        if (card.getCreation() != null) seen.add("Creation");
        if (card.getForwarding() != null) seen.add("Forwarding");
        if (card.getReception() != null) seen.add("Reception");
        String all = String.join("+", seen);
        return Outcome.of(all.equals(expected), all);
    }

    @Case(id = "H5", title = "fetch without rule", expected = "oldest first, 0801+3800; then the other without 3800")
    public Outcome fetchOldest() throws Exception {
        Dialog drain = scene.owner().opened();
        for (int i = 0; i < 500 && drain.send(Orders.fetch(OSCIMessage.NO_SELECTION_RULE, null)).is("0801"); i++) { }
        drain.exit();
        String first = scene.stored(scene.letter(Scene.text()));
        String second = scene.stored(scene.letter(Scene.text()));
        Dialog d = scene.owner().opened();
        Reply one = d.send(Orders.fetch(OSCIMessage.NO_SELECTION_RULE, null));
        Reply two = d.send(Orders.fetch(OSCIMessage.NO_SELECTION_RULE, null));
        d.exit();
        return Outcome.all(DialogCases.steps("first", one.seen().equals("0801+3800") ? named(one, first) : one.outcome("0801+3800"),
                "second", two.seen().equals("0801") ? named(two, second) : two.outcome("0801 alone")));
    }

    private static Outcome named(Reply reply, String id) {
        String got = reply.as(ResponseToFetchDelivery.class).getMessageId();
        return Outcome.of(got.equals(id) && reply.problems.isEmpty(), reply.seen()).noting(got.equals(id) ? "" : "another delivery");
    }

    @Case(id = "H6", title = "fetch by ReceptionOfDelivery", expected = "date before: hit; date after: 9803")
    public Outcome fetchByDate() throws Exception {
        scene.stored(scene.letter(Scene.text()));
        Dialog d = scene.owner().opened();
        Reply before = d.send(Orders.fetch(OSCIMessage.SELECT_BY_DATE_OF_RECEPTION, day(-1)));
        Reply after = d.send(Orders.fetch(OSCIMessage.SELECT_BY_DATE_OF_RECEPTION, day(1)));
        d.exit();
        return Outcome.all(DialogCases.steps("before", before.outcome("0801"), "after", after.outcome("9803")));
    }

    private static String day(int offset) {
        return OffsetDateTime.now().plusDays(offset).truncatedTo(ChronoUnit.SECONDS).toString();
    }

    @Case(id = "H7", title = "fetchProcessCard by id, by two ids, RecentModification with Role, NoReception, Quantity",
            expected = "the right cards only; 3801 if cut")
    public Outcome cards() throws Exception {
        String one = scene.stored(scene.letter(Scene.text()));
        String two = scene.stored(scene.letter(Scene.text()));
        Dialog d = scene.owner().opened();
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("id", count(d, 1, c -> select(c, OSCIMessage.SELECT_BY_MESSAGE_ID, one), "0801"));
        steps.put("two ids", count(d, 2, c -> select(c, OSCIMessage.SELECT_BY_MESSAGE_ID, one + ";" + two), "0801"));
        Reply open = d.send(Orders.cards(c -> {
            select(c, OSCIMessage.SELECT_BY_RECENT_MODIFICATION, day(-1));
            c.setSelectNoReceptionOnly(true);
            c.setRoleForSelection(OSCIMessage.SELECT_ADDRESSEE);
        }));
        ProcessCardBundle[] waiting = open.as(ResponseToFetchProcessCard.class).getProcessCardBundles();
        steps.put("NoReception", Outcome.of(open.ok() && waiting.length >= 2 && Arrays.stream(waiting).allMatch(c -> c.getReception() == null),
                open.seen() + " " + waiting.length + " cards"));
        steps.put("nothing", d.send(Orders.cards(c -> {
            select(c, OSCIMessage.SELECT_BY_RECENT_MODIFICATION, day(1));
            c.setRoleForSelection(OSCIMessage.SELECT_ORIGINATOR);
        })).outcome("9804"));
        steps.put("by reception", d.send(Orders.cards(c -> select(c, OSCIMessage.SELECT_BY_DATE_OF_RECEPTION, day(-1)))).outcome("0801"));
        steps.put("Quantity 1", count(d, 1, c -> {
            select(c, OSCIMessage.SELECT_BY_RECENT_MODIFICATION, day(-1));
            c.setQuantityLimit(1);
        }, "0801+3801"));
        d.exit();
        return Outcome.all(steps);
    }

    private static void select(FetchProcessCard order, int mode, String rule) {
        order.setSelectionMode(mode);
        order.setSelectionRule(rule);
    }

    private static Outcome count(Dialog d, int expected, java.util.function.Consumer<FetchProcessCard> rule, String code) {
        Reply reply = d.send(Orders.cards(rule));
        ProcessCardBundle[] cards = reply.as(ResponseToFetchProcessCard.class).getProcessCardBundles();
        return Outcome.of(reply.seen().equals(code) && cards.length == expected && reply.problems.isEmpty(), reply.seen() + " " + cards.length + " cards")
                .noting(String.join("; ", reply.problems));
    }

    @Case(id = "H20", title = "2 authors, 2 readers, nested container, encrypted attachment, two layers",
            expected = "relayed octet by octet, signatures valid at the recipient")
    public Outcome rich() throws Exception {
        String text = Scene.text();
        String secret = Scene.text();
        byte[] plan = Scene.random(3000);
        Dialog d = scene.client();
        String id = d.issuedId();
        d.handler.resetControlBlock();
        Author author = scene.author();
        ContentContainer inner = new ContentContainer();
        inner.addContent(new Content(text));
        inner.sign(author);
        ContentContainer outer = new ContentContainer();
        outer.setRefID("outer");
        outer.addContent(new Content(inner));
        outer.addContent(new Content(Scene.text()));
        outer.sign(author);
        outer.sign(d.me);
        ContentContainer deep = new ContentContainer();
        deep.addContent(new Content(secret));
        deep.addContent(Scene.secretAttachment(plan, "secretplan.bin"));
        deep.sign(author);
        Reader two = scene.reader("reader2");
        EncryptedDataOSCI layer = new EncryptedDataOSCI(deep);
        layer.encrypt(two);
        ContentContainer around = new ContentContainer();
        around.addEncryptedData(layer);
        EncryptedDataOSCI whole = new EncryptedDataOSCI(around);
        whole.encrypt(scene.reader("reader1"));
        whole.encrypt(two);
        Letter letter = new Letter().add(outer).add(whole);
        letter.roles.add(author);
        letter.roles.add(two);
        Reply stored = d.send(letter.store(scene.mailbox(), id));
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("store", stored.outcome("0800"));
        if (!stored.ok()) return Outcome.all(steps);
        Reply fetched = fetched(id);
        var got = fetched.as(ResponseToFetchDelivery.class);
        steps.put("fetch", fetched.outcome("0801"));
        Answer sent = Answer.read(200, d.line.sent, scene.keys);
        steps.put("content", same(inside(sent.mime.root()), inside(fetched.wire.mime.root())));
        steps.put("attachments", same(sent.mime.parts().get("secretplan.bin").data().bytes(), fetched.wire.mime.parts().get("secretplan.bin").data().bytes()));
        ContentContainer gotOuter = got.getContentContainerByRefID("outer");
        int signatures = gotOuter.getSigners().length;
        steps.put("outer", Outcome.of(gotOuter.checkAllSignatures() && signatures == 2, signatures + " signers valid"));
        steps.put("nested", Outcome.of(gotOuter.getContents()[0].getContentContainer().checkAllSignatures(), "valid"));
        Reader reader = new Reader(new KeyDecrypter(scene.keys.get("reader2_cipher")));
        ContentContainer opened = got.getEncryptedData()[0].decrypt(reader).getEncryptedData()[0].decrypt(reader);
        byte[] gotPlan = opened.getAttachments()[0].getStream().readAllBytes();
        steps.put("layers", Outcome.of(opened.getContents()[0].getContentData().equals(secret) && opened.checkAllSignatures(), "reader2, author valid"));
        steps.put("secret attachment", same(plan, gotPlan));
        return Outcome.all(steps);
    }

    /** What is inside the Body, octet by octet. */
    private static byte[] inside(byte[] envelope) {
        String xml = new String(envelope, java.nio.charset.StandardCharsets.UTF_8);
        int start = xml.indexOf(">", xml.indexOf(":Body")) + 1;
        return Scene.utf8(xml.substring(start, xml.lastIndexOf("</", xml.lastIndexOf(":Body>"))));
    }

    static Outcome same(byte[] one, byte[] two) {
        return Outcome.of(Arrays.equals(one, two), Arrays.equals(one, two) ? "equal" : "different");
    }

    @Case(id = "H21", title = "custom header and MessageMetaData", expected = "both arrive at the recipient unchanged and signed")
    public Outcome customHeader() throws Exception {
        String mark = UUID.randomUUID().toString();
        Letter letter = scene.letter(Scene.text());
        letter.headers.add("<x:Hint xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" xmlns:osci=\"http://www.osci.de/2002/04/osci\" "
                + "xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:x=\"urn:invented:hint\" xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" "
                + "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" Id=\"hint\" a=\"1\" b=\"2\">" + mark + "</x:Hint>");
        letter.metaData = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><m:MessageMetaData xmlns:m=\"http://www.osci.eu/ws/2014/10/transport\">"
                + "<m:Qualifier><m:Subject>" + mark + "</m:Subject></m:Qualifier></m:MessageMetaData>";
        Reply reply = fetched(scene.stored(letter));
        var got = reply.as(ResponseToFetchDelivery.class);
        boolean hint = Arrays.asList(got.getCustomHeaders()).contains(letter.headers.get(0));
        var meta = got.getMessageMetaDataXTA2V3();
        boolean there = meta != null && meta.getQualifier() != null && mark.equals(meta.getQualifier().getSubject());
        return Outcome.all(DialogCases.steps("fetch", reply.outcome("0801"), "custom", Outcome.of(hint, hint ? "unchanged" : "missing or altered"),
                "MessageMetaData", Outcome.of(there, there ? "read" : "missing or altered")));
    }

    @Case(id = "H23", title = "cryptographic quality of time stamp requested", expected = "Cryptographic, or Plain if not offered (--policy timestamp=cryptographic|plain)")
    public Outcome timestamp() throws Exception {
        Letter letter = scene.letter(Scene.text());
        letter.cryptographic = true;
        Dialog d = scene.client();
        String id = d.issuedId();
        Reply reply = scene.client().send(letter.store(scene.mailbox(), id));
        String kind = reply.as(ResponseToStoreDelivery.class).getTimestampCreation().getAlgorithm() == null ? "plain" : "cryptographic";
        return Outcome.of(kind.equals(scene.policy("timestamp", "plain")) && reply.ok(), reply.seen() + " " + kind).noting(String.join("; ", reply.problems));
    }

    @Case(id = "H24", title = "huge attachment", expected = "stored in constant memory, or refused with 9904/9811 (--huge-mb, --pid, --memory-mb)")
    public Outcome huge() throws Exception {
        int megabytes = scene.args.number("huge-mb", 500);
        Path body = Files.createTempFile("osci-huge", ".body");
        try {
            ContentContainer container = new ContentContainer();
            container.addContent(new Content(new Attachment(new Noise(megabytes * 1024L * 1024L), "huge.bin")));
            Dialog d = scene.client();
            String id = d.issuedId();
            d.handler.resetControlBlock();
            d.line.file = body;
            Long before = peak();
            Reply reply = d.send(new Letter().add(container).store(scene.mailbox(), id));
            Long after = peak();
            Outcome outcome = reply.outcome("0800", "9904", "9811");
            if (after == null) return outcome.noting("memory not watched (give --pid)");
            long grown = after - before;
            return Outcome.all(DialogCases.steps("store", outcome,
                    "memory", Outcome.of(grown <= scene.args.number("memory-mb", 64), "peak grew by " + grown + " MB")));
        } finally {
            Files.delete(body);
        }
    }

    /** So many octets that compress badly and cost no memory. */
    private static final class Noise extends InputStream {
        private final SplittableRandom random = new SplittableRandom(7);
        private long left;

        Noise(long length) {
            left = length;
        }

        @Override
        public int read() {
            return left-- > 0 ? random.nextInt(256) : -1;
        }

        @Override
        public int read(byte[] into, int from, int length) {
            if (left <= 0) return -1;
            byte[] block = new byte[(int) Math.min(left, length)];
            random.nextBytes(block);
            System.arraycopy(block, 0, into, from, block.length);
            left -= block.length;
            return block.length;
        }
    }

    /** Highest resident memory of the server in MB, or null when nobody said which process it is. */
    private Long peak() throws IOException {
        if (!scene.args.has("pid")) return null;
        return Files.readAllLines(Path.of("/proc/" + scene.args.need("pid") + "/status")).stream().filter(l -> l.startsWith("VmHWM"))
                .map(l -> Long.parseLong(l.replaceAll("\\D", "")) / 1024).findFirst().orElse(0L);
    }
}
