package library;

import de.osci.osci12.common.Constants;
import de.osci.osci12.encryption.Crypto;
import de.osci.osci12.messageparts.*;
import de.osci.osci12.messagetypes.*;
import de.osci.osci12.roles.*;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.*;
import java.util.function.UnaryOperator;
import peer.Args;
import peer.keys.*;

/** What every case needs: the server, the keys, the policy choices, and the usual parties and deliveries as the library makes them. */
public final class Scene {
    public final String url;
    public final KeyRing keys;
    public final Args args;
    private final Map<String, String> policy;
    private boolean controlled;

    public Scene(Args args) {
        this.args = args;
        this.url = args.need("url");
        this.keys = new KeyRing(Path.of(args.need("keys")), args.get("pin", "123456"));
        this.policy = args.pairs("policy");
    }

    public String policy(String name, String otherwise) {
        return policy.getOrDefault(name, otherwise);
    }

    public boolean accepts(String name) {
        return policy(name, "refuse").equals("accept");
    }

    /** A correct order must be answered well; else a server that refuses everything would pass the negative cases. */
    public void control() {
        if (controlled) return;
        client().issuedId();
        controlled = true;
    }

    public Dialog client() {
        return dialog("originator_cipher", signer());
    }

    /** The party whose mailbox the intermediary holds; to the library whoever opens a dialogue is an originator. */
    public Dialog owner() {
        return dialog("addressee_cipher", new KeySigner(keys.get("addressee_signature")));
    }

    public Dialog dialog(String cipher, KeySigner signer) {
        return dialog(cipher, signer, "intermediary_cipher");
    }

    public Dialog dialog(String cipher, KeySigner signer, String server) {
        Originator me = new Originator(signer, new KeyDecrypter(keys.get(cipher)));
        return new Dialog(url, keys, me, keys.get(server).certificate(), args.number("patience", 60));
    }

    public Addressee mailbox() {
        return new Addressee(null, keys.get("addressee_cipher").certificate());
    }

    public Author author() {
        return new Author(new KeySigner(keys.get("author_signature")), null);
    }

    public Reader reader(String name) {
        return new Reader(keys.get(name + "_cipher").certificate());
    }

    /** Text of its own for each delivery, so that two are never taken for each other. */
    public static String text() {
        return "Invented application " + UUID.randomUUID();
    }

    public static byte[] random(int length) {
        byte[] octets = new byte[length];
        new SecureRandom().nextBytes(octets);
        return octets;
    }

    /** One container with inline content and an attachment, signed by an author. */
    public Letter letter(String text) throws Exception {
        ContentContainer container = new ContentContainer();
        container.setRefID("container0");
        Content inline = new Content(text);
        inline.setRefID("content0");
        container.addContent(inline);
        container.addContent(new Content(new Attachment(new ByteArrayInputStream(random(3000)), "plan.bin")));
        container.sign(author());
        return new Letter().add(container);
    }

    /** An attachment that is encrypted under a key of its own, which goes with the encrypted content. */
    public static Content secretAttachment(byte[] octets, String name) throws Exception {
        var key = Crypto.createSymKey(Constants.SYMMETRIC_CIPHER_ALGORITHM_AES256_GCM);
        return new Content(new Attachment(new ByteArrayInputStream(octets), name, key, Constants.SYMMETRIC_CIPHER_ALGORITHM_AES256_GCM));
    }

    /** The usual letter, and a second container that only reader1 can open. */
    public Letter letterWithSecret(String text, String secret) throws Exception {
        ContentContainer inner = new ContentContainer();
        inner.addContent(new Content(secret));
        EncryptedDataOSCI data = new EncryptedDataOSCI(inner);
        data.encrypt(reader("reader1"));
        return letter(text).add(data);
    }

    /** Stores a delivery in an implicit dialogue; the result is its MessageId. */
    public String stored(Letter letter) {
        Dialog d = client();
        String id = d.issuedId();
        d.handler.resetControlBlock();
        Reply reply = d.send(letter.store(mailbox(), id));
        if (!reply.ok()) throw new peer.cases.Context.Unreached("storeDelivery: " + reply.seen() + " " + reply.problems);
        return id;
    }

    /** A correct plain and signed storeDelivery, altered on its way. */
    public Reply spoilt(UnaryOperator<byte[]> change) throws Exception {
        return spoilt(client().plain(), change);
    }

    public Reply spoilt(Dialog d, UnaryOperator<byte[]> change) throws Exception {
        String id = d.issuedId();
        d.handler.resetControlBlock();
        d.line.change = change;
        return d.send(letter(text()).store(mailbox(), id));
    }

    /** The usual signer of the usual client. */
    public KeySigner signer() {
        return new KeySigner(keys.get("originator_signature"));
    }

    public static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
