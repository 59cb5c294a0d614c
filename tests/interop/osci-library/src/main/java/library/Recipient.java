package library;

import com.sun.net.httpserver.*;
import de.osci.osci12.common.*;
import de.osci.osci12.messageparts.*;
import de.osci.osci12.messagetypes.*;
import de.osci.osci12.roles.*;
import java.io.*;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.*;
import peer.keys.*;

/**
 * The library as passive recipient. The last word of the path says how it behaves:
 * accept, refuse, unsigned, plain, broken, garbage, empty (no reply content), hanging.
 */
public final class Recipient implements AutoCloseable {
    /** What came: the library's message, or why it refused it, and what it found of the content. */
    public record Taken(OSCIRequest order, String refusal, byte[] octets) { }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final List<Taken> taken = new CopyOnWriteArrayList<>();
    private final BlockingQueue<Taken> arrived = new LinkedBlockingQueue<>();

    /** The library knows one set of recipients a process; each of ours is the addressee. */
    public Recipient(KeyRing keys) throws IOException {
        this(keys, 0);
    }

    public Recipient(KeyRing keys, int port) throws IOException {
        DialogHandler.setDefaultSupplier(new Addressee(new KeySigner(keys.get("addressee_signature")), new KeyDecrypter(keys.get("addressee_cipher"))));
        server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.setExecutor(threads);
        server.createContext("/", exchange -> {
            String path = exchange.getRequestURI().getPath();
            answer(exchange, path.substring(path.lastIndexOf('/') + 1));
        });
        server.start();
    }

    public String url(String behaviour) {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/" + behaviour;
    }

    public List<Taken> taken() {
        return taken;
    }

    /** Waits for the next order that was answered; null when none comes. */
    public Taken await(int seconds) throws InterruptedException {
        return arrived.poll(seconds, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        closing.countDown();
        server.stop(0);
        threads.shutdownNow();
    }

    private void answer(HttpExchange exchange, String behaviour) throws IOException {
        try (exchange) {
            int before = taken.size();
            byte[] reply = reply(exchange.getRequestBody().readAllBytes(), behaviour);
            exchange.getResponseHeaders().set("Content-Type", "text/xml");
            exchange.sendResponseHeaders(200, reply.length);
            exchange.getResponseBody().write(reply);
            arrived.add(taken.get(before));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            taken.add(new Taken(null, e.toString(), new byte[0]));
            throw new IOException(e);
        }
    }

    private byte[] reply(byte[] octets, String behaviour) throws Exception {
        OSCIRequest order;
        String code = behaviour.equals("refuse") ? "9805" : "0800";
        try {
            order = new PassiveRecipientParser().parseStream(new ByteArrayInputStream(octets));
            taken.add(new Taken(order, null, octets));
        } catch (SoapClientException | SoapServerException e) {
            taken.add(new Taken(null, "fault " + e.getErrorCode(), octets));
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            new SOAPFault(e.getErrorCode()).writeToStream(out);
            return out.toByteArray();
        } catch (OSCIErrorException e) {
            order = (OSCIRequest) e.getOSCIMessage();
            code = e.getErrorCode();
            taken.add(new Taken(order, code, octets));
        }
        if (behaviour.equals("hanging")) closing.await(10, TimeUnit.MINUTES);
        if (behaviour.equals("garbage")) return "this is no OSCI message".getBytes(StandardCharsets.US_ASCII);
        if (behaviour.equals("plain")) order.getDialogHandler().setEncryption(false);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        if (order instanceof ProcessDelivery process) {
            ResponseToProcessDelivery response = new ResponseToProcessDelivery(process);
            if (process.getMessageId() != null) response.setMessageId(process.getMessageIdResponse());
            if (!behaviour.equals("empty") && code.equals("0800")) {
                ContentContainer container = new ContentContainer();
                container.addContent(new Content(echo(process)));
                response.addContentContainer(container);
                response.setSubject("Invented reply");
            }
            response.setFeedback(new String[] {code});
            if (order.isSigned() && !behaviour.equals("unsigned")) response.sign();
            response.writeToStream(out, null);
        } else {
            ResponseToAcceptDelivery response = new ResponseToAcceptDelivery((AcceptDelivery) order);
            response.setFeedback(new String[] {code});
            if (order.isSigned() && !behaviour.equals("unsigned")) response.sign();
            response.writeToStream(out, null);
        }
        return behaviour.equals("broken") ? broken(out.toByteArray()) : out.toByteArray();
    }

    /** Alters a signed text after signing; possible in a plain answer only. */
    private static byte[] broken(byte[] octets) {
        String text = new String(octets, StandardCharsets.ISO_8859_1);
        String altered = text.replaceFirst("<osci:Text>", "<osci:Text>altered ");
        if (altered.equals(text)) throw new IllegalStateException("nothing to alter: the answer is encrypted");
        return altered.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** What a reply repeats of the order, so that the sender can tell replies apart. */
    static String echo(ContentPackageI order) throws IOException {
        ContentContainer container = order.getContentContainerByRefID("container0");
        return container == null ? "<antwort/>" : "echo: " + container.getContents()[0].getContentData();
    }
}
