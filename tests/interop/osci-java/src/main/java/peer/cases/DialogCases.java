package peer.cases;

import java.util.*;
import java.util.concurrent.*;
import peer.client.Dialog;
import peer.wire.*;

/** H1–H3, H22, H25: dialogues that go well. */
public final class DialogCases {
    private final Context context;

    public DialogCases(Context context) {
        this.context = context;
    }

    @Case(id = "H1", title = "explicit dialog", expected = "0801, 0801, 0801, 0800; numbers 0, 1, 2; no Challenge after exit")
    public Outcome explicit() {
        Dialog d = context.originator();
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("init", Outcome.of(d.init(), "0801"));
        Answer id = d.getMessageId();
        steps.put("getMessageId", Outcome.of(id, "0801"));
        String messageId = id.messageId().orElse("none");
        steps.put("store", Outcome.of(d.send(context.delivery(Context.text()).store(d, context.mailbox(), messageId)), "0801"));
        steps.put("exit", Outcome.of(d.exit(), "0800"));
        return Outcome.all(steps);
    }

    @Case(id = "H2", title = "implicit dialogs", expected = "0800 each; numeric ConversationId in the answers")
    public Outcome implicit() {
        Dialog d = context.originator();
        Answer id = d.getMessageId();
        Answer stored = d.send(context.delivery(Context.text()).store(d, context.mailbox(), id.messageId().orElse("none")));
        return Outcome.all(steps("getMessageId", numbered(id), "store", numbered(stored)));
    }

    private static Outcome numbered(Answer answer) {
        String conversation = answer.control("ConversationId");
        boolean numeric = conversation != null && conversation.matches("\\d+");
        Outcome outcome = Outcome.of(answer, "0800");
        return numeric ? outcome : Outcome.of(false, outcome.seen()).noting("ConversationId is " + conversation);
    }

    @Case(id = "H3", title = "second implicit order with a stale Response", expected = "0800; the stale Response is ignored")
    public Outcome stale() {
        Dialog d = context.originator();
        Answer first = d.getMessageId();
        Message second = d.messageIdOrder();
        second.response = first.control("Challenge");
        return Outcome.all(steps("first", Outcome.of(first, "0800"), "second", Outcome.of(d.send(second), "0800")));
    }

    @Case(id = "H22", title = "languages", expected = "an entry with xml:lang en for each code (or both languages)")
    public Outcome languages() {
        Dialog d = context.originator();
        d.languages = "en de";
        Answer answer = d.getMessageId();
        boolean english = answer.document != null && Xml.all(answer.document, Xml.OSCI, "Entry").stream()
                .anyMatch(e -> e.getAttributeNS("http://www.w3.org/XML/1998/namespace", "lang").equals("en"));
        Outcome outcome = Outcome.of(answer, "0800");
        return english ? outcome : Outcome.of(false, outcome.seen()).noting("no entry in English");
    }

    @Case(id = "H25", title = "parallel dialogs", expected = "20 clients at once, all 0801/0800, no challenge mixed up")
    public Outcome parallel() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(20);
        try {
            List<Callable<Outcome>> clients = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                clients.add(() -> {
                    Dialog d = context.opened(context.originator());
                    for (int k = 0; k < 3; k++) context.issuedId(d);
                    return Outcome.of(d.exit(), "0800");
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
