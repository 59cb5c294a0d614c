package peer.push;

import com.google.gson.*;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.*;
import peer.Args;
import peer.cases.*;
import peer.client.*;
import peer.keys.*;
import peer.wire.*;

/** Delivers to a passive recipient as an intermediary would, rightly and wrongly, and checks what it answers. */
public final class Push {
    private final Context context;
    private final KeyRing.Party intermediary;

    private Push(Context context) {
        this.context = context;
        this.intermediary = context.keys.party("intermediary");
    }

    public static int run(Args args, PrintStream out) throws Exception {
        Push push = new Push(new Context(args));
        Map<String, Outcome> steps = push.steps();
        JsonArray report = new JsonArray();
        int failed = 0;
        for (var step : steps.entrySet()) {
            Outcome o = step.getValue();
            if (!o.passed()) failed++;
            out.printf("%-4s %s: %s%s%n", o.passed() ? "pass" : "FAIL", step.getKey(), o.seen(), o.note().isEmpty() ? "" : "  (" + o.note() + ")");
            JsonObject row = new JsonObject();
            row.addProperty("case", "push");
            row.addProperty("title", step.getKey());
            row.addProperty("seen", o.seen());
            row.addProperty("verdict", o.passed() ? "pass" : "fail");
            row.addProperty("note", o.note());
            row.addProperty("peer", "jdk");
            report.add(row);
        }
        if (args.has("report")) Files.writeString(Path.of(args.need("report")), new GsonBuilder().setPrettyPrinting().create().toJson(report) + "\n");
        out.printf("%d passed, %d failed%n", steps.size() - failed, failed);
        return failed == 0 ? 0 : 1;
    }

    private Map<String, Outcome> steps() {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("acceptDelivery, encrypted and signed: 0800", good(accept(), true));
        steps.put("acceptDelivery, plain and signed: 0800", good(accept(), false));
        steps.put("processDelivery with MessageId: 0800", good(process(true), true));
        steps.put("processDelivery without MessageId: 0800", good(process(false), true));
        steps.put("body altered after signing: 9601", judged(accept(), xml -> xml.replaceFirst("Id=\"content0\">.", "Id=\"content0\">Q"), "9601"));
        Message unsigned = accept();
        unsigned.signer = null;
        steps.put("unsigned: 9600", Outcome.of(exchange(unsigned, true), "9600"));
        Message gap = accept();
        gap.unsigned = "#body"::equals;
        steps.put("body not signed: 9602", Outcome.of(exchange(gap, true), "9602"));
        Message stranger = message("AcceptDelivery", context.keys.party("stranger"));
        steps.put("signed by somebody else's intermediary: 9601 or 9700", Outcome.of(exchange(stranger, true), "9601", "9700", "fault 9100"));
        steps.put("two bodies: fault 9100", judged(accept(), xml -> xml.replace("</soap:Envelope>", "<soap:Body Id=\"b2\"></soap:Body></soap:Envelope>"), "fault 9100"));
        steps.put("attachment missing: fault 9100 or 9601", attachmentGone());
        Message order = accept();
        order.challenge = null;
        steps.put("no Challenge: fault 9100", Outcome.of(exchange(order, true), "fault 9100"));
        steps.put("encrypted for another: fault 9200", other());
        steps.put("ciphertext flipped: fault 9202", flipped(s -> s.flipCiphertext = true));
        steps.put("wrapped key flipped: fault 9202", flipped(s -> s.flipKey = true));
        steps.put("storeDelivery at a recipient: fault 9100 or 9300", Outcome.of(exchange(wrongType(), true), "fault 9100", "fault 9300"));
        return steps;
    }

    private Message accept() {
        return message("AcceptDelivery", intermediary);
    }

    private Message process(boolean logged) {
        Message m = message(logged ? "ProcessDelivery" : "UnloggedProcessDelivery", intermediary);
        m.type = "ProcessDelivery";
        return m;
    }

    private Message wrongType() {
        Message m = accept();
        m.type = "StoreDelivery";
        return m;
    }

    private Message message(String type, KeyRing.Party sender) {
        Message m = new Message(type);
        m.challenge = Base64.getEncoder().encodeToString(Crypt.random(10));
        m.block("osci:DesiredLanguages", " LanguagesList=\"de\"", "");
        String card = card(UUID.randomUUID().toString());
        switch (type) {
            case "AcceptDelivery" -> m.block("osci:acceptDelivery", "", card);
            case "ProcessDelivery" -> m.block("osci:processDelivery", "", "<osci:MessageIdResponse>"
                    + Xml.wireId(UUID.randomUUID().toString()) + "</osci:MessageIdResponse>" + card);
            default -> m.block("osci:processDelivery", "", "");
        }
        m.certify("CipherCertificateIntermediary", "intermed", sender.cipher());
        m.signer = sender.signature();
        m.signerId = m.certify("SignatureCertificateIntermediary", "intermed", sender.signature());
        Identity author = context.keys.get("originator_signature");
        m.certify("CipherCertificateOriginator", "originator", context.keys.get("originator_cipher"));
        m.certify("CipherCertificateAddressee", "addressee", context.mailbox());
        String authorId = m.certify("SignatureCertificateOriginator", "originator", author);
        m.features("");
        Mime.Part plan = Mime.Part.octets("plan.bin", Crypt.random(2000));
        m.parts.add(plan);
        m.body = "<osci:ContentPackage>" + new Content("container0").inline("content0", content())
                .attachment("content1", plan).signedBy(author, authorId).xml() + "</osci:ContentPackage>";
        return m;
    }

    private byte[] content() {
        if (!context.args.has("content")) return Context.text();
        try {
            return Files.readAllBytes(Path.of(context.args.need("content")));
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static String card(String messageId) {
        String now = "<osci:Plain>" + OffsetDateTime.now().truncatedTo(ChronoUnit.SECONDS) + "</osci:Plain>";
        return "<osci:ProcessCardBundle>" + Dialog.byId(messageId) + "<osci:ProcessCard RecentModification=\""
                + OffsetDateTime.now().truncatedTo(ChronoUnit.SECONDS) + "\"><osci:Creation>" + now + "</osci:Creation><osci:Forwarding>" + now
                + "</osci:Forwarding><osci:Subject>Invented application</osci:Subject></osci:ProcessCard><osci:InspectionReport>"
                + "</osci:InspectionReport></osci:ProcessCardBundle>";
    }

    private Answer exchange(Message m, boolean encrypt) {
        return exchange(m, m.mime(), encrypt, new Crypt.Style());
    }

    private Answer exchange(Message m, byte[] plain, boolean encrypt, Crypt.Style style) {
        Answer answer = context.http().post(encrypt ? Crypt.message(plain, context.mailbox().certificate(), style) : plain);
        if (answer.status == 200 && answer.trouble == null && !answer.fault()) {
            if (!Objects.equals(m.challenge, answer.control("Response"))) answer.problems.add("Response does not repeat the challenge");
            if (answer.encrypted != encrypt) answer.problems.add(encrypt ? "the answer is not encrypted" : "the answer is encrypted");
        }
        return answer;
    }

    /** Accepted, signed by the addressee, encrypted like the order, with no more in the control block than belongs there. */
    private Outcome good(Message m, boolean encrypt) {
        Answer answer = exchange(m, encrypt);
        if (answer.trouble == null && !answer.fault()) {
            if (!answer.type.equals("ResponseTo" + m.type)) answer.problems.add("the type is " + answer.type);
            if (!answer.signature.valid()) answer.problems.add("signature " + answer.signature.verdict() + " " + answer.signature.detail());
            else if (!answer.signature.signer().equals(context.keys.get("addressee_signature").certificate())) answer.problems.add("signed by somebody else");
            for (String name : new String[] {"Challenge", "ConversationId", "SequenceNumber"}) {
                if (answer.control(name) != null) answer.problems.add(name + " in the answer");
            }
        }
        return Outcome.of(answer, "0800");
    }

    private Outcome judged(Message m, java.util.function.UnaryOperator<String> change, String... accepted) {
        byte[] plain = Mime.write(Message.root(change.apply(m.xml())), m.parts);
        return Outcome.of(exchange(m, plain, true, new Crypt.Style()), accepted);
    }

    private Outcome attachmentGone() {
        Message m = accept();
        return Outcome.of(exchange(m, Mime.write(Message.root(m.xml()), List.of()), true, new Crypt.Style()), "fault 9100", "9601");
    }

    private Outcome other() {
        return Outcome.of(context.http().post(Crypt.message(accept().mime(), context.keys.get("reader1_cipher").certificate(), new Crypt.Style())), "fault 9200");
    }

    private Outcome flipped(java.util.function.Consumer<Crypt.Style> change) {
        Message m = accept();
        return Outcome.of(exchange(m, m.mime(), true, new Crypt.Style().with(change)), "fault 9202");
    }
}
