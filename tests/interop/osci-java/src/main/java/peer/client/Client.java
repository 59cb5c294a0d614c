package peer.client;

import com.google.gson.*;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.*;
import peer.Args;
import peer.cases.Context;
import peer.wire.*;

/** Single steps for tests that are driven from elsewhere; each prints one JSON line. */
public final class Client {
    private Client() { }

    public static int run(Args args, PrintStream out) {
        if (args.rest().isEmpty()) throw new Args.UsageException("client needs a step");
        Context context = new Context(args);
        byte[] text = args.get("text", "Invented application").getBytes(StandardCharsets.UTF_8);
        String step = args.rest().get(0);
        Dialog d = context.dialog(args.get("as", step.equals("fetch") ? "addressee" : "originator"));
        d.encrypt = !args.has("plain");
        d.sign = !args.has("unsigned");
        JsonObject line = new JsonObject();
        Answer answer = switch (step) {
            case "store" -> {
                String id = id(context, d, args, line);
                yield d.send(context.delivery(text).store(d, context.mailbox(), id));
            }
            case "forward" -> {
                String id = id(context, d, args, line);
                yield d.send(context.delivery(text).forward(d, context.mailbox(), args.need("to"), id));
            }
            case "mediate" -> {
                context.opened(d);
                String id = args.has("unlogged") ? null : id(context, d, args, line);
                yield closing(d, d.send(context.delivery(text).mediate(d, context.mailbox(), args.need("to"), id)));
            }
            case "fetch" -> closing(context.opened(d), d.fetch(args.has("id") ? Dialog.byId(args.need("id")) : null));
            case "card" -> closing(context.opened(d), d.fetchCards(args.has("id") ? Dialog.byId(args.need("id")) : null, null));
            default -> throw new Args.UsageException("unknown step " + step);
        };
        report(answer, line);
        out.println(new GsonBuilder().disableHtmlEscaping().create().toJson(line));
        return answer.ok() ? 0 : 1;
    }

    private static String id(Context context, Dialog d, Args args, JsonObject line) {
        String id = args.has("id") ? args.need("id") : context.issuedId(d);
        line.addProperty("messageId", id);
        return id;
    }

    private static Answer closing(Dialog d, Answer answer) {
        d.exit();
        return answer;
    }

    private static void report(Answer answer, JsonObject line) {
        line.addProperty("type", answer.type);
        line.addProperty("seen", answer.seen());
        line.addProperty("encrypted", answer.encrypted);
        line.addProperty("signature", answer.signature.verdict());
        JsonArray problems = new JsonArray();
        answer.problems.forEach(problems::add);
        line.add("problems", problems);
        answer.inline().ifPresent(b -> line.addProperty("inline", new String(b, StandardCharsets.UTF_8)));
        JsonArray content = new JsonArray();
        answer.contentSignatures().forEach(s -> content.add(s.verdict()));
        line.add("contentSignatures", content);
        JsonArray parts = new JsonArray();
        if (answer.mime != null) answer.mime.parts().keySet().forEach(parts::add);
        line.add("parts", parts);
        JsonArray cards = new JsonArray();
        answer.cards().forEach(c -> {
            List<String> times = new ArrayList<>();
            for (String name : new String[] {"Creation", "Forwarding", "Reception"}) Xml.first(c, Xml.OSCI, name).ifPresent(e -> times.add(name));
            JsonObject card = new JsonObject();
            card.addProperty("messageId", new String(Xml.base64(Xml.text(c, Xml.OSCI, "MessageId").orElse("")), StandardCharsets.UTF_8));
            card.addProperty("times", String.join("+", times));
            cards.add(card);
        });
        line.add("cards", cards);
    }
}
