package library;

import de.osci.osci12.messageparts.*;
import de.osci.osci12.messagetypes.*;
import de.osci.osci12.roles.*;
import java.util.*;

/** What is delivered, before it becomes one of the library's orders. */
public final class Letter {
    public final List<ContentContainer> containers = new ArrayList<>();
    public final List<EncryptedDataOSCI> encrypted = new ArrayList<>();
    public final List<String> headers = new ArrayList<>();
    public final List<Role> roles = new ArrayList<>();
    public String metaData;
    public boolean cryptographic;
    public String subject = "Invented application";

    public Letter add(ContentContainer container) {
        containers.add(container);
        return this;
    }

    public Letter add(EncryptedDataOSCI data) {
        encrypted.add(data);
        return this;
    }

    public Dialog.Order store(Addressee addressee, String id) {
        return handler -> {
            StoreDelivery order = new StoreDelivery(handler, addressee, id);
            order.setSubject(subject);
            order.setQualityOfTimeStampCreation(cryptographic);
            order.setQualityOfTimeStampReception(cryptographic);
            for (ContentContainer c : containers) order.addContentContainer(c);
            for (EncryptedDataOSCI e : encrypted) order.addEncryptedData(e);
            if (metaData != null) order.addMessageMetaDataXTA2V3(metaData);
            rest(order);
            return order.send();
        };
    }

    public Dialog.Order forward(Addressee addressee, String uri, String id) {
        return handler -> {
            ForwardDelivery order = new ForwardDelivery(handler, addressee, uri, id);
            order.setSubject(subject);
            order.setQualityOfTimeStampCreation(cryptographic);
            order.setQualityOfTimeStampReception(cryptographic);
            for (ContentContainer c : containers) order.addContentContainer(c);
            for (EncryptedDataOSCI e : encrypted) order.addEncryptedData(e);
            rest(order);
            return order.send();
        };
    }

    /** Without MessageId nothing is logged. */
    public Dialog.Order mediate(Addressee addressee, String uri, String id) {
        return handler -> {
            MediateDelivery order = new MediateDelivery(handler, addressee, uri);
            if (id != null) {
                order.setMessageId(id);
                order.setQualityOfTimeStampCreation(cryptographic);
                order.setQualityOfTimeStampReception(cryptographic);
            }
            order.setSubject(subject);
            for (ContentContainer c : containers) order.addContentContainer(c);
            for (EncryptedDataOSCI e : encrypted) order.addEncryptedData(e);
            rest(order);
            return order.send();
        };
    }

    private void rest(OSCIMessage order) {
        roles.forEach(order::addRole);
        headers.forEach(order::addCustomHeader);
    }
}
