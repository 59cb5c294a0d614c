package library.cases;

import de.osci.osci12.messageparts.*;
import de.osci.osci12.messagetypes.*;
import java.io.*;
import java.util.*;
import library.*;
import peer.cases.*;

/** H11–H13, N40, N41: deliveries in chunks. The library writes the delivery inside the chunks unsigned; here also signed, as it would be sent. */
public final class ChunkCases {
    private static final int KB = 100;
    private final Scene scene;

    public ChunkCases(Scene scene) {
        this.scene = scene;
    }

    /** An inner delivery of about 300 kB, its dialogue, and the chunks it falls into. */
    private final class Run {
        final Dialog dialog = scene.client().opened();
        final String id = dialog.issuedId();
        final byte[] attachment = Scene.random(300_000);
        final byte[] whole;

        Run() throws Exception {
            this(false);
        }

        Run(boolean signed) throws Exception {
            Dialog inner = scene.client().plain();
            StoreDelivery order = new StoreDelivery(inner.handler, scene.mailbox(), id);
            order.setSubject("Invented application");
            ContentContainer container = new ContentContainer();
            container.addContent(new Content(new Attachment(new ByteArrayInputStream(attachment), "big.bin")));
            container.sign(scene.author());
            order.addContentContainer(container);
            if (signed) {
                inner.line.mute = true;
                inner.send(handler -> order.send());
                whole = inner.line.sent;
            } else {
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                order.writeMessage(out);
                whole = out.toByteArray();
            }
        }

        /** Rounded down, as the library's own example does it. */
        int kilobytes() {
            return whole.length / 1024;
        }

        int count() {
            return (whole.length + KB * 1024 - 1) / (KB * 1024);
        }

        byte[] octets(int number) {
            return Arrays.copyOfRange(whole, (number - 1) * KB * 1024, Math.min(number * KB * 1024, whole.length));
        }

        Reply chunk(int number) {
            return send(new ChunkInformation(KB, number, kilobytes(), count()), octets(number));
        }

        Reply send(ChunkInformation information, byte[] octets) {
            return dialog.send(handler -> {
                PartialStoreDelivery order = new PartialStoreDelivery(handler, scene.mailbox(), information, id);
                order.setChunkBlob(new ByteArrayInputStream(octets));
                return order.send();
            });
        }

        Reply info() {
            return dialog.send(handler -> new PartialStoreDelivery(handler, scene.mailbox(), true, id).send());
        }
    }

    private static Outcome received(Reply reply, int count) {
        var response = reply.as(ResponseToPartialStoreDelivery.class);
        List<Integer> chunks = response.getChunkInformation() == null ? List.of() : response.getChunkInformation().getReceivedChunks();
        return Outcome.of(reply.ok() && chunks.size() == count, reply.seen() + " " + chunks).noting(String.join("; ", reply.problems));
    }

    @Case(id = "H11", title = "partialStore in chunks, InfoOnly between; the delivery inside unsigned and signed",
            expected = "ReceivedChunks grows; last answer 3950 with inside 0800; delivery can be fetched")
    public Outcome stores() throws Exception {
        return Outcome.all(DialogCases.steps("unsigned", stored(new Run(false)), "signed", stored(new Run(true))));
    }

    private Outcome stored(Run run) throws Exception {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        for (int i = 1; i < run.count(); i++) {
            steps.put("chunk " + i, received(run.chunk(i), i));
            if (i == 1) steps.put("InfoOnly", received(run.info(), 1));
        }
        Reply last = run.chunk(run.count());
        steps.put("last", Outcome.of(last.is("3950") && last.seen().matches(".* inside .*080[01].*") && last.problems.isEmpty(), last.seen())
                .noting(String.join("; ", last.problems)));
        run.dialog.exit();
        if (!last.is("3950")) return Outcome.all(steps);
        Dialog d = scene.owner().opened();
        Reply got = d.send(Orders.fetch(OSCIMessage.SELECT_BY_MESSAGE_ID, run.id));
        d.exit();
        steps.put("fetch", got.outcome("0801"));
        if (!got.ok()) return Outcome.all(steps);
        ContentContainer container = got.as(ResponseToFetchDelivery.class).getContentContainer()[0];
        steps.put("attachment", DeliveryCases.same(run.attachment, container.getAttachments()[0].getStream().readAllBytes()));
        steps.put("author", Outcome.of(container.checkAllSignatures(), "valid"));
        return Outcome.all(steps);
    }

    private String big(byte[] attachment) throws Exception {
        ContentContainer container = new ContentContainer();
        container.addContent(new Content(new Attachment(new ByteArrayInputStream(attachment), "big.bin")));
        return scene.stored(new Letter().add(container));
    }

    private static Dialog.Order part(String id, ChunkInformation information) {
        return handler -> {
            PartialFetchDelivery order = new PartialFetchDelivery(handler, information);
            order.setSelectionMode(OSCIMessage.SELECT_BY_MESSAGE_ID);
            order.setSelectionRule(id);
            return order.send();
        };
    }

    @Case(id = "H12", title = "partialFetch in chunks", expected = "reassembled octets parse, 300 kB attachment equal")
    public Outcome fetches() throws Exception {
        byte[] attachment = Scene.random(300_000);
        String id = big(attachment);
        Dialog d = scene.owner().opened();
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        List<Integer> got = new ArrayList<>();
        int total = 1;
        for (int i = 1; i <= total; i++) {
            Reply reply = d.send(part(id, new ChunkInformation(KB, i, got)));
            if (!reply.ok() || !(reply.message instanceof ResponseToPartialFetchDelivery)) return reply.outcome("0801").noting("chunk " + i);
            var response = reply.as(ResponseToPartialFetchDelivery.class);
            total = Math.min(100, response.getChunkInformation().getTotalChunkNumbers());
            whole.writeBytes(response.getChunkBlob().readAllBytes());
            got.add(i);
        }
        d.exit();
        var inner = ResponseToFetchDelivery.parseResponseToFetchDelivery(new ByteArrayInputStream(whole.toByteArray()));
        byte[] read = inner.getContentContainer()[0].getAttachments()[0].getStream().readAllBytes();
        return Outcome.of(Arrays.equals(read, attachment), total + " chunks, ResponseToFetchDelivery, " + (Arrays.equals(read, attachment) ? "equal" : "different"));
    }

    @Case(id = "H13", title = "partialFetch of a small delivery", expected = "a plain ResponseToFetchDelivery, or one chunk that holds it")
    public Outcome fetchesSmall() throws Exception {
        String text = Scene.text();
        String id = scene.stored(scene.letter(text));
        Dialog d = scene.owner().opened();
        Reply reply = d.send(part(id, new ChunkInformation(1000, 1)));
        d.exit();
        if (!reply.ok()) return reply.outcome("0801");
        ResponseToFetchDelivery inner = reply.message instanceof ResponseToPartialFetchDelivery chunk
                ? ResponseToFetchDelivery.parseResponseToFetchDelivery(chunk.getChunkBlob()) : reply.as(ResponseToFetchDelivery.class);
        boolean right = inner.getContentContainerByRefID("container0").getContents()[0].getContentData().equals(text);
        return Outcome.of(right, reply.message.getClass().getSimpleName() + " " + reply.seen());
    }

    @Case(id = "N40", title = "chunk twice / number > total / too big / too small / whole too big / inconsistent totals",
            expected = "9900 / 9901 / 9902 / 9903 / 9904 / 9905 (limits by --max-chunk-kb, --min-chunk-kb, --max-message-kb)")
    public Outcome wrongChunks() throws Exception {
        int max = scene.args.number("max-chunk-kb", 10_000);
        int all = scene.args.number("max-message-kb", 2_000_000);
        Map<String, Outcome> steps = new LinkedHashMap<>();
        Run twice = new Run();
        Reply first = twice.chunk(1);
        if (!first.ok()) return first.outcome("0801").noting("first chunk");
        steps.put("twice", twice.chunk(1).outcome("9900"));
        Run number = new Run();
        steps.put("number", number.send(new ChunkInformation(KB, number.count() + 1, number.kilobytes(), number.count()), number.octets(1)).outcome("9901"));
        steps.put("too big", new Run().send(new ChunkInformation(max + 1, 1, 2L * max, 2), Scene.random((max + 1) * 1024)).outcome("9902"));
        int small = scene.args.number("min-chunk-kb", 2) - 1;
        steps.put("too small", small < 1 ? Outcome.notApplicable("the library writes no ChunkSize of 0")
                : new Run().send(new ChunkInformation(small, 1, 315L * small, 315), Scene.random(small * 1024)).outcome("9903"));
        Run total = new Run();
        steps.put("whole too big", total.send(new ChunkInformation(KB, 1, all + KB, all / KB + 1), total.octets(1)).outcome("9904"));
        Run totals = new Run();
        totals.chunk(1);
        steps.put("totals", totals.send(new ChunkInformation(KB, 2, totals.kilobytes(), totals.count() + 3), totals.octets(2)).outcome("9905"));
        return Outcome.all(steps);
    }

    @Case(id = "N41", title = "reassembled inner order has a bad signature", expected = "last answer 3950 or 9950 with inside 9601")
    public Outcome badInner() throws Exception {
        Run run = new Run(true);
        int at = new String(run.whole, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf("<osci:Subject>") + 14;
        run.whole[at] ^= 1;
        Reply last = null;
        for (int i = 1; i <= run.count(); i++) last = run.chunk(i);
        return Outcome.of(last.is("3950", "9950") && last.seen().contains("inside 9601"), last.seen()).noting(String.join("; ", last.problems));
    }
}
