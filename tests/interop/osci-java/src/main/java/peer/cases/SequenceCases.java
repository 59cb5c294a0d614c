package peer.cases;

import java.util.*;
import peer.client.*;
import peer.wire.*;

/** N11–N16, N18–N21: orders out of turn, and ids that are not the sender's. */
public final class SequenceCases {
    private final Context context;

    public SequenceCases(Context context) {
        this.context = context;
    }

    private Dialog open() {
        return context.opened(context.originator());
    }

    @Case(id = "N11", title = "replay: the same octets again inside the dialog", expected = "fault 9400")
    public Outcome replay() {
        Dialog d = open();
        Answer first = d.getMessageId();
        Answer again = d.raw(d.lastSent);
        return Outcome.all(DialogCases.steps("first", Outcome.of(first, "0801"), "again", Outcome.of(again, "fault 9400")));
    }

    @Case(id = "N12", title = "SequenceNumber + 1; missing", expected = "fault 9400")
    public Outcome number() {
        Dialog d = open();
        Message plus = d.messageIdOrder();
        plus.sequence = String.valueOf(d.sequence + 1);
        Dialog e = open();
        Message missing = e.messageIdOrder();
        missing.sequence = null;
        return Outcome.all(DialogCases.steps("+1", Outcome.of(d.send(plus), "fault 9400"),
                "missing", Outcome.of(e.send(missing), "fault 9400")));
    }

    @Case(id = "N13", title = "wrong Response; missing inside a dialog", expected = "fault 9400")
    public Outcome response() {
        Dialog d = open();
        Message wrong = d.messageIdOrder();
        wrong.response = "d3Jvbmc=";
        Dialog e = open();
        Message missing = e.messageIdOrder();
        missing.response = null;
        return Outcome.all(DialogCases.steps("wrong", Outcome.of(d.send(wrong), "fault 9400"),
                "missing", Outcome.of(e.send(missing), "fault 9400")));
    }

    @Case(id = "N14", title = "unknown ConversationId; ConversationId removed", expected = "fault 9400; removed: implicit, 0800")
    public Outcome conversation() {
        Dialog d = open();
        Message unknown = d.messageIdOrder();
        unknown.conversation = "4711000000000000000000000000815";
        Dialog e = open();
        Message removed = e.messageIdOrder();
        removed.conversation = null;
        removed.response = null;
        removed.certify("CipherCertificateOriginator", "originator", e.me.cipher());
        e.conversation = null;
        return Outcome.all(DialogCases.steps("unknown", Outcome.of(d.send(unknown), "fault 9400"),
                "removed", Outcome.of(e.send(removed), "0800")));
    }

    @Case(id = "N15", title = "fetchDelivery without dialog", expected = "9802")
    public Outcome implicitFetch() {
        Dialog d = context.addressee();
        Message m = d.fetchOrder(null);
        return Outcome.of(d.send(m), "9802");
    }

    @Case(id = "N16", title = "order after exitDialog", expected = "fault 9400")
    public Outcome afterExit() {
        Dialog d = open();
        String conversation = d.conversation;
        Answer exit = d.exit();
        Message late = d.messageIdOrder();
        late.conversation = conversation;
        late.sequence = "1";
        late.response = "bGF0ZQ==";
        return Outcome.all(DialogCases.steps("exit", Outcome.of(exit, "0800"), "late", Outcome.of(d.send(late), "fault 9400")));
    }

    @Case(id = "N18", title = "MessageId never issued / used twice / issued to another", expected = "9801")
    public Outcome messageId() {
        Dialog d = context.originator();
        Answer invented = d.send(context.delivery(Context.text()).store(d, context.mailbox(), UUID.randomUUID().toString()));
        String used = context.stored(context.delivery(Context.text()));
        Answer twice = d.send(context.delivery(Context.text()).store(d, context.mailbox(), used));
        String foreign = context.issuedId(context.addressee());
        Answer other = d.send(context.delivery(Context.text()).store(d, context.mailbox(), foreign));
        return Outcome.all(DialogCases.steps("invented", Outcome.of(invented, "9801"), "twice", Outcome.of(twice, "9801"),
                "another's", Outcome.of(other, "9801")));
    }

    @Case(id = "N19", title = "unknown addressee", expected = "9706 or 9811 (--policy addressee=9706|9811)")
    public Outcome addressee() {
        Dialog d = context.originator();
        String id = context.issuedId(d);
        String only = context.policy("addressee", "any");
        String[] accepted = only.equals("any") ? new String[] {"9706", "9811"} : new String[] {only};
        return Outcome.of(d.send(context.delivery(Context.text()).store(d, context.keys.get("stranger_cipher"), id)), accepted);
    }

    @Case(id = "N20", title = "fetch of someone else's MessageId", expected = "9803")
    public Outcome foreignDelivery() {
        String id = context.stored(context.delivery(Context.text()));
        Dialog d = context.opened(context.dialog("author"));
        Answer answer = d.fetch(Dialog.byId(id));
        d.exit();
        return Outcome.of(answer, "9803");
    }

    @Case(id = "N21", title = "fetchProcessCard for a foreign id", expected = "9804")
    public Outcome foreignCard() {
        String id = context.stored(context.delivery(Context.text()));
        Dialog d = context.opened(context.dialog("author"));
        Answer answer = d.fetchCards(Dialog.byId(id), null);
        d.exit();
        return Outcome.of(answer, "9804");
    }
}
