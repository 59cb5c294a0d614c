package peer.cases;

import java.io.*;
import java.net.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.atomic.AtomicBoolean;
import peer.client.Dialog;
import peer.wire.*;

/** N10, N17, N42, N43: broken or hostile envelopes and MIME packages. */
public final class EnvelopeCases {
    private final Context context;

    public EnvelopeCases(Context context) {
        this.context = context;
    }

    /** An unsigned getMessageId whose octets are sent plainly, as hostile input needs no key. */
    private String plainXml() {
        Dialog d = context.originator();
        d.sign = false;
        return d.messageIdOrder().xml();
    }

    private Answer post(byte[] octets) {
        return context.http().post(octets);
    }

    private Answer postXml(String withProlog) {
        return post(Mime.write(withProlog.getBytes(StandardCharsets.UTF_8), List.of()));
    }

    /** The same message unaltered is understood: refused for want of a signature at most. */
    private Outcome unaltered() {
        if (!context.policy("plain", "accept").equals("accept")) return Outcome.notApplicable("plain messages are refused");
        return Outcome.of(post(Mime.write(Message.root(plainXml()), List.of())), "0800", "9600");
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
            steps.put("DOCTYPE", Outcome.of(postXml(prolog("<!DOCTYPE x>", "")), "fault 9100"));
            steps.put("external", Outcome.of(postXml(prolog("<!DOCTYPE x [<!ENTITY e SYSTEM \"" + there + "\">]>", "&e;")), "fault 9100"));
            steps.put("external DTD", Outcome.of(postXml(prolog("<!DOCTYPE x SYSTEM \"" + there + "\">", "")), "fault 9100"));
            StringBuilder bomb = new StringBuilder("<!DOCTYPE x [<!ENTITY e0 \"lol\">");
            for (int i = 1; i < 12; i++) bomb.append("<!ENTITY e").append(i).append(" \"").append(("&e" + (i - 1) + ";").repeat(10)).append("\">");
            steps.put("bomb", Outcome.of(postXml(prolog(bomb + "]>", "&e11;")), "fault 9100"));
            steps.put("in the encrypted message", Outcome.of(encryptedDoctype(), "fault 9100"));
            steps.put("outbound", Outcome.of(!called.get(), called.get() ? "called" : "none"));
            return Outcome.all(steps);
        }
    }

    private String prolog(String doctype, String entity) {
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + doctype + plainXml().replace("<osci:getMessageId>", "<osci:getMessageId>" + entity);
    }

    private Answer encryptedDoctype() {
        byte[] plain = Mime.write(prolog("<!DOCTYPE x>", "").getBytes(StandardCharsets.UTF_8), List.of());
        return post(Crypt.message(plain, context.keys.get("intermediary_cipher").certificate(), new Crypt.Style()));
    }

    @Case(id = "N17", title = "Challenge missing", expected = "fault 9100")
    public Outcome noChallenge() {
        Context.Ready ready = context.ready();
        ready.order().challenge = null;
        return Outcome.of(ready.send(), "fault 9100");
    }

    @Case(id = "N42", title = "LF line ends, no closing boundary, bare XML, truncated, empty, wrong schemaLocation, GET",
            expected = "fault 9100 each (truncated: also closed or http 400); GET: http 405")
    public Outcome broken() {
        byte[] good = Mime.write(Message.root(plainXml()), List.of());
        String text = new String(good, StandardCharsets.UTF_8);
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("unaltered", unaltered());
        steps.put("LF", nine100(text.replace("\r\n", "\n")));
        steps.put("no end", nine100(text.substring(0, text.lastIndexOf("\r\n--"))));
        steps.put("bare XML", nine100(plainXml()));
        steps.put("half", nine100(text.substring(0, text.length() / 2)));
        steps.put("empty", nine100(""));
        Answer cut = context.http().truncated(good, good.length / 2);
        steps.put("cut off", Outcome.of(cut.is("fault 9100", "http 400", "http 408") || cut.status == 0, cut.seen()));
        steps.put("wrong type", nine100(text.replace("soapGetMessageId.xsd", "soapNonsense.xsd")));
        steps.put("two blanks", nine100(text.replace("envelope/ soapGetMessageId", "envelope/  soapGetMessageId")));
        steps.put("no schemaLocation", nine100(text.replaceFirst(" xsi:schemaLocation=\"[^\"]*\"", "")));
        steps.put("other prefix", nine100(text.replace("xmlns:xsi=", "xmlns:foo=").replace("xsi:schemaLocation", "foo:schemaLocation")));
        steps.put("not UTF-8", Outcome.of(post(text.replace("Id=\"body\"", "Id=\"b\u00f6dy\"").getBytes(StandardCharsets.ISO_8859_1)), "fault 9100"));
        steps.put("GET", Outcome.of(context.http().get(), "http 405"));
        return Outcome.all(steps);
    }

    private Outcome nine100(String text) {
        return Outcome.of(post(text.getBytes(StandardCharsets.UTF_8)), "fault 9100");
    }

    @Case(id = "N43", title = "oversized MIME header line, 10 000 parts, 1 000 levels of nesting", expected = "fault 9100, quickly")
    public Outcome oversized() {
        String xml = plainXml();
        String good = new String(Mime.write(Message.root(xml), List.of()), StandardCharsets.UTF_8);
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("unaltered", unaltered());
        steps.put("header line of 4 MB", quick(good.replaceFirst("MIME-Version: 1.0", "MIME-Version: 1.0\r\nX-Long: " + "x".repeat(4 << 20)).getBytes(StandardCharsets.UTF_8)));
        steps.put("100 000 header lines", quick(good.replaceFirst("MIME-Version: 1.0", "MIME-Version: 1.0" + "\r\nX-Many: x".repeat(100_000)).getBytes(StandardCharsets.UTF_8)));
        List<Mime.Part> parts = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) parts.add(Mime.Part.octets("p" + i, new byte[] {1}));
        steps.put("10 000 parts", quick(Mime.write(Message.root(xml), parts)));
        String deep = "<osci:Content>".repeat(1000) + "</osci:Content>".repeat(1000);
        steps.put("1 000 levels", quick(Mime.write(Message.root(xml.replace("<osci:getMessageId>", "<osci:getMessageId>" + deep)), List.of())));
        StringBuilder attributes = new StringBuilder();
        for (int i = 0; i < 20_000; i++) attributes.append(" a").append(i).append("=\"\"");
        steps.put("20 000 attributes", quick(Mime.write(Message.root(xml.replace("<osci:getMessageId>", "<osci:getMessageId" + attributes + ">")), List.of())));
        return Outcome.all(steps);
    }

    private Outcome quick(byte[] octets) {
        long start = System.nanoTime();
        Answer answer = post(octets);
        long ms = (System.nanoTime() - start) / 1_000_000;
        Outcome outcome = Outcome.of(answer, "fault 9100");
        return ms < 10_000 ? outcome : Outcome.of(false, outcome.seen() + " after " + ms + " ms");
    }
}
