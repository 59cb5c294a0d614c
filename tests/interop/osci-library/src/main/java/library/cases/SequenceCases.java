package library.cases;

import de.osci.osci12.messagetypes.*;
import de.osci.osci12.roles.Addressee;
import java.util.*;
import library.*;
import peer.cases.*;

/** N11–N16, N18–N21: orders out of turn, and ids that are not the sender's. */
public final class SequenceCases {
    private final Scene scene;

    public SequenceCases(Scene scene) {
        this.scene = scene;
    }

    @Case(id = "N11", title = "replay: the same octets again inside the dialog", expected = "fault 9400")
    public Outcome replay() {
        Dialog d = scene.client().opened();
        Reply first = d.messageId();
        return Outcome.all(DialogCases.steps("first", first.outcome("0801"), "again", Outcome.of(d.raw(d.line.sent), "fault 9400")));
    }

    @Case(id = "N12", title = "SequenceNumber + 1; missing", expected = "fault 9400")
    public Outcome number() {
        Dialog plus = scene.client().opened();
        plus.handler.getControlblock().setSequenceNumber(plus.handler.getControlblock().getSequenceNumber() + 1);
        Dialog missing = scene.client().plain().opened();
        missing.line.change = Text.resigned(scene.signer(), "controlblock", xml -> xml.replaceFirst(" SequenceNumber=\"[^\"]*\"", ""));
        return Outcome.all(DialogCases.steps("+1", plus.messageId().outcome("fault 9400"), "missing", missing.messageId().outcome("fault 9400")));
    }

    @Case(id = "N13", title = "wrong Response; missing inside a dialog", expected = "fault 9400")
    public Outcome response() {
        Dialog wrong = scene.client().opened();
        wrong.handler.prevChallenge = "d3Jvbmc=";
        Dialog missing = scene.client().opened();
        missing.handler.prevChallenge = null;
        return Outcome.all(DialogCases.steps("wrong", wrong.messageId().outcome("fault 9400"), "missing", missing.messageId().outcome("fault 9400")));
    }

    @Case(id = "N14", title = "unknown ConversationId; ConversationId removed", expected = "fault 9400; removed: implicit, 0800")
    public Outcome conversation() {
        Dialog unknown = scene.client().opened();
        unknown.handler.getControlblock().setConversationID("4711000000000000000000000000815");
        Dialog removed = scene.client().opened();
        removed.handler.getControlblock().setConversationID(null);
        removed.handler.prevChallenge = null;
        return Outcome.all(DialogCases.steps("unknown", unknown.messageId().outcome("fault 9400"), "removed", removed.messageId().outcome("0800")));
    }

    @Case(id = "N15", title = "fetchDelivery without dialog", expected = "9802")
    public Outcome implicitFetch() {
        try {
            Orders.fetch(OSCIMessage.NO_SELECTION_RULE, null).send(scene.owner().handler);
            return Outcome.of(false, "the library wrote it");
        } catch (IllegalStateException e) {
            return Outcome.notApplicable("the library writes no such order: " + e.getMessage() + "; peer jdk drives it");
        } catch (Exception e) {
            return Outcome.of(false, e.toString());
        }
    }

    @Case(id = "N16", title = "order after exitDialog", expected = "fault 9400")
    public Outcome afterExit() {
        Dialog d = scene.client().opened();
        String conversation = d.handler.getControlblock().getConversationID();
        String challenge = d.handler.prevChallenge;
        Reply exit = d.exit();
        d.handler.getControlblock().setConversationID(conversation);
        d.handler.prevChallenge = challenge;
        return Outcome.all(DialogCases.steps("exit", exit.outcome("0800"), "late", d.messageId().outcome("fault 9400")));
    }

    @Case(id = "N18", title = "MessageId never issued / used twice / issued to another", expected = "9801")
    public Outcome messageId() throws Exception {
        String used = scene.stored(scene.letter(Scene.text()));
        String foreign = scene.owner().issuedId();
        Map<String, Outcome> steps = new LinkedHashMap<>();
        for (var id : Map.of("invented", UUID.randomUUID().toString(), "twice", used, "another's", foreign).entrySet()) {
            steps.put(id.getKey(), scene.client().send(scene.letter(Scene.text()).store(scene.mailbox(), id.getValue())).outcome("9801"));
        }
        return Outcome.all(steps);
    }

    @Case(id = "N19", title = "unknown addressee", expected = "9706 or 9811 (--policy addressee=9706|9811)")
    public Outcome addressee() throws Exception {
        String id = scene.client().issuedId();
        String only = scene.policy("addressee", "any");
        return scene.client().send(scene.letter(Scene.text()).store(new Addressee(null, scene.keys.get("stranger_cipher").certificate()), id))
                .outcome(only.equals("any") ? new String[] {"9706", "9811"} : new String[] {only});
    }

    private Dialog author() {
        return scene.dialog("author_cipher", new KeySigner(scene.keys.get("author_signature"))).opened();
    }

    @Case(id = "N20", title = "fetch of someone else's MessageId", expected = "9803")
    public Outcome foreignDelivery() throws Exception {
        String id = scene.stored(scene.letter(Scene.text()));
        Dialog d = author();
        Reply reply = d.send(Orders.fetch(OSCIMessage.SELECT_BY_MESSAGE_ID, id));
        d.exit();
        return reply.outcome("9803");
    }

    @Case(id = "N21", title = "fetchProcessCard for a foreign id", expected = "9804")
    public Outcome foreignCard() throws Exception {
        String id = scene.stored(scene.letter(Scene.text()));
        Dialog d = author();
        Reply reply = d.send(Orders.cards(card -> {
            card.setSelectionMode(OSCIMessage.SELECT_BY_MESSAGE_ID);
            card.setSelectionRule(id);
        }));
        d.exit();
        return reply.outcome("9804");
    }
}
