package peer.stub;

import java.io.ByteArrayOutputStream;
import java.util.*;
import java.util.function.*;
import java.util.stream.Collectors;
import org.w3c.dom.Element;
import peer.wire.*;

/** The stand-in's memory of deliveries that come and go in chunks. */
final class Chunks {
    private static final int MAX_CHUNK = 10_000;
    private static final int MAX_MESSAGE = 2_000_000;

    private record Coming(int chunks, int size, int total, TreeMap<Integer, byte[]> octets) { }

    private final Map<String, Coming> coming = new HashMap<>();
    private final Map<String, byte[]> going = new HashMap<>();

    /** Takes one chunk (or the question what has come). With the last one `execute` runs and its code goes to `inside`. */
    synchronized String store(Answer q, Function<byte[], String> execute, List<String> inside) throws Stub.Rejected {
        String id = q.messageId().orElse("");
        Optional<Element> wanted = Xml.first(q.document, Xml.OSCI2017, "ChunkInformation");
        if (wanted.isEmpty()) return information(1, coming.get(id));
        Element info = wanted.get();
        int number = number(info, "ChunkNumber");
        int size = number(info, "ChunkSize");
        int total = number(info, "TotalMessageSize");
        Coming known = coming.computeIfAbsent(id, x -> new Coming(number(info, "TotalChunkNumbers"), size, total, new TreeMap<>()));
        byte[] octets = q.mime.parts().get("ChunkBlobStoreDelivery").data().bytes();
        if (size > MAX_CHUNK || octets.length > MAX_CHUNK * 1024) throw new Stub.Rejected("9902");
        if (size < 1) throw new Stub.Rejected("9903");
        if (total > MAX_MESSAGE) throw new Stub.Rejected("9904");
        if (known.chunks != number(info, "TotalChunkNumbers") || known.total != total || known.size != size) throw new Stub.Rejected("9905");
        if (number < 1 || number > known.chunks) throw new Stub.Rejected("9901");
        if (known.octets.putIfAbsent(number, octets) != null) throw new Stub.Rejected("9900");
        if (known.octets.size() == known.chunks) {
            ByteArrayOutputStream whole = new ByteArrayOutputStream();
            known.octets.values().forEach(whole::writeBytes);
            inside.add(execute.apply(whole.toByteArray()));
            coming.remove(id);
        }
        return information(number, known);
    }

    private static String information(int number, Coming known) {
        String received = known == null ? "-1" : known.octets.keySet().stream().map(String::valueOf).collect(Collectors.joining(" "));
        return "<osci2017:ChunkInformation ChunkNumber=\"" + number + "\" ReceivedChunks=\"" + received + "\"></osci2017:ChunkInformation>";
    }

    /** Puts the wanted chunk into the answer; the whole is built once and stays the same. */
    synchronized String fetch(Answer q, String id, Supplier<byte[]> build, Message m) {
        Element info = Xml.first(q.document, Xml.OSCI2017, "ChunkInformation").orElseThrow();
        int number = number(info, "ChunkNumber");
        int size = number(info, "ChunkSize") * 1024;
        byte[] whole = going.computeIfAbsent(id, x -> build.get());
        int count = (whole.length + size - 1) / size;
        byte[] octets = Arrays.copyOfRange(whole, (number - 1) * size, Math.min(number * size, whole.length));
        m.parts.add(Mime.Part.octets("ChunkBlobStoreDelivery", octets));
        m.body = "<osci:ContentPackage><osci:ContentContainer Id=\"ChunkContentContainer\"><osci:Content Id=\"ChunkContent\" "
                + "href=\"cid:ChunkBlobStoreDelivery\"></osci:Content></osci:ContentContainer></osci:ContentPackage>";
        return "<osci2017:ChunkInformation ChunkNumber=\"" + number + "\" TotalChunkNumbers=\"" + count + "\" TotalMessageSize=\""
                + whole.length / 1024 + "\"></osci2017:ChunkInformation><osci:MessageId>" + Xml.wireId(id) + "</osci:MessageId>";
    }

    private static int number(Element info, String name) {
        return Integer.parseInt(info.getAttribute(name));
    }
}
