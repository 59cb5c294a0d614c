package peer.wire;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.*;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.*;

/** DOM helpers. Parsing refuses DTDs: what comes back from a server under test is foreign input too. */
public final class Xml {
    public static final String SOAP = "http://schemas.xmlsoap.org/soap/envelope/";
    public static final String OSCI = "http://www.osci.de/2002/04/osci";
    public static final String OSCI2017 = "http://xoev.de/transport/osci12/7";
    public static final String OSCI128 = "http://xoev.de/transport/osci12/8";
    public static final String DS = "http://www.w3.org/2000/09/xmldsig#";
    public static final String XENC = "http://www.w3.org/2001/04/xmlenc#";
    public static final String XENC11 = "http://www.w3.org/2009/xmlenc11#";
    public static final String XSI = "http://www.w3.org/2001/XMLSchema-instance";

    /** The five declarations that every OSCI partner writes; signed content keeps its digest only under the same five. */
    public static final String FIVE = " xmlns:ds=\"" + DS + "\" xmlns:osci=\"" + OSCI + "\" xmlns:soap=\"" + SOAP
            + "\" xmlns:xenc=\"" + XENC + "\" xmlns:xsi=\"" + XSI + "\"";

    private Xml() { }

    public static Document parse(byte[] bytes) {
        try {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
            factory.setNamespaceAware(true);
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            var builder = factory.newDocumentBuilder();
            builder.setErrorHandler(null);
            Document document = builder.parse(new ByteArrayInputStream(bytes));
            markIds(document.getDocumentElement());
            return document;
        } catch (Exception e) {
            throw new IllegalArgumentException("not well-formed: " + e.getMessage(), e);
        }
    }

    public static Document parse(String text) {
        return parse(text.getBytes(StandardCharsets.UTF_8));
    }

    private static void markIds(Element element) {
        if (element.hasAttribute("Id")) element.setIdAttribute("Id", true);
        for (Element child : children(element)) markIds(child);
    }

    public static List<Element> children(Node parent) {
        List<Element> found = new ArrayList<>();
        for (Node n = parent.getFirstChild(); n != null; n = n.getNextSibling()) {
            if (n instanceof Element e) found.add(e);
        }
        return found;
    }

    public static Optional<Element> child(Node parent, String namespace, String name) {
        return children(parent).stream().filter(e -> is(e, namespace, name)).findFirst();
    }

    public static boolean is(Element e, String namespace, String name) {
        return name.equals(e.getLocalName()) && Objects.equals(namespace, e.getNamespaceURI());
    }

    /** Every descendant of that name, in document order. */
    public static List<Element> all(Node from, String namespace, String name) {
        NodeList list = from instanceof Document d ? d.getElementsByTagNameNS(namespace, name)
                : ((Element) from).getElementsByTagNameNS(namespace, name);
        List<Element> found = new ArrayList<>();
        for (int i = 0; i < list.getLength(); i++) found.add((Element) list.item(i));
        return found;
    }

    public static Optional<Element> first(Node from, String namespace, String name) {
        return all(from, namespace, name).stream().findFirst();
    }

    public static Optional<String> text(Node from, String namespace, String name) {
        return first(from, namespace, name).map(Element::getTextContent);
    }

    public static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }

    public static byte[] base64(String text) {
        return Base64.getMimeDecoder().decode(text);
    }

    public static String base64(byte[] bytes) {
        return Base64.getMimeEncoder(76, new byte[] {'\n'}).encodeToString(bytes);
    }

    /** A MessageId travels as Base64 of its text. */
    public static String wireId(String messageId) {
        return Base64.getEncoder().encodeToString(messageId.getBytes(StandardCharsets.UTF_8));
    }
}
