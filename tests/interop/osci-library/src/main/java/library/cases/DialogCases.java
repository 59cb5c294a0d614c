package library.cases;

import java.util.*;
import java.util.concurrent.*;
import library.*;
import peer.cases.*;

/** H1–H3, H22, H25: dialogues that go well. */
public final class DialogCases {
    private final Scene scene;

    public DialogCases(Scene scene) {
        this.scene = scene;
    }

    @Case(id = "H1", title = "explicit dialog", expected = "0801, 0801, 0801, 0800; numbers 0, 1, 2; no Challenge after exit")
    public Outcome explicit() throws Exception {
        Dialog d = scene.client();
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("init", d.init().outcome("0801"));
        Reply id = d.messageId();
        steps.put("getMessageId", numbered(id, "0", "0801"));
        String messageId = id.as(de.osci.osci12.messagetypes.ResponseToGetMessageId.class).getMessageId();
        steps.put("store", numbered(d.send(scene.letter(Scene.text()).store(scene.mailbox(), messageId)), "1", "0801"));
        Reply exit = d.exit();
        if (exit.wire.control("Challenge") != null) exit.problems.add("a Challenge after exit");
        steps.put("exit", numbered(exit, "2", "0800"));
        return Outcome.all(steps);
    }

    private static Outcome numbered(Reply reply, String number, String code) {
        if (!number.equals(reply.wire.control("SequenceNumber"))) reply.problems.add("SequenceNumber is " + reply.wire.control("SequenceNumber"));
        return reply.outcome(code);
    }

    @Case(id = "H2", title = "implicit dialogs", expected = "0800 each; numeric ConversationId in the answers")
    public Outcome implicit() throws Exception {
        Dialog one = scene.client();
        Reply id = one.messageId();
        Dialog two = scene.client();
        Reply stored = two.send(scene.letter(Scene.text()).store(scene.mailbox(),
                id.as(de.osci.osci12.messagetypes.ResponseToGetMessageId.class).getMessageId()));
        return Outcome.all(steps("getMessageId", conversing(id), "store", conversing(stored)));
    }

    private static Outcome conversing(Reply reply) {
        String conversation = reply.wire.control("ConversationId");
        if (conversation == null || !conversation.matches("\\d+")) reply.problems.add("ConversationId is " + conversation);
        return reply.outcome("0800");
    }

    @Case(id = "H3", title = "second implicit order on one handler", expected = "0800; its Response is ignored")
    public Outcome stale() {
        Dialog d = scene.client();
        return Outcome.all(steps("first", d.messageId().outcome("0800"), "second", d.messageId().outcome("0800")));
    }

    @Case(id = "H22", title = "languages", expected = "an entry with xml:lang en for each code (or both languages)")
    public Outcome languages() {
        Dialog d = scene.client();
        d.handler.setLanguageList("en de");
        Reply reply = d.messageId();
        var response = reply.as(de.osci.osci12.messagetypes.ResponseToGetMessageId.class);
        if (Arrays.stream(response.getFeedback()).noneMatch(row -> row[0].equals("en"))) reply.problems.add("no entry in English");
        return reply.outcome("0800");
    }

    @Case(id = "H25", title = "parallel dialogs", expected = "20 clients at once, all 0801/0800, no challenge mixed up")
    public Outcome parallel() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(20);
        try {
            List<Callable<Outcome>> clients = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                clients.add(() -> {
                    Dialog d = scene.client().opened();
                    for (int k = 0; k < 3; k++) d.issuedId();
                    return d.exit().outcome("0800");
                });
            }
            int good = 0;
            String bad = "";
            for (Future<Outcome> future : threads.invokeAll(clients)) {
                try {
                    if (future.get().passed()) good++;
                    else bad = future.get().seen() + " " + future.get().note();
                } catch (ExecutionException e) {
                    bad = String.valueOf(e.getCause().getMessage());
                }
            }
            return Outcome.of(good == 20, good + " of 20").noting(bad);
        } finally {
            threads.shutdown();
        }
    }

    static Map<String, Outcome> steps(Object... pairs) {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) steps.put((String) pairs[i], (Outcome) pairs[i + 1]);
        return steps;
    }
}
