package peer.wire;

import java.io.ByteArrayInputStream;
import java.security.cert.*;
import org.w3c.dom.Element;

/** X.509 certificates inside XML. */
public final class Certificates {
    private Certificates() { }

    public static X509Certificate in(Element element) throws CertificateException {
        String text = Xml.text(element, Xml.DS, "X509Certificate")
                .orElseThrow(() -> new CertificateException("no certificate in " + element.getLocalName()));
        return (X509Certificate) CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(Xml.base64(text)));
    }
}
