package peer.recipient;

import com.google.gson.*;
import com.sun.net.httpserver.*;
import java.io.*;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.Consumer;
import org.w3c.dom.Element;
import peer.client.Content;
import peer.keys.*;
import peer.wire.*;

/**
 * A passive recipient. The last word of the path says how it behaves:
 * accept, refuse, unsigned, plain, broken, garbage, empty (no reply content), hanging.
 */
public final class Recipient implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final KeyRing own;
    private final java.security.cert.X509Certificate intermediary;
    private final KeyRing.Party me;
    private final Consumer<JsonObject> log;
    private final List<Answer> received = new CopyOnWriteArrayList<>();

    public Recipient(int port, KeyRing keys, String always, Consumer<JsonObject> log) throws IOException {
        this.own = keys.only("addressee");
        this.intermediary = keys.get("intermediary_signature").certificate();
        this.me = keys.party("addressee");
        this.log = log;
        server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.setExecutor(threads);
        server.createContext("/", exchange -> {
            String path = exchange.getRequestURI().getPath();
            answer(exchange, always != null ? always : path.substring(path.lastIndexOf('/') + 1));
        });
        server.start();
    }

    public String url(String behaviour) {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/" + behaviour;
    }

    public List<Answer> received() {
        return received;
    }

    @Override
    public void close() {
        closing.countDown();
        server.stop(0);
        threads.shutdownNow();
    }

    private void answer(HttpExchange exchange, String behaviour) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            Answer order = Answer.read(200, body, own);
            received.add(order);
            log.accept(describe(order, behaviour));
            if (behaviour.equals("hanging")) {
                closing.await(10, TimeUnit.MINUTES);
                return;
            }
            byte[] reply = reply(order, behaviour);
            exchange.getResponseHeaders().set("Content-Type", "text/xml");
            exchange.sendResponseHeaders(200, reply.length);
            exchange.getResponseBody().write(reply);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            log.accept(trouble(e));
            throw e;
        }
    }

    private static JsonObject trouble(RuntimeException e) {
        JsonObject line = new JsonObject();
        line.addProperty("trouble", e.toString());
        return line;
    }

    private byte[] reply(Answer order, String behaviour) {
        if (behaviour.equals("garbage")) return "this is no OSCI message".getBytes(StandardCharsets.US_ASCII);
        if (order.trouble != null) return fault(order.refusal);
        if (!order.type.equals("AcceptDelivery") && !order.type.equals("ProcessDelivery")) return fault("9300");
        if (order.control("Challenge") == null) return fault("9100");
        boolean process = order.type.equals("ProcessDelivery");
        String code = verdict(order, behaviour);
        Message m = new Message("ResponseTo" + order.type);
        m.supplier = true;
        m.response = order.control("Challenge");
        Optional<String> replyId = order.text("MessageIdResponse");
        if (process && replyId.isPresent()) m.timestamps("plain");
        String extra = process ? replyId.map(id -> "<osci:MessageId>" + id + "</osci:MessageId>").orElse("") : "";
        m.block("osci:responseTo" + order.type, "", feedback(code) + extra);
        if (process) {
            m.certify("CipherCertificateOriginator", "originator", me.cipher());
            sign(m, "SignatureCertificateOriginator", "originator", behaviour);
            m.body = "<osci:ContentPackage>" + (behaviour.equals("empty") || !code.equals("0800") ? ""
                    : new Content("reply").inline("replydata", echo(order)).xml()) + "</osci:ContentPackage>";
        } else {
            sign(m, "SignatureCertificateAddressee", "addressee", behaviour);
        }
        byte[] plain = Mime.write(Message.root(broken(m.xml(), behaviour)), m.parts);
        return order.encrypted && !behaviour.equals("plain") ? encrypt(plain, order) : plain;
    }

    /** Only the one intermediary that this recipient knows may deliver. */
    private String verdict(Answer order, String behaviour) {
        if (order.signature.code() != null) return order.signature.code();
        if (!intermediary.equals(order.signature.signer())) return "9601";
        return behaviour.equals("refuse") ? "9805" : "0800";
    }

    private void sign(Message m, String element, String role, String behaviour) {
        String id = m.certify(element, role, me.signature());
        if (behaviour.equals("unsigned")) return;
        m.signer = me.signature();
        m.signerId = id;
    }

    /** Alters a signed text after signing. */
    private static String broken(String xml, String behaviour) {
        return behaviour.equals("broken") ? xml.replaceFirst("<osci:Text>", "<osci:Text>altered ") : xml;
    }

    private static byte[] encrypt(byte[] plain, Answer order) {
        Element certificate = Xml.first(order.document, Xml.OSCI, "CipherCertificateIntermediary").orElseThrow(
                () -> new IllegalStateException("the order names no certificate to answer to"));
        try {
            return Crypt.message(plain, Certificates.in(certificate), new Crypt.Style());
        } catch (java.security.cert.CertificateException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What a reply repeats of the order, so that the sender can tell replies apart. */
    public static byte[] echo(Answer order) {
        return ("echo: " + order.inline().map(b -> new String(b, StandardCharsets.UTF_8)).orElse("")).getBytes(StandardCharsets.UTF_8);
    }

    public static String feedback(String code) {
        return "<osci:Feedback><osci:Entry xml:lang=\"de\"><osci:Code>" + code + "</osci:Code><osci:Text>Test</osci:Text>"
                + "</osci:Entry></osci:Feedback>";
    }

    /** A SOAP fault, as the library writes it: without schemaLocation, neither signed nor encrypted. */
    public static byte[] fault(String code) {
        String side = code.equals("9000") || code.equals("9503") ? "Server" : "Client";
        return Mime.write(Message.root("<soap:Envelope" + Xml.FIVE + "><soap:Body><soap:Fault><faultcode>soap:" + side
                + "</faultcode><faultstring>Test</faultstring><detail><osci:Code>" + code
                + "</osci:Code></detail></soap:Fault></soap:Body></soap:Envelope>"), List.of());
    }

    private static JsonObject describe(Answer order, String behaviour) {
        JsonObject line = new JsonObject();
        line.addProperty("behaviour", behaviour);
        line.addProperty("type", order.type);
        line.addProperty("encrypted", order.encrypted);
        line.addProperty("signature", order.signature.verdict());
        if (order.trouble != null) line.addProperty("trouble", order.trouble);
        order.messageId().ifPresent(id -> line.addProperty("messageId", id));
        order.text("Subject").ifPresent(s -> line.addProperty("subject", s));
        JsonArray certificates = new JsonArray();
        if (order.document != null) {
            Xml.first(order.document, Xml.OSCI, "NonIntermediaryCertificates").ifPresent(
                    block -> Xml.children(block).forEach(e -> certificates.add(e.getLocalName() + " " + e.getAttribute("Id"))));
        }
        line.add("certificates", certificates);
        JsonArray content = new JsonArray();
        order.contentSignatures().forEach(s -> content.add(s.verdict()));
        line.add("contentSignatures", content);
        JsonArray parts = new JsonArray();
        if (order.mime != null) order.mime.parts().values().forEach(p -> parts.add(p.cid()));
        line.add("parts", parts);
        line.addProperty("inline", order.inline().map(Base64.getEncoder()::encodeToString).orElse(null));
        return line;
    }
}
