package peer.stub;

import com.sun.net.httpserver.*;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.*;
import java.security.cert.*;
import java.time.*;
import java.time.temporal.ChronoUnit;
import java.util.*;
import java.util.concurrent.Executors;
import org.w3c.dom.Element;
import peer.keys.*;
import peer.recipient.Recipient;
import peer.wire.*;

/**
 * A stand-in intermediary, just good enough to test this harness with: it keeps everything in memory, checks neither
 * certificates nor algorithms nor limits. No authority on what an intermediary does.
 */
public final class Stub implements AutoCloseable {
    private static final class Conversation {
        int next;
        String challenge;
        X509Certificate cipher;
        final List<Stored> fetched = new ArrayList<>();
    }

    private static final class Stored {
        String id;
        X509Certificate addressee;
        X509Certificate sender;
        Answer order;
        String subject;
        final Map<String, OffsetDateTime> times = new LinkedHashMap<>();
    }

    /** An order that is answered with this code and nothing else. */
    static final class Rejected extends Exception {
        private static final long serialVersionUID = 1;
        final String code;

        Rejected(String code) {
            this.code = code;
        }
    }

    private final HttpServer server;
    private final java.util.concurrent.ExecutorService threads = Executors.newCachedThreadPool();
    private final KeyRing own;
    private final KeyRing.Party me;
    private final Map<String, Conversation> conversations = new HashMap<>();
    private final Map<String, X509Certificate> issued = new HashMap<>();
    private final Chunks chunks = new Chunks();
    private final List<Stored> deliveries = new ArrayList<>();

    public Stub(int port, KeyRing keys) throws IOException {
        own = keys.only("intermediary");
        me = keys.party("intermediary");
        server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.setExecutor(threads);
        server.createContext("/", this::exchange);
        server.start();
    }

    public String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/osci";
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }

    private void exchange(HttpExchange exchange) throws IOException {
        try (exchange) {
            if (!exchange.getRequestMethod().equals("POST")) {
                exchange.sendResponseHeaders(405, -1);
                return;
            }
            byte[] reply;
            try {
                reply = answer(Answer.read(200, exchange.getRequestBody().readAllBytes(), own));
            } catch (Refusal e) {
                reply = Recipient.fault(e.code());
            } catch (RuntimeException e) {
                e.printStackTrace();
                reply = Recipient.fault("9000");
            }
            exchange.sendResponseHeaders(200, reply.length);
            exchange.getResponseBody().write(reply);
        }
    }

    private byte[] answer(Answer q) {
        if (q.trouble != null) throw new Refusal(q.refusal, q.trouble);
        if (q.fault() || q.type.isEmpty() || q.type.startsWith("ResponseTo")) throw new Refusal("9100", "no order");
        if (q.control("Challenge") == null) throw new Refusal("9100", "no challenge");
        Message m = new Message("ResponseTo" + q.type);
        m.supplier = true;
        m.response = q.control("Challenge");
        m.sequence = q.control("SequenceNumber");
        m.challenge = q.type.equals("ExitDialog") ? null : Base64.getEncoder().encodeToString(Crypt.random(10));
        Conversation c;
        synchronized (this) {
            c = conversation(q, m);
            c.fetched.forEach(s -> s.times.putIfAbsent("Reception", now()));
            c.fetched.clear();
        }
        X509Certificate cipher = certificate(q, "CipherCertificateOriginator");
        if (cipher == null) cipher = c.cipher;
        if (q.encrypted && cipher == null) throw new Refusal("9500", "nobody to encrypt for");
        try {
            if (q.signature.code() != null) throw new Rejected(q.signature.code());
            order(q, m, c);
        } catch (Rejected e) {
            respond(q, m, List.of(e.code), "");
        }
        m.signerId = m.certify("SignatureCertificateIntermediary", "intermed", me.signature());
        if (q.signature != SignatureCheck.ABSENT) m.signer = me.signature();
        m.features(" MaxChunkSize=\"10000\" MaxMessageSize=\"2000000\" MinChunkSize=\"1\"");
        byte[] plain = m.mime();
        return q.encrypted ? Crypt.message(plain, cipher, new Crypt.Style()) : plain;
    }

    private Conversation conversation(Answer q, Message m) {
        String id = q.control("ConversationId");
        Conversation c;
        if (q.type.equals("InitDialog") || id == null) {
            c = new Conversation();
            c.cipher = certificate(q, "CipherCertificateOriginator");
            id = new java.math.BigInteger(1, Crypt.random(12)).toString();
            if (q.type.equals("InitDialog")) conversations.put(id, c);
        } else {
            c = conversations.get(id);
            if (c == null) throw new Refusal("9400", "unknown conversation");
            if (!String.valueOf(c.next++).equals(m.sequence)) throw new Refusal("9400", "number");
            if (!c.challenge.equals(q.control("Response"))) throw new Refusal("9400", "challenge");
            if (q.type.equals("ExitDialog")) conversations.remove(id);
        }
        c.challenge = m.challenge;
        m.conversation = id;
        return c;
    }

    private void order(Answer q, Message m, Conversation c) throws Rejected {
        boolean explicit = q.control("ConversationId") != null;
        String good = explicit && !q.type.equals("ExitDialog") ? "0801" : q.type.equals("InitDialog") ? "0801" : "0800";
        switch (q.type) {
            case "InitDialog", "ExitDialog" -> respond(q, m, List.of(good), "");
            case "GetMessageId" -> {
                String id = UUID.randomUUID().toString();
                synchronized (this) {
                    issued.put(id, q.signature.signer());
                }
                respond(q, m, List.of(good), "<osci:MessageId>" + Xml.wireId(id) + "</osci:MessageId>");
            }
            case "StoreDelivery" -> {
                Stored s = take(q);
                synchronized (this) {
                    deliveries.add(s);
                }
                respond(q, m, List.of(good), card("ProcessCardBundle", s));
            }
            case "ForwardDelivery" -> {
                Stored s = take(q);
                hand(q, s, "AcceptDelivery");
                respond(q, m, List.of(good), card("ProcessCardBundle", s));
            }
            case "MediateDelivery" -> mediate(q, m, good, explicit);
            case "FetchDelivery" -> {
                need(explicit);
                fetch(q, m, c);
            }
            case "FetchProcessCard" -> {
                need(explicit);
                cards(q, m, c);
            }
            case "PartialStoreDelivery" -> {
                List<String> inside = new ArrayList<>();
                String information = chunks.store(q, octets -> inside(octets, q.signature.signer()), inside);
                List<String> codes = inside.isEmpty() ? List.of(good) : List.of("3950", good);
                String verdict = inside.isEmpty() ? "" : Recipient.feedback(inside.get(0)).replace("osci:Feedback>", "osci2017:InsideFeedback>");
                respond(q, m, codes, information, verdict);
            }
            case "PartialFetchDelivery" -> {
                need(explicit);
                Stored s = find(q, c).get(0);
                respond(q, m, List.of(good), "<osci:fetchDelivery></osci:fetchDelivery>" + chunks.fetch(q, s.id, () -> whole(q, s), m));
            }
            default -> throw new Refusal("9300", "not served");
        }
    }

    /** Executes the delivery that came in chunks; the result is its feedback code. */
    private String inside(byte[] octets, X509Certificate sender) {
        Answer order = Answer.read(200, octets, own);
        try {
            if (order.trouble != null) return "9100";
            if (order.signature.code() != null) return order.signature.code();
            if (!sender.equals(order.signature.signer())) return "9601";
            Stored s = take(order);
            synchronized (this) {
                deliveries.add(s);
            }
            return "0800";
        } catch (Rejected e) {
            return e.code;
        }
    }

    /** The answer to a fetch that is cut into chunks: built once, plain, signed. */
    private byte[] whole(Answer q, Stored s) {
        s.times.put("Forwarding", now());
        Message m = new Message("ResponseToFetchDelivery");
        m.supplier = true;
        m.response = q.control("Challenge");
        m.challenge = q.control("Challenge");
        m.conversation = q.control("ConversationId");
        m.sequence = q.control("SequenceNumber");
        m.block("osci:responseToFetchDelivery", "", Recipient.feedback("0800") + "<osci:fetchDelivery></osci:fetchDelivery>" + card("ProcessCardBundle", s));
        relay(s.order, m);
        m.signerId = m.certify("SignatureCertificateIntermediary", "intermed", me.signature());
        m.signer = me.signature();
        return m.mime();
    }

    private static void need(boolean explicit) throws Rejected {
        if (!explicit) throw new Rejected("9802");
    }

    private Stored take(Answer q) throws Rejected {
        Stored s = new Stored();
        s.id = q.messageId().orElse(null);
        synchronized (this) {
            if (s.id != null && !Objects.equals(issued.remove(s.id), q.signature.signer())) throw new Rejected("9801");
        }
        s.addressee = certificate(q, "CipherCertificateAddressee");
        s.sender = q.signature.signer();
        s.order = q;
        s.subject = q.text("Subject").orElse("");
        s.times.put("Creation", now());
        return s;
    }

    /** Sends the content on to the passive recipient and judges its answer. */
    private Answer hand(Answer q, Stored s, String type) throws Rejected {
        s.times.put("Forwarding", now());
        Message m = new Message(type);
        m.challenge = Base64.getEncoder().encodeToString(Crypt.random(10));
        m.block("osci:DesiredLanguages", " LanguagesList=\"de\"", "");
        String reply = type.equals("ProcessDelivery") && s.id != null ? "<osci:MessageIdResponse>" + Xml.wireId("reply-" + s.id) + "</osci:MessageIdResponse>" : "";
        m.block("osci:" + (type.equals("AcceptDelivery") ? "acceptDelivery" : "processDelivery"), "", reply + (s.id == null ? "" : card("ProcessCardBundle", s)));
        m.certify("CipherCertificateIntermediary", "intermed", me.cipher());
        m.signer = me.signature();
        m.signerId = m.certify("SignatureCertificateIntermediary", "intermed", me.signature());
        relay(q, m);
        String uri = Xml.first(q.document, Xml.OSCI, "ContentReceiver").orElseThrow().getAttribute("URI");
        Answer answer;
        try {
            HttpRequest request = HttpRequest.newBuilder(URI.create(uri)).timeout(Duration.ofSeconds(2))
                    .POST(HttpRequest.BodyPublishers.ofByteArray(Crypt.message(m.mime(), s.addressee, new Crypt.Style()))).build();
            answer = Answer.read(200, HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofByteArray()).body(), own);
        } catch (java.net.ConnectException e) {
            throw new Rejected("9809");
        } catch (IOException | InterruptedException e) {
            throw new Rejected("9810");
        }
        if (answer.trouble != null || answer.fault()) throw new Rejected("9808");
        if (answer.signature == SignatureCheck.ABSENT) throw new Rejected("3802");
        if (!answer.signature.valid()) throw new Rejected("9807");
        if (!answer.encrypted) throw new Rejected("3803");
        if (!answer.is("0800")) throw new Rejected("9805");
        s.times.put("Reception", now());
        return answer;
    }

    private void mediate(Answer q, Message m, String good, boolean explicit) throws Rejected {
        need(explicit);
        Stored s = take(q);
        Answer answer = hand(q, s, "ProcessDelivery");
        if (answer.inline().isEmpty()) throw new Rejected("9806");
        relay(answer, m);
        respond(q, m, List.of(good), s.id == null ? "" : card("RequestProcessCardBundle", s) + card("ReplyProcessCardBundle", s));
    }

    private List<Stored> find(Answer q, Conversation c) throws Rejected {
        String rule = Xml.first(q.document, Xml.OSCI, "SelectionRule").map(e -> Xml.children(e).get(0).getLocalName()).orElse("");
        String value = Xml.first(q.document, Xml.OSCI, "SelectionRule").map(Element::getTextContent).orElse("");
        List<Stored> found;
        synchronized (this) {
            found = deliveries.stream().filter(s -> s.addressee.equals(c.cipher)).filter(s -> switch (rule) {
                case "MessageId" -> Xml.wireId(s.id).equals(value);
                case "" -> !s.times.containsKey("Forwarding");
                default -> !s.times.get("Creation").isBefore(OffsetDateTime.parse(value));
            }).toList();
        }
        if (found.isEmpty()) throw new Rejected("9803");
        return found;
    }

    private void fetch(Answer q, Message m, Conversation c) throws Rejected {
        List<Stored> found = find(q, c);
        boolean any = Xml.first(q.document, Xml.OSCI, "SelectionRule").isEmpty();
        Stored s = found.get(0);
        s.times.put("Forwarding", now());
        c.fetched.add(s);
        relay(s.order, m);
        String echo = Xml.first(q.document, Xml.OSCI, "SelectionRule").map(Canonical::of).orElse("");
        respond(q, m, any && found.size() > 1 ? List.of("3800", "0801") : List.of("0801"),
                "<osci:fetchDelivery>" + echo + "</osci:fetchDelivery>" + card("ProcessCardBundle", s));
    }

    private void cards(Answer q, Message m, Conversation c) throws Rejected {
        Element rule = Xml.first(q.document, Xml.OSCI, "SelectionRule").map(e -> Xml.children(e).get(0)).orElse(null);
        int limit = Xml.first(q.document, Xml.OSCI, "Quantity").map(e -> Integer.parseInt(e.getAttribute("Limit"))).orElse(1000);
        List<Stored> found;
        synchronized (this) {
            found = deliveries.stream().filter(s -> s.addressee.equals(c.cipher)
                    || s.sender.equals(q.signature.signer())).filter(s -> {
                        if (rule == null) return true;
                        if (rule.getLocalName().equals("MessageId")) return Xml.wireId(s.id).equals(rule.getTextContent());
                        boolean open = !rule.getAttribute("NoReception").equals("true") || !s.times.containsKey("Reception");
                        return open && !s.times.get("Creation").isBefore(OffsetDateTime.parse(rule.getTextContent()));
                    }).toList();
        }
        if (found.isEmpty()) throw new Rejected("9804");
        StringBuilder cards = new StringBuilder("<osci:fetchProcessCard></osci:fetchProcessCard>");
        found.stream().limit(limit).forEach(s -> cards.append(card("ProcessCardBundle", s)));
        respond(q, m, found.size() > limit ? List.of("3801", "0801") : List.of("0801"), cards.toString());
    }

    /** Content, attachments, certificates under their Ids, foreign headers: as they came. */
    private static void relay(Answer from, Message m) {
        m.body = Xml.first(from.document, Xml.OSCI, "ContentPackage").map(Canonical::of).orElse("");
        m.parts.addAll(from.mime.parts().values());
        Element header = Xml.child(from.document.getDocumentElement(), Xml.SOAP, "Header").orElseThrow();
        for (Element e : Xml.children(header)) {
            boolean certificates = Xml.is(e, Xml.OSCI, "NonIntermediaryCertificates");
            boolean foreign = !Xml.OSCI.equals(e.getNamespaceURI()) && !Xml.OSCI2017.equals(e.getNamespaceURI());
            if (certificates || foreign) m.tail.add(Canonical.of(e));
        }
    }

    private static void respond(Answer q, Message m, List<String> codes, String inner) {
        respond(q, m, codes, inner, "");
    }

    private static void respond(Answer q, Message m, List<String> codes, String inner, String before) {
        StringBuilder feedback = new StringBuilder("<osci:Feedback>");
        String language = Xml.first(q.document, Xml.OSCI, "DesiredLanguages").map(e -> e.getAttribute("LanguagesList").split(" ")[0]).orElse("de");
        for (String code : codes) {
            feedback.append("<osci:Entry xml:lang=\"").append(language).append("\"><osci:Code>").append(code).append("</osci:Code><osci:Text>Test</osci:Text></osci:Entry>");
        }
        boolean partial = q.type.startsWith("Partial");
        String name = (partial ? "osci2017" : "osci") + ":responseTo" + q.type;
        boolean inBody = Set.of("InitDialog", "ExitDialog", "GetMessageId", "FetchProcessCard").contains(q.type);
        if (inBody) m.body = "<" + name + ">" + feedback + "</osci:Feedback>" + inner + "</" + name + ">";
        else m.block(name, partial ? " xmlns:osci2017=\"" + Xml.OSCI2017 + "\"" : "", before + feedback + "</osci:Feedback>" + inner);
    }

    private static String card(String name, Stored s) {
        StringBuilder times = new StringBuilder();
        synchronized (s.times) {
            for (String time : new String[] {"Creation", "Forwarding", "Reception"}) {
                if (s.times.containsKey(time)) times.append("<osci:").append(time).append("><osci:Plain>").append(s.times.get(time)).append("</osci:Plain></osci:").append(time).append(">");
            }
        }
        return "<osci:" + name + "><osci:MessageId>" + Xml.wireId(s.id) + "</osci:MessageId><osci:ProcessCard RecentModification=\"" + now() + "\">"
                + times + "<osci:Subject>" + Xml.escape(s.subject) + "</osci:Subject></osci:ProcessCard><osci:InspectionReport></osci:InspectionReport></osci:" + name + ">";
    }

    private static OffsetDateTime now() {
        return OffsetDateTime.now().truncatedTo(ChronoUnit.SECONDS);
    }

    private static X509Certificate certificate(Answer q, String element) {
        try {
            Optional<Element> found = Xml.first(q.document, Xml.OSCI, element);
            return found.isPresent() ? Certificates.in(found.get()) : null;
        } catch (CertificateException e) {
            throw new Refusal("9100", e.getMessage());
        }
    }
}
