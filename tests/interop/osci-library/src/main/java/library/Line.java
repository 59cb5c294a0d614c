package library;

import de.osci.osci12.extinterfaces.TransportI;
import java.io.*;
import java.net.URI;
import java.net.http.*;
import java.nio.file.*;
import java.time.Duration;
import java.util.function.UnaryOperator;

/** The library's way to a server: keeps the octets of the last exchange, and changes them if told to. */
public final class Line implements TransportI {
    private static final HttpClient CLIENT = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** What becomes of the order's octets before they are sent; stays in force for all further orders. */
    public UnaryOperator<byte[]> change = UnaryOperator.identity();
    /** What becomes of the answer's octets before the library reads them. */
    public UnaryOperator<byte[]> changeAnswer = UnaryOperator.identity();
    /** Where a large order is kept instead of in memory; such an order is not changed and not kept. */
    public Path file;
    /** Keeps orders without sending them. */
    public boolean mute;
    public byte[] sent = new byte[0];
    public byte[] received = new byte[0];
    public int status;
    private URI uri;
    private final Duration patience;

    public Line(int seconds) {
        patience = Duration.ofSeconds(seconds);
    }

    /** One dialogue sends one order at a time, so one object serves them all. */
    @Override
    public TransportI newInstance() {
        status = 0;
        return this;
    }

    @Override
    public OutputStream getConnection(URI to, long length) throws IOException {
        uri = to;
        if (file != null) return new BufferedOutputStream(Files.newOutputStream(file));
        return new ByteArrayOutputStream() {
            @Override
            public void close() {
                sent = toByteArray();
            }
        };
    }

    @Override
    public InputStream getResponseStream() throws IOException {
        if (mute) throw new IOException("not sent");
        if (file == null) sent = change.apply(sent);
        received = post(file == null ? HttpRequest.BodyPublishers.ofByteArray(sent) : HttpRequest.BodyPublishers.ofFile(file));
        return new ByteArrayInputStream(changeAnswer.apply(received));
    }

    /** Octets past the library, to where it sent the last order. */
    public byte[] post(byte[] octets) throws IOException {
        return post(HttpRequest.BodyPublishers.ofByteArray(octets));
    }

    private byte[] post(HttpRequest.BodyPublisher body) throws IOException {
        HttpRequest request = HttpRequest.newBuilder(uri).timeout(patience).header("Content-Type", "text/xml").header("charset", "utf-8")
                .POST(body).build();
        try {
            HttpResponse<byte[]> response = CLIENT.send(request, HttpResponse.BodyHandlers.ofByteArray());
            status = response.statusCode();
            return response.body();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    @Override
    public boolean isOnline(URI to) {
        return true;
    }

    @Override
    public long getContentLength() {
        return received.length;
    }

    @Override
    public String getVendor() {
        return "drehscheibe";
    }

    @Override
    public String getVersion() {
        return "1";
    }
}
