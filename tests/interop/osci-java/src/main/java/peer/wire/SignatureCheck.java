package peer.wire;

import java.security.cert.*;
import java.util.*;
import javax.xml.crypto.dsig.*;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import org.w3c.dom.*;

/** Checks XML signatures by the JDK and says which reference fails. */
public record SignatureCheck(String verdict, String detail, X509Certificate signer) {
    public static final SignatureCheck ABSENT = new SignatureCheck("absent", "", null);

    public boolean valid() {
        return verdict.equals("valid");
    }

    /** The order signature of a whole message: digests, value, and that every part is covered. */
    public static SignatureCheck message(Document document, Map<String, Mime.Part> parts) {
        Optional<Element> header = Xml.child(document.getDocumentElement(), Xml.SOAP, "Header");
        Optional<Element> block = header.flatMap(h -> Xml.children(h).stream()
                .filter(e -> Xml.is(e, Xml.OSCI, "ClientSignature") || Xml.is(e, Xml.OSCI, "SupplierSignature")).findFirst());
        Optional<Element> signature = block.flatMap(b -> Xml.child(b, Xml.DS, "Signature"));
        if (signature.isEmpty()) return ABSENT;
        SignatureCheck check = check(signature.get(), parts);
        if (!check.valid()) return check;
        Set<String> signed = new HashSet<>();
        for (Element reference : Xml.all(signature.get(), Xml.DS, "Reference")) signed.add(reference.getAttribute("URI"));
        List<String> missing = new ArrayList<>();
        List<Element> needed = new ArrayList<>(Xml.children(header.get()));
        needed.remove(block.get());
        needed.addAll(Xml.children(document.getDocumentElement()).stream().filter(e -> Xml.is(e, Xml.SOAP, "Body")).toList());
        for (Element e : needed) {
            if (!signed.contains("#" + e.getAttribute("Id"))) missing.add(e.getLocalName());
        }
        parts.keySet().stream().filter(cid -> !signed.contains("cid:" + cid)).forEach(missing::add);
        return missing.isEmpty() ? check : new SignatureCheck("incomplete", "not signed: " + missing, check.signer);
    }

    /** The feedback code this order signature deserves, or null when it is in order. */
    public String code() {
        return switch (verdict) {
            case "valid" -> null;
            case "absent" -> "9600";
            case "incomplete" -> "9602";
            default -> "9601";
        };
    }

    /** All author signatures of the content, in document order. */
    public static List<SignatureCheck> content(Node from, Map<String, Mime.Part> parts) {
        List<SignatureCheck> found = new ArrayList<>();
        for (Element container : Xml.all(from, Xml.OSCI, "ContentContainer")) {
            for (Element child : Xml.children(container)) {
                if (Xml.is(child, Xml.DS, "Signature")) found.add(check(child, parts));
            }
        }
        return found;
    }

    static SignatureCheck check(Element signature, Map<String, Mime.Part> parts) {
        X509Certificate signer = null;
        try {
            signer = signer(signature);
            DOMValidateContext context = new DOMValidateContext(signer.getPublicKey(), signature);
            context.setProperty("org.jcp.xml.dsig.secureValidation", Boolean.FALSE);
            context.setURIDereferencer(Signing.dereferencer(parts));
            XMLSignature xml = Signing.FACTORY.unmarshalXMLSignature(context);
            List<String> broken = new ArrayList<>();
            for (Object o : xml.getSignedInfo().getReferences()) {
                Reference reference = (Reference) o;
                if (!holds(reference, context)) broken.add(reference.getURI());
            }
            if (!broken.isEmpty()) return new SignatureCheck("invalid", "digest of " + broken, signer);
            boolean value = xml.getSignatureValue().validate(context);
            return new SignatureCheck(value ? "valid" : "invalid", value ? "" : "signature value", signer);
        } catch (Exception e) {
            return new SignatureCheck("invalid", String.valueOf(e.getMessage()), signer);
        }
    }

    private static boolean holds(Reference reference, DOMValidateContext context) {
        try {
            return reference.validate(context);
        } catch (XMLSignatureException e) {
            return false;
        }
    }

    /** The certificate that the KeyInfo names by RetrievalMethod. */
    private static X509Certificate signer(Element signature) throws CertificateException {
        String uri = Xml.first(signature, Xml.DS, "RetrievalMethod").map(e -> e.getAttribute("URI")).orElse("");
        Element named = uri.startsWith("#") ? signature.getOwnerDocument().getElementById(uri.substring(1)) : null;
        if (named == null) throw new CertificateException("KeyInfo names no certificate of this message: " + uri);
        return Certificates.in(named);
    }
}
