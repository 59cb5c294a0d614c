package peer.wire;

import java.io.*;
import java.net.*;
import java.net.http.*;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import peer.keys.KeyRing;

/** HTTP as OSCI uses it: POST, the MIME headers are part of the body. Keeps what was sent and received last. */
public final class Http {
    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5)).build();
    private final URI url;
    private final KeyRing keys;
    private final Duration patience;

    public Http(String url, KeyRing keys, int seconds) {
        this.url = URI.create(url);
        this.keys = keys;
        this.patience = Duration.ofSeconds(seconds);
    }

    public Answer post(byte[] body) {
        return send(request().POST(BodyPublishers.ofByteArray(body)).build());
    }

    public Answer post(java.nio.file.Path body) throws FileNotFoundException {
        return send(request().POST(BodyPublishers.ofFile(body)).build());
    }

    public Answer get() {
        return send(request().GET().build());
    }

    private HttpRequest.Builder request() {
        return HttpRequest.newBuilder(url).timeout(patience).header("Content-Type", "text/xml").header("charset", "utf-8");
    }

    private Answer send(HttpRequest request) {
        try {
            HttpResponse<byte[]> response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
            return Answer.read(response.statusCode(), response.body(), keys);
        } catch (IOException e) {
            return Answer.none(e.getClass().getSimpleName() + (e.getMessage() == null ? "" : " " + e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Answer.none("interrupted");
        }
    }

    /** Announces the whole length, sends only a part, closes the sending side and reads what comes. */
    public Answer truncated(byte[] body, int sent) {
        int port = url.getPort() < 0 ? 80 : url.getPort();
        try (Socket socket = new Socket(url.getHost(), port)) {
            socket.setSoTimeout((int) patience.toMillis());
            OutputStream out = socket.getOutputStream();
            String path = url.getRawPath().isEmpty() ? "/" : url.getRawPath();
            out.write(("POST " + path + " HTTP/1.1\r\nHost: " + url.getHost() + "\r\nContent-Type: text/xml\r\nConnection: close\r\nContent-Length: "
                    + body.length + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            out.write(body, 0, sent);
            out.flush();
            socket.shutdownOutput();
            byte[] all = socket.getInputStream().readAllBytes();
            String text = new String(all, StandardCharsets.ISO_8859_1);
            if (!text.startsWith("HTTP/1.")) return Answer.none("the connection was closed");
            int status = Integer.parseInt(text.substring(9, 12));
            int start = text.indexOf("\r\n\r\n") + 4;
            return Answer.read(status, java.util.Arrays.copyOfRange(all, start, all.length), keys);
        } catch (IOException e) {
            return Answer.none(e.getClass().getSimpleName() + " " + e.getMessage());
        }
    }
}
