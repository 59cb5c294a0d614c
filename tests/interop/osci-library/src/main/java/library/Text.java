package library;

import java.nio.charset.StandardCharsets;
import java.security.*;
import java.util.*;
import java.util.function.UnaryOperator;
import java.util.regex.*;
import peer.cases.Context;

/** Alterations of the library's messages, which are texts but for the attachments: octet for octet as ISO 8859-1. */
public final class Text {
    private static final String NAMESPACES = " xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" xmlns:osci=\"http://www.osci.de/2002/04/osci\" "
            + "xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" "
            + "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";

    private Text() { }

    /** An alteration that must find something to alter. */
    public static UnaryOperator<byte[]> change(UnaryOperator<String> change) {
        return octets -> {
            String before = new String(octets, StandardCharsets.ISO_8859_1);
            String after = change.apply(before);
            if (after.equals(before)) throw new Context.Unreached("the alteration found nothing to alter");
            return after.getBytes(StandardCharsets.ISO_8859_1);
        };
    }

    /** An alteration of the element with this Id, after which the order is signed anew as if it had always been so. */
    public static UnaryOperator<byte[]> resigned(KeySigner signer, String id, UnaryOperator<String> change) {
        return change(text -> {
            String changed = change.apply(text);
            return sign(changed.equals(text) ? text : digest(changed, id), signer);
        });
    }

    /** Writes the digest of an element into the first reference to it. The library writes canonical XML but for repeated declarations. */
    private static String digest(String text, String id) {
        Matcher element = Pattern.compile("<([\\w:]+)[^<>]* Id=\"" + id + "\"[^<>]*>.*?</\\1>", Pattern.DOTALL).matcher(text);
        Matcher reference = Pattern.compile("(<ds:Reference URI=\"#" + id + "\">.*?<ds:DigestValue>)[^<]*", Pattern.DOTALL).matcher(text);
        if (!element.find() || !reference.find()) throw new Context.Unreached("no element or no reference " + id);
        int inside = element.group().indexOf('>');
        String canonical = element.group().substring(0, inside) + element.group().substring(inside).replace(NAMESPACES, "");
        String value = Base64.getEncoder().encodeToString(sha256(canonical));
        return reference.replaceFirst("$1" + Matcher.quoteReplacement(value));
    }

    private static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.ISO_8859_1));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Signs the order's SignedInfo as it stands; exclusive canonicalisation keeps only the one namespace it uses. */
    private static String sign(String text, KeySigner signer) {
        Matcher info = Pattern.compile("<ds:SignedInfo>.*?</ds:SignedInfo>", Pattern.DOTALL).matcher(text);
        if (!info.find()) throw new Context.Unreached("no SignedInfo");
        boolean exclusive = info.group().contains("CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"");
        String canonical = info.group().replaceFirst("<ds:SignedInfo>",
                "<ds:SignedInfo" + (exclusive ? " xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"" : NAMESPACES) + ">");
        try {
            byte[] value = signer.sign(canonical.getBytes(StandardCharsets.ISO_8859_1), signer.getAlgorithm());
            return text.replaceFirst("<ds:SignatureValue>[^<]*", "<ds:SignatureValue>" + Base64.getEncoder().encodeToString(value));
        } catch (SignatureException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Puts another octet in place of the one so far behind the beginning of a MIME part. */
    public static UnaryOperator<byte[]> flipped(String contentId, int offset) {
        return octets -> {
            String text = new String(octets, StandardCharsets.ISO_8859_1);
            int head = text.indexOf("Content-ID: <" + contentId + ">");
            if (head < 0) throw new Context.Unreached("no part " + contentId);
            byte[] altered = octets.clone();
            altered[text.indexOf("\r\n\r\n", head) + 4 + offset] ^= 1;
            return altered;
        };
    }

    /** Leaves out a MIME part. */
    public static UnaryOperator<byte[]> without(String contentId) {
        return change(text -> {
            int head = text.indexOf("Content-ID: <" + contentId + ">");
            int start = text.lastIndexOf("\r\n--", head);
            return text.substring(0, start) + text.substring(text.indexOf("\r\n--", head));
        });
    }
}
