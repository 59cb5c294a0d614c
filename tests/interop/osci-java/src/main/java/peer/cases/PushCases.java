package peer.cases;

import java.net.ServerSocket;
import java.util.*;
import org.w3c.dom.Element;
import peer.client.*;
import peer.recipient.Recipient;
import peer.wire.*;

/** H8–H10, N38, N39: deliveries that the intermediary hands on to our own passive recipient. */
public final class PushCases {
    private final Context context;

    public PushCases(Context context) {
        this.context = context;
    }

    private Recipient recipient() throws java.io.IOException {
        return new Recipient(0, context.keys, null, line -> { });
    }

    private Answer forward(String uri, Delivery delivery) {
        Dialog d = context.originator();
        String id = context.issuedId(d);
        return d.send(delivery.forward(d, context.mailbox(), uri, id));
    }

    @Case(id = "H8", title = "forwardDelivery to acceptDelivery", expected = "0800, card with Reception; recipient sees the certificates under unchanged Ids")
    public Outcome forwards() throws Exception {
        try (Recipient recipient = recipient()) {
            Dialog d = context.originator();
            String id = context.issuedId(d);
            Message order = context.delivery(Context.text()).forward(d, context.mailbox(), recipient.url("accept"), id);
            Answer answer = d.send(order);
            Map<String, Outcome> steps = new LinkedHashMap<>();
            steps.put("forward", Outcome.of(answer, "0800"));
            if (!answer.is("0800")) return Outcome.all(steps);
            steps.put("card", DeliveryCases.times(answer, id, true, true, true));
            Answer accept = recipient.received().get(0);
            Set<String> ids = new TreeSet<>();
            Xml.first(accept.document, Xml.OSCI, "NonIntermediaryCertificates").ifPresent(b -> Xml.children(b).forEach(e -> ids.add(e.getAttribute("Id"))));
            Set<String> sent = new TreeSet<>(order.certificates.stream().map(Message.Certificate::id).toList());
            steps.put("accept", Outcome.of(accept.type.equals("AcceptDelivery") && accept.encrypted && accept.signature.valid(),
                    accept.type + ", " + (accept.encrypted ? "encrypted" : "plain") + ", signature " + accept.signature.verdict()));
            steps.put("certificates", Outcome.of(ids.containsAll(sent), ids.containsAll(sent) ? "unchanged" : "missing or renamed"));
            steps.put("author", Outcome.of(!accept.contentSignatures().isEmpty()
                    && accept.contentSignatures().stream().allMatch(SignatureCheck::valid), DeliveryCases.verdicts(accept)));
            return Outcome.all(steps);
        }
    }

    @Case(id = "H9", title = "mediateDelivery with MessageId", expected = "0801, reply content, request and reply card")
    public Outcome mediates() throws Exception {
        return mediate(true);
    }

    @Case(id = "H10", title = "mediateDelivery without MessageId", expected = "0801, reply content, no cards")
    public Outcome mediatesUnlogged() throws Exception {
        return mediate(false);
    }

    private Outcome mediate(boolean logged) throws Exception {
        try (Recipient recipient = recipient()) {
            byte[] text = Context.text();
            Dialog d = context.opened(context.originator());
            String id = logged ? context.issuedId(d) : null;
            Answer answer = d.send(context.delivery(text).mediate(d, context.mailbox(), recipient.url("accept"), id));
            d.exit();
            Map<String, Outcome> steps = new LinkedHashMap<>();
            steps.put("mediate", Outcome.of(answer, "0801"));
            if (!answer.is("0801")) return Outcome.all(steps);
            String reply = answer.inline().map(String::new).orElse("");
            steps.put("reply", Outcome.of(reply.equals("echo: " + new String(text)), reply.isEmpty() ? "none" : "there"));
            boolean request = Xml.first(answer.document, Xml.OSCI, "RequestProcessCardBundle").isPresent();
            boolean back = Xml.first(answer.document, Xml.OSCI, "ReplyProcessCardBundle").isPresent();
            steps.put("cards", Outcome.of(request == logged && back == logged, (request ? "request " : "") + (back ? "reply" : "")));
            boolean alike = recipient.received().get(0).text("MessageIdResponse").isPresent() == logged;
            steps.put("processDelivery", Outcome.of(alike, recipient.received().get(0).type));
            return Outcome.all(steps);
        }
    }

    @Case(id = "N38", title = "recipient unreachable, hanging, refusing, unsigned, plain, broken, garbage",
            expected = "9809, 9810, 9805, 3802, 3803, 9807, 9808")
    public Outcome recipients() throws Exception {
        int closed;
        try (ServerSocket probe = new ServerSocket(0)) {
            closed = probe.getLocalPort();
        }
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("unreachable", step("http://127.0.0.1:" + closed + "/", "9809"));
        try (Recipient recipient = recipient()) {
            steps.put("hanging", step(recipient.url("hanging"), "9810", "9809"));
            steps.put("refusing", step(recipient.url("refuse"), "9805"));
            steps.put("unsigned", step(recipient.url("unsigned"), "3802"));
            steps.put("plain", step(recipient.url("plain"), "3803"));
            steps.put("broken", step(recipient.url("broken"), "9807", "9808"));
            steps.put("garbage", step(recipient.url("garbage"), "9808", "9810", "9807"));
        }
        return Outcome.all(steps);
    }

    private Outcome step(String uri, String... accepted) {
        return Outcome.of(forward(uri, context.delivery(Context.text())), accepted);
    }

    @Case(id = "N39", title = "recipient accepts mediate but sends no content", expected = "9806")
    public Outcome noReply() throws Exception {
        try (Recipient recipient = recipient()) {
            Dialog d = context.opened(context.originator());
            String id = context.issuedId(d);
            Answer answer = d.send(context.delivery(Context.text()).mediate(d, context.mailbox(), recipient.url("empty"), id));
            d.exit();
            return Outcome.of(answer, "9806");
        }
    }
}
