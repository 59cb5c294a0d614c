package library.cases;

import de.osci.osci12.messageparts.ContentContainer;
import de.osci.osci12.messagetypes.*;
import de.osci.osci12.roles.*;
import java.net.ServerSocket;
import java.util.*;
import library.*;
import peer.cases.*;

/** H8–H10, N38, N39: deliveries that the intermediary hands on to the library as passive recipient. */
public final class PushCases {
    private final Scene scene;

    public PushCases(Scene scene) {
        this.scene = scene;
    }

    @Case(id = "H8", title = "forwardDelivery to acceptDelivery",
            expected = "0800, card with Reception; recipient sees the certificates under unchanged Ids, content and signatures intact")
    public Outcome forwards() throws Exception {
        try (Recipient recipient = new Recipient(scene.keys)) {
            String text = Scene.text();
            String secret = Scene.text();
            Letter letter = scene.letterWithSecret(text, secret);
            Dialog d = scene.client();
            String id = d.issuedId();
            d.handler.resetControlBlock();
            Reply reply = d.send(letter.forward(scene.mailbox(), recipient.url("accept"), id));
            Map<String, Outcome> steps = new LinkedHashMap<>();
            steps.put("forward", reply.outcome("0800"));
            if (!reply.ok()) return Outcome.all(steps).noting(refusals(recipient));
            steps.put("card", DeliveryCases.times(reply.as(ResponseToForwardDelivery.class).getProcessCardBundle(), "Creation+Forwarding+Reception"));
            Recipient.Taken taken = recipient.taken().get(0);
            AcceptDelivery order = (AcceptDelivery) taken.order();
            steps.put("accept", Outcome.of(taken.refusal() == null && order.isSigned() && order.getMessageId().equals(id),
                    "taken, " + (order.isSigned() ? "signed" : "unsigned")));
            ContentContainer container = order.getContentContainerByRefID("container0");
            steps.put("content", Outcome.of(container.getContents()[0].getContentData().equals(text), "inline"));
            steps.put("author", Outcome.of(container.checkAllSignatures(), "valid"));
            ContentContainer opened = order.getEncryptedData()[0].decrypt(new Reader(new KeyDecrypter(scene.keys.get("reader1_cipher"))));
            steps.put("secret", Outcome.of(opened.getContents()[0].getContentData().equals(secret), "reader1"));
            boolean unchanged = order.getOriginator().getCipherCertificateId().equals(d.me.getCipherCertificateId())
                    && order.getOriginator().getCipherCertificate().equals(d.me.getCipherCertificate())
                    && order.getAddressee().getCipherCertificateId().equals(scene.mailbox().getCipherCertificateId());
            steps.put("certificates", Outcome.of(unchanged, unchanged ? "unchanged" : "missing or renamed"));
            return Outcome.all(steps);
        }
    }

    private static String refusals(Recipient recipient) {
        return String.join("; ", recipient.taken().stream().map(Recipient.Taken::refusal).filter(Objects::nonNull).toList());
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
        try (Recipient recipient = new Recipient(scene.keys)) {
            String text = Scene.text();
            Dialog d = scene.client().opened();
            String id = logged ? d.issuedId() : null;
            Reply reply = d.send(scene.letter(text).mediate(scene.mailbox(), recipient.url("accept"), id));
            d.exit();
            Map<String, Outcome> steps = new LinkedHashMap<>();
            steps.put("mediate", reply.outcome("0801"));
            if (!reply.ok()) return Outcome.all(steps).noting(refusals(recipient));
            var got = reply.as(ResponseToMediateDelivery.class);
            String echo = got.getContentContainer()[0].getContents()[0].getContentData();
            steps.put("reply", Outcome.of(echo.equals("echo: " + text), echo.isEmpty() ? "none" : "there"));
            boolean request = got.getProcessCardBundleRequest() != null;
            boolean back = got.getProcessCardBundleReply() != null;
            steps.put("cards", Outcome.of(request == logged && back == logged, (request ? "request " : "") + (back ? "reply" : "")));
            ProcessDelivery process = (ProcessDelivery) recipient.taken().get(0).order();
            steps.put("processDelivery", Outcome.of((process.getMessageIdResponse() != null) == logged, "taken"));
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
        steps.put("unreachable", forward("http://127.0.0.1:" + closed + "/", true).outcome("9809"));
        try (Recipient recipient = new Recipient(scene.keys)) {
            steps.put("hanging", forward(recipient.url("hanging"), true).outcome("9810", "9809"));
            steps.put("refusing", forward(recipient.url("refuse"), true).outcome("9805"));
            steps.put("unsigned", forward(recipient.url("unsigned"), true).outcome("3802"));
            steps.put("plain", forward(recipient.url("plain"), true).outcome("3803"));
            steps.put("broken", forward(recipient.url("broken"), false).outcome("9807", "9808"));
            steps.put("garbage", forward(recipient.url("garbage"), true).outcome("9808", "9810", "9807"));
        }
        return Outcome.all(steps);
    }

    private Reply forward(String uri, boolean encrypted) throws Exception {
        Dialog d = scene.client();
        d.handler.setEncryption(encrypted);
        String id = d.issuedId();
        d.handler.resetControlBlock();
        return d.send(scene.letter(Scene.text()).forward(scene.mailbox(), uri, id));
    }

    @Case(id = "N39", title = "recipient accepts mediate but sends no content", expected = "9806")
    public Outcome noReply() throws Exception {
        try (Recipient recipient = new Recipient(scene.keys)) {
            Dialog d = scene.client().opened();
            String id = d.issuedId();
            Reply reply = d.send(scene.letter(Scene.text()).mediate(scene.mailbox(), recipient.url("empty"), id));
            d.exit();
            return reply.outcome("9806");
        }
    }
}
