package library.cases;

import java.io.IOException;
import java.net.*;
import java.util.*;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import library.*;
import peer.cases.*;
import peer.wire.*;

/** N10, N17, N42, N43: broken or hostile envelopes and MIME packages, made from the library's plain messages. */
public final class EnvelopeCases {
    private final Scene scene;

    public EnvelopeCases(Scene scene) {
        this.scene = scene;
    }

    /** A plain and signed getMessageId, altered on its way. */
    private Reply sent(UnaryOperator<byte[]> change) {
        Dialog d = scene.client().plain();
        d.line.change = change;
        return d.messageId();
    }

    private Outcome refused(UnaryOperator<String> change) {
        return sent(Text.change(change)).outcome("fault 9100");
    }

    private Outcome unaltered() {
        if (!scene.policy("plain", "accept").equals("accept")) return Outcome.notApplicable("plain messages are refused");
        return sent(UnaryOperator.identity()).outcome("0800");
    }

    @Case(id = "N10", title = "DOCTYPE, external entity, entity bomb", expected = "fault 9100, no outbound connection")
    public Outcome doctype() throws IOException {
        AtomicBoolean called = new AtomicBoolean();
        try (ServerSocket trap = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Thread listener = new Thread(() -> {
                try (Socket visitor = trap.accept()) {
                    called.set(true);
                } catch (IOException e) {
                    // closed: nobody came
                }
            });
            listener.setDaemon(true);
            listener.start();
            String there = "http://127.0.0.1:" + trap.getLocalPort() + "/x";
            Map<String, Outcome> steps = new LinkedHashMap<>();
            steps.put("unaltered", unaltered());
            steps.put("DOCTYPE", prolog("<!DOCTYPE x>", ""));
            steps.put("external", prolog("<!DOCTYPE x [<!ENTITY e SYSTEM \"" + there + "\">]>", "&e;"));
            steps.put("external DTD", prolog("<!DOCTYPE x SYSTEM \"" + there + "\">", ""));
            StringBuilder bomb = new StringBuilder("<!DOCTYPE x [<!ENTITY e0 \"lol\">");
            for (int i = 1; i < 12; i++) bomb.append("<!ENTITY e").append(i).append(" \"").append(("&e" + (i - 1) + ";").repeat(10)).append("\">");
            steps.put("bomb", prolog(bomb + "]>", "&e11;"));
            steps.put("outbound", Outcome.of(!called.get(), called.get() ? "called" : "none"));
            return Outcome.all(steps);
        }
    }

    private Outcome prolog(String doctype, String entity) {
        return refused(xml -> xml.replace("?>\r\n\r\n<soap:Envelope", "?>\r\n\r\n" + doctype + "<soap:Envelope")
                .replace("<osci:getMessageId>", "<osci:getMessageId>" + entity));
    }

    @Case(id = "N17", title = "Challenge missing", expected = "fault 9100")
    public Outcome noChallenge() {
        return sent(Text.resigned(scene.signer(), "controlblock", xml -> xml.replaceFirst("<osci:Challenge>[^<]*</osci:Challenge>", ""))).outcome("fault 9100");
    }

    @Case(id = "N42", title = "LF line ends, no closing boundary, bare XML, half, empty, cut off, wrong schemaLocation, GET",
            expected = "fault 9100 each (cut off: also closed or http 400/408); GET: http 405")
    public Outcome broken() {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("unaltered", unaltered());
        steps.put("LF", refused(xml -> xml.replace("\r\n", "\n")));
        steps.put("no end", refused(xml -> xml.substring(0, xml.lastIndexOf("\r\n--"))));
        steps.put("bare XML", refused(xml -> xml.substring(xml.indexOf("<soap:Envelope"), xml.lastIndexOf("</soap:Envelope>") + 16)));
        steps.put("half", refused(xml -> xml.substring(0, xml.length() / 2)));
        steps.put("empty", refused(xml -> ""));
        Dialog d = scene.client().plain();
        d.messageId();
        Http http = new Http(scene.url, scene.keys, scene.args.number("patience", 60));
        Answer cut = http.truncated(d.line.sent, d.line.sent.length / 2);
        steps.put("cut off", Outcome.of(cut.is("fault 9100", "http 400", "http 408") || cut.status == 0, cut.seen()));
        steps.put("wrong type", refused(xml -> xml.replace("soapGetMessageId.xsd", "soapNonsense.xsd")));
        steps.put("two blanks", refused(xml -> xml.replace("envelope/ soapGetMessageId", "envelope/  soapGetMessageId")));
        steps.put("no schemaLocation", refused(xml -> xml.replaceFirst(" xsi:schemaLocation=\"[^\"]*\"", "")));
        steps.put("not UTF-8", refused(xml -> xml.replace("Id=\"body\"", "Id=\"b\u00f6dy\"")));
        steps.put("GET", Outcome.of(http.get(), "http 405"));
        return Outcome.all(steps);
    }

    @Case(id = "N43", title = "oversized MIME header line, 10 000 parts, 1 000 levels of nesting", expected = "fault 9100, quickly")
    public Outcome oversized() {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("unaltered", unaltered());
        steps.put("header line of 4 MB", quick(xml -> xml.replaceFirst("MIME-Version: 1.0", "MIME-Version: 1.0\r\nX-Long: " + "x".repeat(4 << 20))));
        steps.put("100 000 header lines", quick(xml -> xml.replaceFirst("MIME-Version: 1.0", "MIME-Version: 1.0" + "\r\nX-Many: x".repeat(100_000))));
        steps.put("10 000 parts", quick(xml -> {
            String boundary = xml.substring(xml.lastIndexOf("\r\n--"), xml.lastIndexOf("--\r\n"));
            StringBuilder parts = new StringBuilder();
            for (int i = 0; i < 10_000; i++) {
                parts.append(boundary).append("\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: 8-bit\r\nContent-ID: <p").append(i).append(">\r\n\r\nx");
            }
            return xml.substring(0, xml.lastIndexOf("\r\n--")) + parts + boundary + "--\r\n";
        }));
        steps.put("1 000 levels", quick(xml -> xml.replace("<osci:getMessageId>", "<osci:getMessageId>" + "<osci:Content>".repeat(1000) + "</osci:Content>".repeat(1000))));
        StringBuilder attributes = new StringBuilder();
        for (int i = 0; i < 20_000; i++) attributes.append(" a").append(i).append("=\"\"");
        steps.put("20 000 attributes", quick(xml -> xml.replace("<osci:getMessageId>", "<osci:getMessageId" + attributes + ">")));
        return Outcome.all(steps);
    }

    private Outcome quick(UnaryOperator<String> change) {
        long start = System.nanoTime();
        Outcome outcome = refused(change);
        long ms = (System.nanoTime() - start) / 1_000_000;
        return ms < 10_000 ? outcome : Outcome.of(false, outcome.seen() + " after " + ms + " ms");
    }
}
