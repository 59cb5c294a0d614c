package de.osci.osci12.messagetypes;

import de.osci.helper.Tools;
import de.osci.osci12.common.*;
import de.osci.osci12.messageparts.*;
import de.osci.osci12.roles.*;
import java.net.URI;
import java.util.List;

/**
 * Ours, not the library's: the orders of an intermediary to a passive recipient, which the library can write but does not offer.
 * It stands in the library's package because their constructors do.
 */
public final class Push {
    private final DialogHandler handler;
    private final String uri;
    private final Originator originator;

    /** `handler` has the intermediary as client and the recipient as supplier. */
    public Push(DialogHandler handler, String uri, Originator originator) {
        this.handler = handler;
        this.uri = uri;
        this.originator = originator;
    }

    public OSCIMessage accept(String id, String subject, List<ContentContainer> containers, List<EncryptedDataOSCI> encrypted, Role... others) throws Exception {
        AcceptDelivery order = new AcceptDelivery(handler);
        order.processCardBundle = card(id, subject);
        for (Role other : others) order.addRole(other);
        return send(order, containers, encrypted);
    }

    /** Without ids nothing is logged. */
    public OSCIMessage process(String id, String replyId, String subject, List<ContentContainer> containers, List<EncryptedDataOSCI> encrypted)
            throws Exception {
        ProcessDelivery order = new ProcessDelivery(handler);
        if (id != null) {
            order.processCardBundle = card(id, subject);
            order.messageId = replyId;
        }
        return send(order, containers, encrypted);
    }

    private OSCIMessage send(OSCIRequest order, List<ContentContainer> containers, List<EncryptedDataOSCI> encrypted) throws Exception {
        order.uriReceiver = URI.create(uri);
        order.originator = originator;
        for (ContentContainer container : containers) order.addContentContainer(container);
        for (EncryptedDataOSCI data : encrypted) order.addEncryptedData(data);
        order.importAllCertificates();
        var control = handler.getControlblock();
        control.setResponse(null);
        control.setChallenge(Tools.createRandom(10));
        control.setConversationID(null);
        control.setSequenceNumber(-1);
        return order.transmit(null, null);
    }

    private static ProcessCardBundle card(String id, String subject) {
        String now = OSCIMessage.formatISO8601(new java.util.Date());
        return MessagePartsFactory.createProcessCardBundle("ProcessCardBundle", id, now, new Timestamp(Timestamp.PROCESS_CARD_CREATION, null, now),
                new Timestamp(Timestamp.PROCESS_CARD_FORWARDING, null, now), null, subject, new Inspection[0]);
    }

    /** Reads an answer and checks its signature; `StoredMessage` itself takes a responseToAcceptDelivery for an order and fails. */
    public static StoredMessage answer(byte[] octets) throws Exception {
        StoredMessageParser parser = new StoredMessageParser();
        StoredMessage message = parser.parseStream(new java.io.ByteArrayInputStream(octets));
        if (message.getAddressee() != null && message.getAddressee().hasSignatureCertificate()) {
            message.dialogHandler.supplier = message.getAddressee();
        }
        if (message.isSigned() && !parser.checkMsgHashes(message)) throw new OSCIErrorException(OSCIExceptionCodes.OSCIErrorCodes.SignatureInvalid);
        return message;
    }
}
