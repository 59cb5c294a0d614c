package peer.wire;

import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.SecureRandom;
import java.util.*;

/** The MIME package of an OSCI message: a root part and attachments; the HTTP body begins with its headers. */
public final class Mime {
    /** Octets that can be read again and again, from memory or from a file. */
    public interface Data {
        InputStream open() throws IOException;

        long size() throws IOException;

        static Data of(byte[] bytes) {
            return new Data() {
                @Override public InputStream open() {
                    return new ByteArrayInputStream(bytes);
                }

                @Override public long size() {
                    return bytes.length;
                }
            };
        }

        static Data of(Path file) {
            return new Data() {
                @Override public InputStream open() throws IOException {
                    return new BufferedInputStream(Files.newInputStream(file));
                }

                @Override public long size() throws IOException {
                    return Files.size(file);
                }
            };
        }

        default byte[] bytes() {
            try (InputStream in = open()) {
                return in.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** One attachment: its Content-ID without angle brackets, media type, transfer encoding, octets after decoding. */
    public record Part(String cid, String type, String encoding, Data data) {
        /** Whether it travels as Base64; the old encrypted form says so by its type, with the transfer encoding 7bit. */
        boolean coded() {
            return encoding.equals("base64") || type.equals("text/base64");
        }

        public static Part octets(String cid, byte[] bytes) {
            return new Part(cid, "application/octet-stream", "8-bit", Data.of(bytes));
        }
    }

    private static final SecureRandom RANDOM = new SecureRandom();

    private Mime() { }

    public static String boundary() {
        byte[] random = new byte[24];
        RANDOM.nextBytes(random);
        return "MIME_boundary_" + Base64.getEncoder().encodeToString(random);
    }

    public static byte[] write(byte[] xml, List<Part> parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            write(out, xml, parts);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    public static void write(OutputStream out, byte[] xml, List<Part> parts) throws IOException {
        String boundary = boundary();
        line(out, "MIME-Version: 1.0", "Content-Type: Multipart/Related; boundary=" + boundary + "; type=text/xml", "",
                "--" + boundary, "Content-Type: text/xml; charset=UTF-8", "Content-Transfer-Encoding: 8bit",
                "Content-ID: <osci@message>", "");
        out.write(xml);
        for (Part part : parts) {
            boolean base64 = part.coded();
            byte[] coded = base64 ? Base64.getMimeEncoder().encode(part.data().bytes()) : null;
            line(out, "", "--" + boundary, "Content-Type: " + part.type(), "Content-Transfer-Encoding: " + part.encoding(),
                    "Content-ID: <" + part.cid() + ">",
                    "Content-Length: " + (base64 ? coded.length : part.data().size()), "");
            if (base64) {
                out.write(coded);
            } else {
                try (InputStream in = part.data().open()) {
                    in.transferTo(out);
                }
            }
        }
        line(out, "", "--" + boundary + "--");
    }

    private static void line(OutputStream out, String... lines) throws IOException {
        for (String line : lines) out.write((line + "\r\n").getBytes(StandardCharsets.UTF_8));
    }

    /** A received message: the root part's octets and the attachments by Content-ID. */
    public record Message(byte[] root, Map<String, Part> parts) { }

    public static Message read(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        int start = 0;
        while (text.startsWith("\r\n", start)) start += 2;
        int end = text.indexOf("\r\n\r\n", start);
        if (end < 0) throw new IllegalArgumentException("no MIME header");
        String type = headers(text.substring(start, end)).getOrDefault("content-type", "");
        var found = java.util.regex.Pattern.compile("boundary=\"?([^\";\\s]+)").matcher(type);
        if (!found.find()) throw new IllegalArgumentException("no MIME boundary");
        String mark = "--" + found.group(1);
        int at = text.indexOf(mark, end);
        byte[] root = null;
        Map<String, Part> parts = new LinkedHashMap<>();
        while (at >= 0 && !text.startsWith("--", at + mark.length())) {
            int head = text.indexOf("\r\n", at) + 2;
            int body = text.indexOf("\r\n\r\n", head) + 4;
            int next = text.indexOf("\r\n" + mark, body);
            if (body < 4 || next < 0) throw new IllegalArgumentException("the MIME package is not closed");
            Map<String, String> headers = headers(text.substring(head, body - 4));
            byte[] data = Arrays.copyOfRange(bytes, body, next);
            String encoding = headers.getOrDefault("content-transfer-encoding", "8bit").toLowerCase(Locale.ROOT);
            String cid = headers.getOrDefault("content-id", "").replaceAll("^<|>$", "");
            Part part = new Part(cid, headers.getOrDefault("content-type", ""), encoding, Data.of(data));
            if (part.coded()) part = new Part(cid, part.type(), encoding, Data.of(Base64.getMimeDecoder().decode(data)));
            if (root == null) {
                root = data;
            } else if (parts.put(cid, part) != null) {
                throw new IllegalArgumentException("two parts with Content-ID " + cid);
            }
            at = next + 2;
        }
        if (root == null) throw new IllegalArgumentException("no root part");
        return new Message(root, parts);
    }

    private static Map<String, String> headers(String block) {
        Map<String, String> headers = new HashMap<>();
        for (String line : block.replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n")) {
            int colon = line.indexOf(':');
            if (colon > 0) headers.put(line.substring(0, colon).trim().toLowerCase(Locale.ROOT), line.substring(colon + 1).trim());
        }
        return headers;
    }
}
