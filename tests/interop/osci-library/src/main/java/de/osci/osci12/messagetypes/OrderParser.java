package de.osci.osci12.messagetypes;

import de.osci.osci12.common.DialogHandler;
import de.osci.osci12.roles.Role;
import java.io.ByteArrayInputStream;
import org.xml.sax.XMLReader;

/**
 * Ours, not the library's: reads an encrypted order as an intermediary would, with the library's own parts. Its public parsers take an
 * encrypted message or an order, never both. It stands in the library's package because those parts do.
 */
public final class OrderParser extends IncomingMSGParser {
    private boolean inside;

    @Override
    OSCIEnvelopeBuilder getParser(XMLReader reader, DialogHandler handler) {
        OSCIEnvelopeBuilder builder = inside ? new StoredEnvelopeBuilder(reader) : new OSCIEnvelopeBuilder(reader, handler);
        inside = true;
        return builder;
    }

    /** Decrypts, parses, and verifies digests and signature of one order for `supplier`. */
    public static OSCIMessage read(byte[] octets, Role supplier) throws Exception {
        OrderParser parser = new OrderParser();
        defaultSupplier = new Role[] {supplier};
        OSCIMessage message = parser.parseStream(new ByteArrayInputStream(octets), null, true, null);
        message.dialogHandler.supplier.setSignatureCertificate(message.getOriginator().getSignatureCertificate());
        if (!message.isSigned() || !parser.checkMsgHashes(message)) throw new IllegalStateException("the order's signature is not valid");
        return message;
    }
}
