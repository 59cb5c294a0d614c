package peer.wire;

import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.function.Predicate;
import org.w3c.dom.*;
import peer.keys.Identity;

/**
 * A plain OSCI message under construction. Its fields are open on purpose: a negative case alters exactly one of them
 * before (or, on the octets, after) the message is signed.
 */
public final class Message {
    private static final String NEXT =
            " soap:actor=\"http://schemas.xmlsoap.org/soap/actor/next\" soap:mustUnderstand=\"1\"";
    private static final String NONE =
            " soap:actor=\"http://www.w3.org/2001/12/soap-envelope/actor/none\" soap:mustUnderstand=\"1\"";
    private static final String[] CERTIFICATE_ORDER = {"CipherCertificateOriginator", "CipherCertificateOtherAuthor",
        "CipherCertificateAddressee", "CipherCertificateOtherReader", "SignatureCertificateOriginator",
        "SignatureCertificateOtherAuthor", "SignatureCertificateAddressee",
        "CipherCertificateIntermediary", "SignatureCertificateIntermediary"};

    /** One certificate of the header: element name of the role, Id, certificate. */
    public record Certificate(String element, String id, Identity identity) { }

    public String type;
    public String conversation;
    public String sequence;
    public String response;
    public String challenge;
    /** Header blocks between the signature and the certificates. */
    public final List<String> blocks = new ArrayList<>();
    public final List<Certificate> intermediary = new ArrayList<>();
    public final List<Certificate> certificates = new ArrayList<>();
    /** Header blocks after the certificates: FeatureDescription and foreign ones. */
    public final List<String> tail = new ArrayList<>();
    public String body = "";
    public final List<Mime.Part> parts = new ArrayList<>();
    public boolean supplier;
    public Identity signer;
    public String signerId;
    public Signing.Style style = Signing.Style.USUAL;
    /** References of the order signature that are left out. */
    public Predicate<String> unsigned = uri -> false;

    public Message(String type) {
        this.type = type;
    }

    /** Opening tag of an ordinary header block, with Id and actor. */
    public static String open(String name, String id, String attributes) {
        return "<" + name + " Id=\"" + id + "\"" + attributes + NEXT + ">";
    }

    public void block(String name, String attributes, String inner) {
        String id = name.substring(name.indexOf(':') + 1).toLowerCase(Locale.ROOT);
        blocks.add(open(name, id, attributes) + inner + "</" + name + ">");
    }

    public void timestamps(String quality) {
        for (String service : new String[] {"creation", "reception"}) timestamp(service, quality);
    }

    public void timestamp(String service, String quality) {
        blocks.add(open("osci:QualityOfTimestamp", "qualityoftimestamp_" + service,
                " Quality=\"" + quality + "\" Service=\"" + service + "\"") + "</osci:QualityOfTimestamp>");
    }

    public String certify(String element, String role, Identity identity) {
        String id = identity.id(role, element.startsWith("Cipher") ? "cipher" : "signature");
        boolean known = certificates.stream().anyMatch(c -> c.id().equals(id));
        if (!known) (element.endsWith("Intermediary") ? intermediary : certificates).add(new Certificate(element, id, identity));
        return id;
    }

    /** The features this peer has, as every client announces them. */
    public void features(String attributes) {
        String[][] known = {{"DisableBase64", "1.2.0"}, {"OAEPEncryption", "1.6.0"}, {"GCMPaddingModus", "1.7.0"},
            {"PartialMessageTransmission", "1.8.0"}, {"Support96Bit12ByteIV", "1.9.0"}};
        StringBuilder xml = new StringBuilder("<osci2017:FeatureDescription xmlns:osci2017=\"" + Xml.OSCI2017
                + "\" Id=\"featuredescription\"" + attributes + "><osci2017:SupportedFeatures>");
        for (String[] feature : known) {
            xml.append("<osci2017:Feature Key=\"").append(feature[0]).append("\" Version=\"").append(feature[1])
                    .append("\"></osci2017:Feature>");
        }
        tail.add(xml + "</osci2017:SupportedFeatures></osci2017:FeatureDescription>");
    }

    public static String schemaLocation(String type) {
        return "http://schemas.xmlsoap.org/soap/envelope/ soap" + type
                + ".xsd http://www.w3.org/2000/09/xmldsig# oscisig.xsd http://www.w3.org/2001/04/xmlenc# oscienc.xsd";
    }

    /** The envelope, signed if there is a signer. */
    public String xml() {
        StringBuilder xml = new StringBuilder("<soap:Envelope" + Xml.FIVE + " xsi:schemaLocation=\"" + schemaLocation(type)
                + "\"><soap:Header>").append(controlBlock());
        blocks.forEach(xml::append);
        xml.append(certificateBlock("osci:IntermediaryCertificates", intermediary));
        xml.append(certificateBlock("osci:NonIntermediaryCertificates", certificates));
        tail.forEach(xml::append);
        xml.append("</soap:Header><soap:Body Id=\"body\">").append(body).append("</soap:Body></soap:Envelope>");
        return signer == null ? xml.toString() : signed(xml.toString());
    }

    private String controlBlock() {
        String attributes = (conversation == null ? "" : " ConversationId=\"" + conversation + "\"")
                + (sequence == null ? "" : " SequenceNumber=\"" + sequence + "\"");
        return open("osci:ControlBlock", "controlblock", attributes)
                + (response == null ? "" : "<osci:Response>" + Xml.escape(response) + "</osci:Response>")
                + (challenge == null ? "" : "<osci:Challenge>" + Xml.escape(challenge) + "</osci:Challenge>")
                + "</osci:ControlBlock>";
    }

    private static String certificateBlock(String name, List<Certificate> list) {
        if (list.isEmpty()) return "";
        StringBuilder xml = new StringBuilder("<" + name + " Id=\"" + name.substring(5).toLowerCase(Locale.ROOT) + "\"" + NONE + ">");
        for (String element : CERTIFICATE_ORDER) {
            for (Certificate c : list) {
                if (!c.element().equals(element)) continue;
                xml.append("<osci:").append(element).append(" Id=\"").append(c.id())
                        .append("\"><ds:X509Data><ds:X509Certificate>").append(Identity.base64(c.identity().certificate()))
                        .append("</ds:X509Certificate></ds:X509Data></osci:").append(element).append(">");
            }
        }
        return xml + "</" + name + ">";
    }

    private String signed(String plain) {
        Document document = Xml.parse(plain);
        Element header = Xml.child(document.getDocumentElement(), Xml.SOAP, "Header").orElseThrow();
        List<Element> headers = Xml.children(header);
        String name = supplier ? "SupplierSignature" : "ClientSignature";
        Element holder = document.createElementNS(Xml.OSCI, "osci:" + name);
        holder.setAttribute("Id", name.toLowerCase(Locale.ROOT));
        holder.setAttributeNS(Xml.SOAP, "soap:actor", "http://schemas.xmlsoap.org/soap/actor/next");
        holder.setAttributeNS(Xml.SOAP, "soap:mustUnderstand", "1");
        List<Signing.Target> targets = new ArrayList<>();
        for (Element e : headers) targets.add(Signing.Target.element(e.getAttribute("Id")));
        targets.add(Signing.Target.element("body"));
        Map<String, Mime.Part> attachments = new LinkedHashMap<>();
        for (Mime.Part part : parts) {
            attachments.put(part.cid(), part);
            targets.add(Signing.Target.attachment(part.cid()));
        }
        targets.removeIf(t -> unsigned.test(t.uri()));
        header.insertBefore(holder, headers.size() > 1 ? headers.get(1) : null);
        Signing.sign(holder, null, signer, signerId, targets, style, attachments);
        return Canonical.of(document.getDocumentElement());
    }

    /** Envelope text to the octets of the root part. */
    public static byte[] root(String xml) {
        return ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\r\n" + xml).getBytes(StandardCharsets.UTF_8);
    }

    /** The complete plain message. */
    public byte[] mime() {
        return Mime.write(root(xml()), parts);
    }
}
