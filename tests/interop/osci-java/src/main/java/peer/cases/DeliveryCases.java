package peer.cases;

import java.io.*;
import java.nio.file.*;
import java.time.*;
import java.time.temporal.ChronoUnit;
import java.util.*;
import org.w3c.dom.Element;
import peer.client.*;
import peer.keys.Identity;
import peer.wire.*;

/** H4–H7, H20, H21, H23, H24: store, fetch, process cards. */
public final class DeliveryCases {
    private final Context context;

    public DeliveryCases(Context context) {
        this.context = context;
    }

    @Case(id = "H4", title = "fetch by MessageId",
            expected = "container, attachment, secret container; signatures valid; card: Creation+Forwarding; Reception after the next order")
    public Outcome fetchById() throws Exception {
        byte[] text = Context.text();
        byte[] secret = Context.text();
        String id = context.stored(context.deliveryWithSecret(text, secret));
        Dialog d = context.opened(context.addressee());
        Answer got = d.fetch(Dialog.byId(id));
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("fetch", Outcome.of(got, "0801"));
        if (!got.is("0801")) return Outcome.all(steps);
        steps.put("content", Outcome.of(got.inline().map(b -> Arrays.equals(b, text)).orElse(false), "inline"));
        steps.put("attachment", Outcome.of(got.mime.parts().containsKey("plan.bin"), got.mime.parts().keySet().toString()));
        steps.put("secret", Outcome.of(Arrays.equals(opened(got, "reader1_cipher"), secret), "reader1"));
        steps.put("author", Outcome.of(!got.contentSignatures().isEmpty()
                && got.contentSignatures().stream().allMatch(SignatureCheck::valid), verdicts(got)));
        steps.put("card", times(got, id, true, true, false));
        d.exit();
        Dialog later = context.opened(context.addressee());
        steps.put("card after exit", times(later.fetchCards(Dialog.byId(id), null), id, true, true, true));
        later.exit();
        return Outcome.all(steps);
    }

    /** The inline content of the first EncryptedData, opened by that reader. */
    private byte[] opened(Answer answer, String reader) throws Exception {
        Element data = Xml.first(answer.document, Xml.XENC, "EncryptedData").orElseThrow(() -> new Context.Unreached("no EncryptedData"));
        return Xml.base64(Xml.text(Crypt.openContent(data, context.keys.get(reader)), Xml.OSCI, "Base64Content").orElse(""));
    }

    static String verdicts(Answer answer) {
        return answer.contentSignatures().stream().map(s -> s.verdict() + (s.detail().isEmpty() ? "" : " " + s.detail())).toList().toString();
    }

    static Outcome times(Answer answer, String messageId, boolean creation, boolean forwarding, boolean reception) {
        for (Element card : answer.cards()) {
            if (!Xml.text(card, Xml.OSCI, "MessageId").map(String::trim).orElse("").equals(Xml.wireId(messageId))) continue;
            boolean[] has = new boolean[3];
            String[] names = {"Creation", "Forwarding", "Reception"};
            StringBuilder seen = new StringBuilder();
            for (int i = 0; i < 3; i++) {
                has[i] = Xml.first(card, Xml.OSCI, names[i]).isPresent();
                if (has[i]) seen.append(seen.isEmpty() ? "" : "+").append(names[i]);
            }
            return Outcome.of(has[0] == creation && has[1] == forwarding && has[2] == reception, seen.toString());
        }
        return Outcome.of(false, answer.seen() + " without a card of this id");
    }

    @Case(id = "H5", title = "fetch without rule", expected = "oldest first, 0801+3800; then the other without 3800")
    public Outcome fetchOldest() {
        drain();
        String first = context.stored(context.delivery(Context.text()));
        String second = context.stored(context.delivery(Context.text()));
        Dialog d = context.opened(context.addressee());
        Answer one = d.fetch(null);
        Answer two = d.fetch(null);
        d.exit();
        return Outcome.all(DialogCases.steps(
                "first", Outcome.of(one.ok() && one.is("3800") && cardId(one).equals(first), one.seen()).noting(mixed(one, first)),
                "second", Outcome.of(two.ok() && !two.is("3800") && cardId(two).equals(second), two.seen()).noting(mixed(two, second))));
    }

    private static String cardId(Answer answer) {
        return answer.cards().isEmpty() ? "" : new String(Xml.base64(Xml.text(answer.cards().get(0), Xml.OSCI, "MessageId").orElse("")));
    }

    private static String mixed(Answer answer, String wanted) {
        String got = cardId(answer);
        return String.join("; ", answer.problems) + (got.equals(wanted) ? "" : " got another delivery");
    }

    /** Empties the mailbox, so that "oldest" means one of ours. */
    private void drain() {
        Dialog d = context.opened(context.addressee());
        for (int i = 0; i < 500; i++) {
            if (!d.fetch(null).is("0800", "0801")) break;
        }
        d.exit();
    }

    @Case(id = "H6", title = "fetch by ReceptionOfDelivery", expected = "date before: hit; date after: 9803")
    public Outcome fetchByDate() {
        context.stored(context.delivery(Context.text()));
        Dialog d = context.opened(context.addressee());
        Answer before = d.fetch(since(OffsetDateTime.now().minusDays(1)));
        Answer after = d.fetch(since(OffsetDateTime.now().plusDays(1)));
        d.exit();
        return Outcome.all(DialogCases.steps("before", Outcome.of(before, "0801"), "after", Outcome.of(after, "9803")));
    }

    private static String since(OffsetDateTime time) {
        return "<osci:ReceptionOfDelivery>" + time.truncatedTo(ChronoUnit.SECONDS) + "</osci:ReceptionOfDelivery>";
    }

    @Case(id = "H7", title = "fetchProcessCard by id, RecentModification with Role, NoReception, Quantity",
            expected = "the right cards only; 3801 if cut")
    public Outcome cards() {
        String id = context.stored(context.delivery(Context.text()));
        context.stored(context.delivery(Context.text()));
        Dialog d = context.opened(context.addressee());
        Answer byId = d.fetchCards(Dialog.byId(id), null);
        String start = OffsetDateTime.now().minusDays(1).truncatedTo(ChronoUnit.SECONDS).toString();
        Answer open = d.fetchCards("<osci:RecentModification NoReception=\"true\" Role=\"Addressee\">" + start + "</osci:RecentModification>", null);
        Answer sent = d.fetchCards("<osci:RecentModification Role=\"Originator\">" + OffsetDateTime.now().plusDays(1)
                .truncatedTo(ChronoUnit.SECONDS) + "</osci:RecentModification>", null);
        Answer cut = d.fetchCards("<osci:RecentModification Role=\"Addressee\">" + start + "</osci:RecentModification>", 1);
        d.exit();
        boolean noReception = !open.cards().isEmpty() && open.cards().stream().allMatch(c -> Xml.first(c, Xml.OSCI, "Reception").isEmpty());
        return Outcome.all(DialogCases.steps(
                "id", Outcome.of(byId.ok() && byId.cards().size() == 1, byId.seen() + " " + byId.cards().size() + " cards"),
                "NoReception", Outcome.of(open.ok() && noReception, open.seen() + " " + open.cards().size() + " cards"),
                "nothing", Outcome.of(sent, "9804"),
                "Quantity 1", Outcome.of(cut.is("3801") && cut.cards().size() == 1, cut.seen() + " " + cut.cards().size() + " cards")));
    }

    @Case(id = "H20", title = "2 authors, 2 readers, nested container, two layers", expected = "content byte-exact, signatures valid at the recipient")
    public Outcome rich() throws Exception {
        byte[] text = Context.text();
        byte[] secret = Context.text();
        Delivery delivery = new Delivery();
        Identity author = context.keys.get("author_signature");
        Identity second = context.keys.get("originator_signature");
        String authorId = delivery.role("SignatureCertificateOtherAuthor", "author0", author);
        String secondId = second.id("originator", "signature");
        Identity one = context.keys.get("reader1_cipher");
        Identity two = context.keys.get("reader2_cipher");
        String oneId = delivery.role("CipherCertificateOtherReader", "reader0", one);
        String twoId = delivery.role("CipherCertificateOtherReader", "reader1", two);
        Content inner = new Content("inner").inline("innerdata", text).signedBy(author, authorId);
        delivery.container(new Content("outer").nested("nested", inner).inline("outerdata", Context.text())
                .signedBy(author, authorId).signedBy(second, secondId));
        String layer = Crypt.content(new Content("deep").inline("deepdata", secret).signedBy(author, authorId).xml(), "encdeep",
                Map.of(twoId, two.certificate()), new Crypt.Style());
        Map<String, java.security.cert.X509Certificate> both = new LinkedHashMap<>();
        both.put(oneId, one.certificate());
        both.put(twoId, two.certificate());
        delivery.encrypted.add(Crypt.content(new Content("layer").encrypted(layer).xml(), "encouter", both, new Crypt.Style()));
        String id = context.stored(delivery);
        Dialog d = context.opened(context.addressee());
        Answer got = d.fetch(Dialog.byId(id));
        d.exit();
        if (!got.is("0801")) return Outcome.of(got, "0801");
        String body = Canonical.of(Xml.first(got.document, Xml.OSCI, "ContentPackage").orElseThrow());
        boolean exact = delivery.encrypted.stream().allMatch(e -> body.contains(Xml.text(Xml.parse(e.replaceFirst(">", Xml.FIVE + ">")),
                Xml.XENC, "CipherValue").orElseThrow()));
        List<SignatureCheck> checks = got.contentSignatures();
        return Outcome.all(DialogCases.steps("fetch", Outcome.of(got, "0801"),
                "signatures", Outcome.of(checks.size() == 3 && checks.stream().allMatch(SignatureCheck::valid), verdicts(got)),
                "ciphertext", Outcome.of(exact, exact ? "unchanged" : "changed"),
                "layers", Outcome.of(deep(got, two, secret), "reader2")));
    }

    /** Opens both layers; the certificates of the inner one stand in the message, not in the plaintext. */
    private boolean deep(Answer got, Identity reader, byte[] secret) throws Exception {
        Element outer = Xml.first(got.document, Xml.XENC, "EncryptedData").orElseThrow();
        var plain = Crypt.openContent(outer, reader);
        Element inner = Xml.first(plain, Xml.XENC, "EncryptedData").orElseThrow();
        Element moved = (Element) got.document.importNode(inner, true);
        Xml.first(got.document, Xml.OSCI, "ContentPackage").orElseThrow().appendChild(moved);
        String content = Xml.text(Crypt.openContent(moved, reader), Xml.OSCI, "Base64Content").orElse("");
        return Arrays.equals(Xml.base64(content), secret);
    }

    @Case(id = "H21", title = "custom header and MessageMetaData", expected = "both arrive at the recipient unchanged and signed")
    public Outcome customHeader() {
        Delivery delivery = context.delivery(Context.text());
        String mark = UUID.randomUUID().toString();
        String custom = "<x:Hint xmlns:x=\"urn:invented:hint\" Id=\"hint\" b=\"2\" a=\"1\">" + mark + "</x:Hint>";
        String meta = "<m:MessageMetaData xmlns:m=\"http://www.osci.eu/ws/2014/10/transport\" Id=\"MetaData\"><m:Qualifier>"
                + "<m:MessageType>invented</m:MessageType></m:Qualifier></m:MessageMetaData>";
        delivery.tail.add(custom);
        delivery.tail.add(meta);
        String id = context.stored(delivery);
        Dialog d = context.opened(context.addressee());
        Answer got = d.fetch(Dialog.byId(id));
        d.exit();
        if (!got.is("0801")) return Outcome.of(got, "0801");
        boolean hint = Xml.first(got.document, "urn:invented:hint", "Hint").map(e -> e.getTextContent().equals(mark)
                && e.getAttribute("a").equals("1") && e.getAttribute("b").equals("2") && e.getAttribute("Id").equals("hint")).orElse(false);
        boolean metaData = Xml.first(got.document, "http://www.osci.eu/ws/2014/10/transport", "MessageMetaData")
                .map(e -> e.getTextContent().equals("invented")).orElse(false);
        return Outcome.all(DialogCases.steps("fetch", Outcome.of(got, "0801"), "custom", Outcome.of(hint, hint ? "there" : "missing or altered"),
                "MessageMetaData", Outcome.of(metaData, metaData ? "there" : "missing or altered")));
    }

    @Case(id = "H23", title = "cryptographic quality of time stamp requested", expected = "Cryptographic, or Plain if not offered (--policy timestamp=cryptographic|plain)")
    public Outcome timestamp() {
        Dialog d = context.originator();
        String id = context.issuedId(d);
        Delivery delivery = context.delivery(Context.text());
        delivery.quality = "cryptographic";
        Answer answer = d.send(delivery.store(d, context.mailbox(), id));
        if (!answer.ok()) return Outcome.of(answer, "0800");
        Element creation = answer.cards().isEmpty() ? null : Xml.first(answer.cards().get(0), Xml.OSCI, "Creation").orElse(null);
        String kind = creation == null ? "none" : Xml.children(creation).get(0).getLocalName().toLowerCase(Locale.ROOT);
        return Outcome.of(kind.equals(context.policy("timestamp", "plain")), answer.seen() + " " + kind);
    }

    @Case(id = "H24", title = "huge attachment", expected = "stored in constant memory, or refused with 9904/9811 (--huge-mb, --pid, --memory-mb)")
    public Outcome huge() throws Exception {
        int megabytes = context.args.number("huge-mb", 500);
        Path file = Files.createTempFile("osci-huge", ".bin");
        Path body = Files.createTempFile("osci-huge", ".body");
        try {
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
                byte[] block = Crypt.random(1 << 20);
                for (int i = 0; i < megabytes; i++) out.write(block);
            }
            Dialog d = context.originator();
            String id = context.issuedId(d);
            Delivery delivery = new Delivery();
            delivery.container(new Content("container0").attachment("content0",
                    new Mime.Part("huge.bin", "application/octet-stream", "8-bit", Mime.Data.of(file))));
            Message order = delivery.store(d, context.mailbox(), id);
            byte[] key = Crypt.random(32);
            Path secret = Files.createTempFile("osci-huge", ".secret");
            try (OutputStream out = Crypt.encrypting(new BufferedOutputStream(Files.newOutputStream(secret)), key, new Crypt.Style())) {
                Mime.write(out, Message.root(order.xml()), order.parts);
            }
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(body))) {
                Mime.write(out, Message.root(Crypt.envelope(key, context.keys.get("intermediary_cipher").certificate(), new Crypt.Style())),
                        List.of(new Mime.Part("osci_enc", "application/octet-stream", "binary", Mime.Data.of(secret))));
            } finally {
                Files.delete(secret);
            }
            Long before = peak();
            Answer answer = new Http(context.url, context.keys, context.args.number("huge-patience", 600)).post(body);
            Long after = peak();
            Outcome outcome = Outcome.of(answer, "0800", "9904", "9811");
            if (after == null) return outcome.noting("memory not watched (give --pid)");
            long grown = after - before;
            boolean small = grown <= context.args.number("memory-mb", 64);
            return Outcome.all(DialogCases.steps("store", outcome, "memory", Outcome.of(small, "peak grew by " + grown + " MB")));
        } finally {
            Files.delete(file);
            Files.delete(body);
        }
    }

    /** Highest resident memory of the server in MB, or null when nobody said which process it is. */
    private Long peak() throws IOException {
        if (!context.args.has("pid")) return null;
        return Files.readAllLines(Path.of("/proc/" + context.args.need("pid") + "/status")).stream().filter(l -> l.startsWith("VmHWM"))
                .map(l -> Long.parseLong(l.replaceAll("\\D", "")) / 1024).findFirst().orElse(0L);
    }
}
