package peer.client;

import java.util.*;
import peer.keys.*;
import peer.wire.*;

/** A client of the intermediary: builds orders, keeps the dialogue's state, checks each answer against its order. */
public final class Dialog {
    private final Http http;
    private final Identity intermediaryCipher;
    private final java.security.cert.X509Certificate intermediarySignature;
    public KeyRing.Party me;
    public boolean encrypt = true;
    public boolean sign = true;
    public Crypt.Style crypt = new Crypt.Style();
    public Signing.Style style = Signing.Style.USUAL;
    public String languages = "de";
    public String conversation;
    public int sequence;
    /** The partner's last challenge, which our next order must repeat. */
    public String theirs;
    public byte[] lastPlain;
    public byte[] lastSent;

    public Dialog(Http http, KeyRing keys, KeyRing.Party me) {
        this.http = http;
        this.me = me;
        this.intermediaryCipher = keys.get("intermediary_cipher");
        this.intermediarySignature = keys.get("intermediary_signature").certificate();
    }

    /** An order of that type with everything that belongs into each: control block, languages, own certificates. */
    public Message order(String type) {
        Message m = new Message(type);
        m.challenge = Base64.getEncoder().encodeToString(Crypt.random(10));
        m.conversation = conversation;
        m.response = conversation == null ? null : theirs;
        m.sequence = type.equals("InitDialog") ? null : String.valueOf(conversation == null ? 0 : sequence);
        m.block("osci:DesiredLanguages", " LanguagesList=\"" + languages + "\"", "");
        boolean announcesCipher = conversation == null || type.equals("StoreDelivery") || type.equals("ForwardDelivery")
                || type.equals("MediateDelivery") || type.equals("PartialStoreDelivery");
        if (announcesCipher) m.certify("CipherCertificateOriginator", "originator", me.cipher());
        if (sign) {
            m.signer = me.signature();
            m.signerId = m.certify("SignatureCertificateOriginator", "originator", me.signature());
            m.style = style;
        }
        m.features("");
        return m;
    }

    public Answer send(Message order) {
        return deliver(order.mime(), order);
    }

    /** Sends these plain octets (made from `order`, perhaps altered since) and checks the answer against the order. */
    public Answer deliver(byte[] plain, Message order) {
        lastPlain = plain;
        lastSent = encrypt ? Crypt.message(plain, intermediaryCipher.certificate(), crypt) : plain;
        Answer answer = http.post(lastSent);
        check(answer, order);
        if (answer.status == 200 && answer.trouble == null && !answer.fault()) advance(answer, order);
        return answer;
    }

    /** Sends octets as they are. */
    public Answer raw(byte[] octets) {
        return http.post(octets);
    }

    public Http http() {
        return http;
    }

    private void advance(Answer answer, Message order) {
        theirs = answer.control("Challenge");
        if (order.type.equals("InitDialog")) {
            conversation = answer.control("ConversationId");
            sequence = 0;
        } else if (order.type.equals("ExitDialog")) {
            conversation = null;
            theirs = null;
        } else if (conversation != null) {
            sequence++;
        }
    }

    private void check(Answer a, Message order) {
        if (a.status != 200 || a.trouble != null || a.fault()) return;
        note(a, a.type.equals("ResponseTo" + order.type) || order.type.equals("PartialFetchDelivery"), "the type is " + a.type);
        note(a, a.encrypted == encrypt, encrypt ? "the answer is not encrypted" : "the answer is encrypted");
        if (sign) {
            note(a, a.signature.valid(), "the answer's signature is " + a.signature.verdict() + " " + a.signature.detail());
            note(a, intermediarySignature.equals(a.signature.signer()), "the answer is not signed by the intermediary");
        }
        note(a, Objects.equals(order.challenge, a.control("Response")), "Response does not repeat the challenge");
        note(a, Objects.equals(order.sequence, a.control("SequenceNumber")), "SequenceNumber is " + a.control("SequenceNumber"));
        boolean exit = order.type.equals("ExitDialog");
        note(a, exit == (a.control("Challenge") == null), exit ? "a Challenge after exit" : "no Challenge");
        String id = a.control("ConversationId");
        if (conversation != null) note(a, conversation.equals(id), "ConversationId is " + id);
        if (order.type.equals("InitDialog")) note(a, id != null && id.matches("\\d+"), "ConversationId is " + id);
    }

    private static void note(Answer answer, boolean holds, String problem) {
        if (!holds) answer.problems.add(problem);
    }

    // Orders without content.

    public Answer init() {
        Message m = order("InitDialog");
        m.body = "<osci:initDialog></osci:initDialog>";
        return send(m);
    }

    public Message exitOrder() {
        Message m = order("ExitDialog");
        m.body = "<osci:exitDialog></osci:exitDialog>";
        return m;
    }

    public Answer exit() {
        return send(exitOrder());
    }

    public Message messageIdOrder() {
        Message m = order("GetMessageId");
        m.body = "<osci:getMessageId></osci:getMessageId>";
        return m;
    }

    public Answer getMessageId() {
        return send(messageIdOrder());
    }

    /** `rule` is the inside of SelectionRule, or null. */
    public Message fetchOrder(String rule) {
        Message m = order("FetchDelivery");
        m.block("osci:fetchDelivery", "", rule == null ? "" : "<osci:SelectionRule>" + rule + "</osci:SelectionRule>");
        return m;
    }

    public Answer fetch(String rule) {
        return send(fetchOrder(rule));
    }

    public Answer fetchCards(String rule, Integer limit) {
        Message m = order("FetchProcessCard");
        m.body = "<osci:fetchProcessCard>" + (rule == null ? "" : "<osci:SelectionRule>" + rule + "</osci:SelectionRule>")
                + (limit == null ? "" : "<osci:Quantity Limit=\"" + limit + "\"></osci:Quantity>") + "</osci:fetchProcessCard>";
        return send(m);
    }

    public Answer partialFetch(String messageId, int chunk, int kilobytes, String received) {
        Message m = order("PartialFetchDelivery");
        m.block("osci2017:partialFetchDelivery", " xmlns:osci2017=\"" + Xml.OSCI2017 + "\"", "<osci:SelectionRule>" + byId(messageId)
                + "</osci:SelectionRule><osci2017:ChunkInformation ChunkNumber=\"" + chunk + "\" ChunkSize=\"" + kilobytes
                + "\" ReceivedChunks=\"" + received + "\"></osci2017:ChunkInformation>");
        return send(m);
    }

    public static String byId(String messageId) {
        return "<osci:MessageId>" + Xml.wireId(messageId) + "</osci:MessageId>";
    }
}
