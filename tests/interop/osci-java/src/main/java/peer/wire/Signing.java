package peer.wire;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.*;
import javax.xml.crypto.*;
import javax.xml.crypto.dsig.*;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.keyinfo.KeyInfo;
import javax.xml.crypto.dsig.spec.*;
import org.w3c.dom.*;
import peer.keys.Identity;

/** XML signatures by the JDK (javax.xml.crypto), which knows nothing of OSCI. */
public final class Signing {
    static final XMLSignatureFactory FACTORY = XMLSignatureFactory.getInstance("DOM");
    public static final String C14N = CanonicalizationMethod.INCLUSIVE;
    public static final String SHA256 = DigestMethod.SHA256;
    public static final String RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    public static final String RSA_SHA512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512";
    public static final String RSA_SHA1 = SignatureMethod.RSA_SHA1;
    public static final String PSS_SHA256 = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1";
    public static final String PSS_SHA512 = "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1";
    public static final String ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
    public static final String ECDSA_SHA384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384";

    /** How a signature is made; the odd choices are there for the negative cases. */
    public record Style(String method, String digest, String canonical) {
        public static final Style USUAL = new Style(RSA_SHA256, SHA256, C14N);
    }

    /** What a reference points to: `#id` or `cid:name`, and the transform that stands in it (none for attachments). */
    public record Target(String uri, String transform) {
        public static Target element(String id) {
            return new Target("#" + id, C14N);
        }

        public static Target base64(String id) {
            return new Target("#" + id, Transform.BASE64);
        }

        public static Target attachment(String cid) {
            return new Target("cid:" + cid, null);
        }
    }

    private Signing() { }

    /** Puts a ds:Signature into `parent` before `before` (null: at the end). */
    public static void sign(Element parent, Node before, Identity signer, String certificateId, List<Target> targets,
            Style style, Map<String, Mime.Part> attachments) {
        try {
            List<Reference> references = new ArrayList<>();
            for (Target target : targets) {
                List<Transform> transforms = new ArrayList<>();
                if (target.transform() != null) {
                    String name = target.transform().equals(C14N) ? style.canonical() : target.transform();
                    transforms.add(FACTORY.newTransform(name, (TransformParameterSpec) null));
                }
                references.add(FACTORY.newReference(target.uri(),
                        FACTORY.newDigestMethod(style.digest(), null), transforms, null, null));
            }
            SignedInfo info = FACTORY.newSignedInfo(
                    FACTORY.newCanonicalizationMethod(style.canonical(), (C14NMethodParameterSpec) null),
                    FACTORY.newSignatureMethod(style.method(), null), references);
            var keys = FACTORY.getKeyInfoFactory();
            KeyInfo keyInfo = keys.newKeyInfo(List.of(keys.newRetrievalMethod("#" + certificateId)));
            DOMSignContext context = new DOMSignContext(signer.key(), parent);
            if (before != null) context.setNextSibling(before);
            context.setDefaultNamespacePrefix("ds");
            context.setProperty("org.jcp.xml.dsig.secureValidation", Boolean.FALSE);
            context.setURIDereferencer(dereferencer(attachments));
            FACTORY.newXMLSignature(info, keyInfo).sign(context);
        } catch (GeneralSecurityException | MarshalException | XMLSignatureException e) {
            throw new IllegalStateException("cannot sign as " + signer.name() + ": " + e, e);
        }
    }

    /** `cid:` leads to the attachment's octets; all else is the JDK's business. */
    static URIDereferencer dereferencer(Map<String, Mime.Part> attachments) {
        URIDereferencer usual = FACTORY.getURIDereferencer();
        return (reference, context) -> {
            String uri = reference.getURI();
            if (uri == null || !uri.startsWith("cid:")) return usual.dereference(reference, context);
            Mime.Part part = attachments.get(uri.substring(4));
            if (part == null) throw new URIReferenceException("no attachment " + uri);
            try {
                return new OctetStreamData(part.data().open());
            } catch (IOException e) {
                throw new URIReferenceException(e);
            }
        };
    }
}
