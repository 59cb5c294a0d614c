package library.cases;

import de.osci.osci12.messagetypes.*;
import de.osci.osci12.samples.impl.HttpTransport;
import java.net.URI;
import java.util.*;
import java.util.function.UnaryOperator;
import library.*;
import peer.cases.*;

/** L6, L7: what the library says when our answers are altered, and the library with its own transport. */
public final class AnswerCases {
    private final Scene scene;

    public AnswerCases(Scene scene) {
        this.scene = scene;
    }

    @Case(id = "L6", title = "our answers altered on their way: SequenceNumber, Response, text, plain instead of encrypted",
            expected = "the library objects: 9400, 9400, 9601, an exception")
    public Outcome altered() {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("SequenceNumber", answered(xml -> xml.replaceFirst("SequenceNumber=\"0\"", "SequenceNumber=\"7\"")).outcome("library: 9400"));
        steps.put("Response", answered(xml -> xml.replaceFirst("<osci:Response>[^<]*", "<osci:Response>d3Jvbmc=")).outcome("library: 9400"));
        steps.put("text", answered(xml -> xml.replaceFirst("<osci:Text>", "<osci:Text>altered ")).outcome("library: 9601"));
        Dialog plain = scene.client().plain();
        plain.messageId();
        byte[] octets = plain.line.received;
        Dialog d = scene.client();
        d.line.changeAnswer = answer -> octets;
        Reply reply = d.messageId();
        steps.put("plain", Outcome.of(reply.message == null, reply.message == null ? "refused" : reply.seen()));
        return Outcome.all(steps);
    }

    private Reply answered(UnaryOperator<String> change) {
        Dialog d = scene.client().plain();
        d.line.changeAnswer = Text.change(change);
        return d.messageId();
    }

    @Case(id = "L7", title = "the library with its own HttpTransport", expected = "0801, 0801, 0801, 0800")
    public Outcome ownTransport() throws Exception {
        var me = scene.client().me;
        var handler = new de.osci.osci12.common.DialogHandler(me,
                new de.osci.osci12.roles.Intermed(null, scene.keys.get("intermediary_cipher").certificate(), URI.create(scene.url)), new HttpTransport());
        List<String> codes = new ArrayList<>();
        codes.add(new InitDialog(handler).send().getFeedback()[0][1]);
        var id = new GetMessageId(handler).send();
        codes.add(id.getFeedback()[0][1]);
        codes.add(((OSCIResponseTo) scene.letter(Scene.text()).store(scene.mailbox(), id.getMessageId()).send(handler)).getFeedback()[0][1]);
        codes.add(new ExitDialog(handler).send().getFeedback()[0][1]);
        return Outcome.of(codes.equals(List.of("0801", "0801", "0801", "0800")), String.join(", ", codes));
    }
}
