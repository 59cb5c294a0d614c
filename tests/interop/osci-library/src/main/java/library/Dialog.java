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
        return exchange(order, handler, line, keys, intermediary);
    }

    /** The same for any two parties; `signer` must have signed the answer to a signed order. */
    public static Reply exchange(Order order, DialogHandler handler, Line line, KeyRing keys, X509Certificate signer) {
        boolean encrypted = handler.isEncryption();
        line.status = 0;
        line.received = new byte[0];
        OSCIMessage message = null;
        Exception objection = null;
        try {
            message = order.send(handler);
        } catch (Exception e) {
            objection = e;
        }
        Answer wire = line.status == 0 ? Answer.none("nothing came") : Answer.read(line.status, line.received, keys);
        Reply reply = new Reply(message, objection, wire);
        handler.setEncryption(encrypted);
        if (message != null) check(reply, handler, signer);
        return reply;
    }

    private static void check(Reply reply, DialogHandler handler, X509Certificate signer) {
        if (handler.isCreateSignatures() && !reply.message.isSigned()) reply.problems.add("the answer is not signed");
        if (reply.message.isSigned()) {
            try {
                if (!signer.equals(handler.getSupplier().getSignatureCertificate())) reply.problems.add("signed by somebody else");
            } catch (OSCIRoleException e) {
                reply.problems.add("no signature certificate: " + e);
            }
        }
        if (!reply.wire.signature.valid() && reply.message.isSigned()) reply.problems.add("the other peer finds the signature " + reply.wire.signature);
        if (reply.wire.encrypted != handler.isEncryption()) reply.problems.add(reply.wire.encrypted ? "the answer is encrypted" : "the answer is plain");
    }

    /** Octets of our own to the same address; what the other peer reads of the answer. */
    public Answer raw(byte[] octets) {
        try {
            return Answer.read(200, line.post(octets), keys);
        } catch (java.io.IOException e) {
            return Answer.none(e.toString());
        }
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
