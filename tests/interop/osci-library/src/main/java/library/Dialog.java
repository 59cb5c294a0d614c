package library;

import de.osci.osci12.common.DialogHandler;
import de.osci.osci12.messagetypes.*;
import de.osci.osci12.roles.*;
import java.net.URI;
import java.security.cert.X509Certificate;
import java.util.*;
import peer.cases.Context;
import peer.keys.*;
import peer.wire.Answer;

/** A dialogue of the library with the server under test. */
public final class Dialog {
    /** One order of the library: makes the message, sends it, returns the answer. */
    public interface Order {
        OSCIMessage send(DialogHandler handler) throws Exception;
    }

    public final DialogHandler handler;
    public final Line line;
    public final Originator me;
    private final KeyRing keys;
    private final X509Certificate intermediary;

    public Dialog(String url, KeyRing keys, Originator me, X509Certificate cipher, int patience) {
        this.keys = keys;
        this.me = me;
        this.intermediary = keys.get("intermediary_signature").certificate();
        this.line = new Line(patience);
        this.handler = new DialogHandler(me, new Intermed(null, cipher, URI.create(url)), line);
        handler.setLanguageList("de");
    }

    /** Sends an order and asks of the answer what the library leaves to its caller. */
    public Reply send(Order order) {
        boolean encrypted = handler.isEncryption();
        line.received = new byte[0];
        Reply reply;
        try {
            reply = new Reply(order.send(handler), null, wire());
        } catch (Exception e) {
            reply = new Reply(null, e, wire());
        }
        handler.setEncryption(encrypted);
        if (reply.message != null) check(reply);
        return reply;
    }

    /** Octets of our own to the same address; what the other peer reads of the answer. */
    public Answer raw(byte[] octets) {
        try {
            return Answer.read(200, line.post(octets), keys);
        } catch (java.io.IOException e) {
            return Answer.none(e.toString());
        }
    }

    private Answer wire() {
        return line.status == 0 ? Answer.none("nothing came") : Answer.read(line.status, line.received, keys);
    }

    private void check(Reply reply) {
        if (handler.isCreateSignatures() && !reply.message.isSigned()) reply.problems.add("the answer is not signed");
        if (reply.message.isSigned()) {
            try {
                if (!intermediary.equals(handler.getSupplier().getSignatureCertificate())) reply.problems.add("not signed by the intermediary");
            } catch (OSCIRoleException e) {
                reply.problems.add("no signature certificate: " + e);
            }
        }
        if (!reply.wire.signature.valid() && reply.message.isSigned()) reply.problems.add("the other peer finds the signature " + reply.wire.signature);
        if (reply.wire.encrypted != handler.isEncryption()) reply.problems.add(reply.wire.encrypted ? "the answer is encrypted" : "the answer is plain");
    }

    public Reply init() {
        return send(h -> new InitDialog(h).send());
    }

    public Reply exit() {
        return send(h -> new ExitDialog(h).send());
    }

    public Reply messageId() {
        return send(h -> new GetMessageId(h).send());
    }

    /** A MessageId, or the end of the case. */
    public String issuedId() {
        return messageId().as(ResponseToGetMessageId.class).getMessageId();
    }

    /** Opens the dialogue, or ends the case. */
    public Dialog opened() {
        Reply reply = init();
        if (!reply.ok()) throw new Context.Unreached("initDialog: " + reply.seen() + " " + reply.problems);
        return this;
    }

    public Dialog plain() {
        handler.setEncryption(false);
        return this;
    }
}
