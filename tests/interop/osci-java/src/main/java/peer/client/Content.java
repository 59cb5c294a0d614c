package peer.client;

import java.util.*;
import org.w3c.dom.*;
import peer.keys.Identity;
import peer.wire.*;

/** A ContentContainer under construction, signed by authors. */
public final class Content {
    private final String id;
    private final StringBuilder inner = new StringBuilder();
    private final List<Signing.Target> targets = new ArrayList<>();
    private final Map<String, Mime.Part> parts = new LinkedHashMap<>();
    private final List<Map.Entry<Identity, String>> authors = new ArrayList<>();

    public Content(String id) {
        this.id = id;
    }

    public Content inline(String contentId, byte[] octets) {
        inner.append("<osci:Content><osci:Base64Content Id=\"").append(contentId).append("\">").append(Xml.base64(octets))
                .append("</osci:Base64Content></osci:Content>");
        targets.add(Signing.Target.base64(contentId));
        return this;
    }

    public Content attachment(String contentId, Mime.Part part) {
        inner.append("<osci:Content Id=\"").append(contentId).append("\" href=\"cid:").append(part.cid()).append("\"></osci:Content>");
        targets.add(Signing.Target.element(contentId));
        targets.add(Signing.Target.attachment(part.cid()));
        parts.put(part.cid(), part);
        return this;
    }

    public Content nested(String contentId, Content other) {
        inner.append("<osci:Content Id=\"").append(contentId).append("\">").append(other.xml()).append("</osci:Content>");
        targets.add(Signing.Target.element(contentId));
        parts.putAll(other.parts);
        return this;
    }

    /** Already encrypted content inside this container. Not signed over: library partners hash it in a way of their own. */
    public Content encrypted(String encryptedData) {
        inner.append(encryptedData);
        return this;
    }

    public Content signedBy(Identity author, String certificateId) {
        authors.add(Map.entry(author, certificateId));
        return this;
    }

    public Collection<Mime.Part> parts() {
        return parts.values();
    }

    /** The container element, with the five namespace declarations that its digests rely on. */
    public String xml() {
        String plain = "<osci:ContentContainer" + Xml.FIVE + " Id=\"" + id + "\">" + inner + "</osci:ContentContainer>";
        if (authors.isEmpty()) return plain;
        Document document = Xml.parse(plain);
        Element container = document.getDocumentElement();
        Node first = container.getFirstChild();
        for (var author : authors) {
            Signing.sign(container, first, author.getKey(), author.getValue(), targets, Signing.Style.USUAL, parts);
        }
        return Canonical.of(container);
    }
}
