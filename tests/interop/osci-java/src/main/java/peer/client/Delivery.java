package peer.client;

import java.util.*;
import peer.keys.*;
import peer.wire.*;

/** What is delivered: subject, content, attachments and the roles that occur in it, before it becomes an order. */
public final class Delivery {
    private record Role(String element, String role, Identity identity) { }

    public String subject = "Invented application";
    public String quality = "plain";
    public final List<String> encrypted = new ArrayList<>();
    public final List<String> containers = new ArrayList<>();
    public final List<Mime.Part> parts = new ArrayList<>();
    public final List<String> tail = new ArrayList<>();
    private final List<Role> roles = new ArrayList<>();

    public Delivery container(Content content) {
        containers.add(content.xml());
        parts.addAll(content.parts());
        return this;
    }

    /** Names an author or reader; the result is the certificate's Id in the message. */
    public String role(String element, String role, Identity identity) {
        roles.add(new Role(element, role, identity));
        return identity.id(role, element.startsWith("Cipher") ? "cipher" : "signature");
    }

    private void fill(Message m, Identity addressee) {
        m.certify("CipherCertificateAddressee", "addressee", addressee);
        for (Role r : roles) m.certify(r.element, r.role, r.identity);
        m.tail.addAll(tail);
        m.parts.addAll(parts);
        m.body = "<osci:ContentPackage>" + String.join("", encrypted) + String.join("", containers) + "</osci:ContentPackage>";
    }

    private String subjectXml() {
        return subject == null ? "" : "<osci:Subject>" + Xml.escape(subject) + "</osci:Subject>";
    }

    public Message store(Dialog d, Identity addressee, String messageId) {
        Message m = d.order("StoreDelivery");
        m.timestamps(quality);
        m.block("osci:storeDelivery", "", Dialog.byId(messageId) + subjectXml());
        fill(m, addressee);
        return m;
    }

    public Message forward(Dialog d, Identity addressee, String uri, String messageId) {
        Message m = d.order("ForwardDelivery");
        m.timestamps(quality);
        m.block("osci:forwardDelivery", "", receiver(uri) + Dialog.byId(messageId) + subjectXml());
        fill(m, addressee);
        return m;
    }

    /** Without MessageId nothing is logged, so no time stamps are asked for. */
    public Message mediate(Dialog d, Identity addressee, String uri, String messageId) {
        Message m = d.order("MediateDelivery");
        if (messageId != null) m.timestamps(quality);
        m.block("osci:mediateDelivery", "", receiver(uri) + (messageId == null ? "" : Dialog.byId(messageId)) + subjectXml());
        fill(m, addressee);
        return m;
    }

    private static String receiver(String uri) {
        return "<osci:ContentReceiver URI=\"" + Xml.escape(uri) + "\"></osci:ContentReceiver>";
    }

    /** One chunk of a stored delivery; without octets it only asks what has arrived. */
    public static Message chunk(Dialog d, Identity addressee, String messageId, Chunk chunk, byte[] octets) {
        Message m = d.order("PartialStoreDelivery");
        m.timestamp("creation", "plain");
        String information = octets == null ? "<osci2017:InfoOnly></osci2017:InfoOnly>"
                : "<osci2017:ChunkInformation ChunkNumber=\"" + chunk.number + "\" ChunkSize=\"" + chunk.kilobytes
                + "\" TotalChunkNumbers=\"" + chunk.chunks + "\" TotalMessageSize=\"" + chunk.totalKilobytes
                + "\"></osci2017:ChunkInformation>";
        m.block("osci2017:partialStoreDelivery", " xmlns:osci2017=\"" + Xml.OSCI2017 + "\"", Dialog.byId(messageId + "_Partial") + information);
        m.certify("CipherCertificateAddressee", "addressee", addressee);
        m.body = "<osci:ContentPackage>" + (octets == null ? "" : "<osci:ContentContainer Id=\"ChunkContentContainer\"><osci:Content "
                + "Id=\"ChunkContent\" href=\"cid:ChunkBlobStoreDelivery\"></osci:Content></osci:ContentContainer>") + "</osci:ContentPackage>";
        if (octets != null) m.parts.add(Mime.Part.octets("ChunkBlobStoreDelivery", octets));
        return m;
    }

    /** Numbers of one chunk: number from 1, size of a chunk and of the whole in KB. */
    public record Chunk(int number, int kilobytes, int chunks, int totalKilobytes) { }
}
