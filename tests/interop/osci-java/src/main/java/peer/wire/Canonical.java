package peer.wire;

import java.nio.charset.StandardCharsets;
import java.util.*;
import org.w3c.dom.*;

/**
 * Writes an element as Canonical XML 1.0 (inclusive, without comments), with the declarations in scope.
 * It only serialises; every digest is computed by the JDK's own canonicaliser, so an error here shows as a broken digest.
 */
public final class Canonical {
    private final StringBuilder out = new StringBuilder();

    private Canonical() { }

    public static String of(Element element) {
        Canonical writer = new Canonical();
        Map<String, String> inherited = new TreeMap<>();
        for (Node n = element.getParentNode(); n instanceof Element e; n = n.getParentNode()) {
            declarations(e).forEach(inherited::putIfAbsent);
        }
        writer.element(element, inherited, new TreeMap<>());
        return writer.out.toString();
    }

    private static Map<String, String> declarations(Element e) {
        Map<String, String> found = new TreeMap<>();
        NamedNodeMap attributes = e.getAttributes();
        for (int i = 0; i < attributes.getLength(); i++) {
            Attr a = (Attr) attributes.item(i);
            if (a.getName().equals("xmlns")) found.put("", a.getValue());
            if (a.getName().startsWith("xmlns:")) found.put(a.getName().substring(6), a.getValue());
        }
        return found;
    }

    private void element(Element e, Map<String, String> pending, Map<String, String> written) {
        Map<String, String> scope = new TreeMap<>(pending);
        scope.putAll(declarations(e));
        Map<String, String> now = new TreeMap<>(written);
        out.append('<').append(e.getTagName());
        scope.forEach((prefix, uri) -> {
            boolean empty = prefix.isEmpty() && uri.isEmpty() && !written.containsKey("");
            if (!empty && !uri.equals(written.get(prefix))) {
                attribute(prefix.isEmpty() ? "xmlns" : "xmlns:" + prefix, uri);
                now.put(prefix, uri);
            }
        });
        attributes(e);
        out.append('>');
        for (Node n = e.getFirstChild(); n != null; n = n.getNextSibling()) {
            if (n instanceof Element child) element(child, Map.of(), now);
            else if (n instanceof Text text) out.append(text(text.getData()));
            else if (n instanceof ProcessingInstruction pi) out.append("<?").append(pi.getTarget()).append(pi.getData().isEmpty() ? "" : " " + pi.getData()).append("?>");
        }
        out.append("</").append(e.getTagName()).append('>');
    }

    private void attributes(Element e) {
        Map<String, Attr> sorted = new TreeMap<>();
        NamedNodeMap attributes = e.getAttributes();
        for (int i = 0; i < attributes.getLength(); i++) {
            Attr a = (Attr) attributes.item(i);
            if (a.getName().startsWith("xmlns")) continue;
            String namespace = a.getNamespaceURI() == null ? "" : a.getNamespaceURI();
            String local = a.getLocalName() == null ? a.getName() : a.getLocalName();
            sorted.put(namespace + "\u0000" + local, a);
        }
        sorted.values().forEach(a -> attribute(a.getName(), a.getValue()));
    }

    private void attribute(String name, String value) {
        out.append(' ').append(name).append("=\"").append(value.replace("&", "&amp;").replace("<", "&lt;")
                .replace("\"", "&quot;").replace("\t", "&#x9;").replace("\n", "&#xA;").replace("\r", "&#xD;")).append('"');
    }

    private static String text(String data) {
        return data.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;");
    }

    public static byte[] bytes(Element element) {
        return of(element).getBytes(StandardCharsets.UTF_8);
    }

}
