package peer.cases;

import java.io.ByteArrayOutputStream;
import java.util.*;
import org.w3c.dom.Element;
import peer.client.*;
import peer.wire.*;

/** H11–H13, N40, N41: deliveries in chunks. */
public final class ChunkCases {
    private static final int KB = 100;
    private final Context context;

    public ChunkCases(Context context) {
        this.context = context;
    }

    /** An inner delivery of about 300 kB, its dialogue, and the chunks it falls into. */
    private final class Run {
        final Dialog dialog = context.opened(context.originator());
        final String id = context.issuedId(dialog);
        final byte[] attachment = Crypt.random(300_000);
        final byte[] whole;

        Run(boolean spoilt) {
            Dialog inner = context.originator();
            Delivery delivery = new Delivery();
            delivery.container(new Content("container0").attachment("content0", Mime.Part.octets("big.bin", attachment)));
            Message order = delivery.store(inner, context.mailbox(), id);
            String xml = order.xml();
            whole = Mime.write(Message.root(spoilt ? xml.replace("Invented application", "Altered application") : xml), order.parts);
        }

        int kilobytes() {
            return (whole.length + 1023) / 1024;
        }

        int count() {
            return (whole.length + KB * 1024 - 1) / (KB * 1024);
        }

        byte[] octets(int number) {
            return Arrays.copyOfRange(whole, (number - 1) * KB * 1024, Math.min(number * KB * 1024, whole.length));
        }

        Answer chunk(int number) {
            return send(new Delivery.Chunk(number, KB, count(), kilobytes()), octets(number));
        }

        Answer send(Delivery.Chunk chunk, byte[] octets) {
            return dialog.send(Delivery.chunk(dialog, context.mailbox(), id, chunk, octets));
        }

        Answer info() {
            return send(null, null);
        }
    }

    private static String received(Answer answer) {
        return answer.document == null ? "" : Xml.first(answer.document, Xml.OSCI2017, "ChunkInformation")
                .map(e -> e.getAttribute("ReceivedChunks")).orElse("");
    }

    @Case(id = "H11", title = "partialStore in 4 chunks, InfoOnly between", expected = "ReceivedChunks grows; last answer 3950 with inside 0800; delivery can be fetched")
    public Outcome stores() {
        Run run = new Run(false);
        Map<String, Outcome> steps = new LinkedHashMap<>();
        for (int i = 1; i < run.count(); i++) {
            Answer answer = run.chunk(i);
            steps.put("chunk " + i, Outcome.of(answer.ok() && received(answer).split(" ").length == i, answer.seen() + " [" + received(answer) + "]"));
            if (i == 1) {
                Answer info = run.info();
                steps.put("InfoOnly", Outcome.of(info.ok() && received(info).equals("1"), info.seen() + " [" + received(info) + "]"));
            }
        }
        Answer last = run.chunk(run.count());
        steps.put("last", Outcome.of(last.is("3950") && last.problems.isEmpty()
                && (last.insideCodes().contains("0800") || last.insideCodes().contains("0801")), last.seen()).noting(String.join("; ", last.problems)));
        run.dialog.exit();
        Dialog d = context.opened(context.addressee());
        Answer got = d.fetch(Dialog.byId(run.id));
        d.exit();
        steps.put("fetch", Outcome.of(got, "0801"));
        boolean equal = got.mime != null && got.mime.parts().containsKey("big.bin")
                && Arrays.equals(got.mime.parts().get("big.bin").data().bytes(), run.attachment);
        steps.put("attachment", Outcome.of(equal, equal ? "equal" : "different"));
        return Outcome.all(steps);
    }

    @Case(id = "H12", title = "partialFetch in chunks", expected = "reassembled octets parse, 300 kB attachment equal")
    public Outcome fetches() {
        byte[] attachment = Crypt.random(300_000);
        String id = context.stored(new Delivery().container(new Content("container0").attachment("content0", Mime.Part.octets("big.bin", attachment))));
        Dialog d = context.opened(context.addressee());
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        String received = "-1";
        int total = 1;
        for (int i = 1; i <= total; i++) {
            Answer answer = d.partialFetch(id, i, KB, received);
            if (!answer.ok() || answer.mime.parts().get("ChunkBlobStoreDelivery") == null) {
                return Outcome.of(false, "chunk " + i + ": " + answer.type + " " + answer.seen()).noting(String.join("; ", answer.problems));
            }
            Element info = Xml.first(answer.document, Xml.OSCI2017, "ChunkInformation").orElseThrow();
            total = Math.min(100, Integer.parseInt(info.getAttribute("TotalChunkNumbers")));
            whole.writeBytes(answer.mime.parts().get("ChunkBlobStoreDelivery").data().bytes());
            received = i == 1 ? "1" : received + " " + i;
        }
        d.exit();
        Answer inner = Answer.read(200, whole.toByteArray(), context.keys);
        boolean equal = inner.mime != null && inner.mime.parts().containsKey("big.bin")
                && Arrays.equals(inner.mime.parts().get("big.bin").data().bytes(), attachment);
        return Outcome.of(equal && inner.type.equals("ResponseToFetchDelivery"), total + " chunks, " + inner.type + (equal ? ", equal" : ", different"));
    }

    @Case(id = "H13", title = "partialFetch of a small delivery", expected = "a plain ResponseToFetchDelivery, or one chunk that holds it")
    public Outcome fetchesSmall() {
        byte[] text = Context.text();
        String id = context.stored(context.delivery(text));
        Dialog d = context.opened(context.addressee());
        Answer answer = d.partialFetch(id, 1, 1000, "-1");
        d.exit();
        if (!answer.ok()) return Outcome.of(answer, "0801");
        Answer inner = answer;
        if (answer.type.equals("ResponseToPartialFetchDelivery") && answer.mime.parts().get("ChunkBlobStoreDelivery") != null) {
            inner = Answer.read(200, answer.mime.parts().get("ChunkBlobStoreDelivery").data().bytes(), context.keys);
        }
        boolean right = inner.type.equals("ResponseToFetchDelivery") && inner.inline().map(b -> Arrays.equals(b, text)).orElse(false);
        return Outcome.of(right, answer.type + " " + answer.seen());
    }

    @Case(id = "N40", title = "chunk twice / number > total / too big / too small / whole too big / inconsistent totals",
            expected = "9900 / 9901 / 9902 / 9903 / 9904 / 9905 (limits by --max-chunk-kb, --min-chunk-kb, --max-message-kb)")
    public Outcome wrongChunks() {
        int max = context.args.number("max-chunk-kb", 10_000);
        int min = context.args.number("min-chunk-kb", 2);
        int all = context.args.number("max-message-kb", 2_000_000);
        Map<String, Outcome> steps = new LinkedHashMap<>();
        Run twice = new Run(false);
        Answer first = twice.chunk(1);
        if (!first.ok()) return Outcome.of(false, "first chunk: " + first.seen()).noting(String.join("; ", first.problems));
        steps.put("twice", Outcome.of(twice.chunk(1), "9900"));
        Run number = new Run(false);
        steps.put("number", Outcome.of(number.send(new Delivery.Chunk(number.count() + 1, KB, number.count(), number.kilobytes()), number.octets(1)), "9901"));
        Run big = new Run(false);
        if (max <= 50_000) {
            steps.put("too big", Outcome.of(big.send(new Delivery.Chunk(1, max + 1, 2, 2 * max), Crypt.random((max + 1) * 1024)), "9902"));
        } else {
            steps.put("too big", Outcome.notApplicable("limit above 50 MB"));
        }
        Run small = new Run(false);
        if (min > 0) {
            int size = Math.max(0, min - 1);
            steps.put("too small", Outcome.of(small.send(new Delivery.Chunk(1, size, 400, 315), Crypt.random(Math.max(1, size * 1024))), "9903"));
        }
        Run total = new Run(false);
        steps.put("whole too big", Outcome.of(total.send(new Delivery.Chunk(1, KB, all / KB + 1, all + KB), total.octets(1)), "9904"));
        Run totals = new Run(false);
        totals.chunk(1);
        steps.put("totals", Outcome.of(totals.send(new Delivery.Chunk(2, KB, totals.count() + 3, totals.kilobytes()), totals.octets(2)), "9905"));
        return Outcome.all(steps);
    }

    @Case(id = "N41", title = "reassembled inner order has a bad signature", expected = "last answer 3950 or 9950 with inside 9601")
    public Outcome badInner() {
        Run run = new Run(true);
        Answer last = null;
        for (int i = 1; i <= run.count(); i++) last = run.chunk(i);
        return Outcome.of(last.is("3950", "9950") && last.insideCodes().contains("9601"), last.seen()).noting(String.join("; ", last.problems));
    }
}
