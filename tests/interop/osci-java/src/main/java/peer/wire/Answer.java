package peer.wire;

import java.util.*;
import java.util.stream.Collectors;
import org.w3c.dom.*;
import peer.keys.KeyRing;

/** A received message (or HTTP answer), taken apart. Never throws for what the other side sent: `trouble` tells. */
public final class Answer {
    public final int status;
    public final byte[] raw;
    public byte[] plain;
    public boolean encrypted;
    public Mime.Message mime;
    public Document document;
    public String type = "";
    public String trouble;
    /** The fault code with which a server would answer such a message. */
    public String refusal = "9100";
    public SignatureCheck signature = SignatureCheck.ABSENT;
    /** What is wrong with the answer although it can be read (filled by the dialog that sent the order). */
    public final List<String> problems = new ArrayList<>();

    private Answer(int status, byte[] raw) {
        this.status = status;
        this.raw = raw;
    }

    public static Answer none(String why) {
        Answer answer = new Answer(0, new byte[0]);
        answer.trouble = why;
        return answer;
    }

    public static Answer read(int status, byte[] raw, KeyRing keys) {
        Answer answer = new Answer(status, raw);
        try {
            answer.take(raw, keys);
        } catch (Refusal e) {
            answer.trouble = e.getMessage();
            answer.refusal = e.code();
        } catch (RuntimeException e) {
            answer.trouble = String.valueOf(e.getMessage());
        }
        return answer;
    }

    private void take(byte[] octets, KeyRing keys) {
        mime = Mime.read(octets);
        document = Xml.parse(mime.root());
        plain = octets;
        String location = document.getDocumentElement().getAttributeNS(Xml.XSI, "schemaLocation");
        var found = java.util.regex.Pattern.compile(" soap(\\w+)\\.xsd").matcher(location);
        type = found.find() ? found.group(1) : isFault() ? "Fault" : "";
        if (type.equals("MessageEncrypted") && !encrypted) {
            encrypted = true;
            take(Crypt.open(document, mime.parts(), keys), keys);
        } else {
            structure();
            signature = SignatureCheck.message(document, mime.parts());
        }
    }

    /** What no OSCI message may have, whoever sends it: two elements with one Id, a second Header or Body. */
    private void structure() {
        Set<String> ids = new HashSet<>();
        for (Element e : Xml.all(document, "*", "*")) {
            if (e.hasAttribute("Id") && !ids.add(e.getAttribute("Id"))) throw new Refusal("9100", "two elements with Id " + e.getAttribute("Id"));
        }
        List<String> names = Xml.children(document.getDocumentElement()).stream().map(Element::getLocalName).toList();
        if (!names.equals(List.of("Header", "Body")) && !names.equals(List.of("Body"))) throw new Refusal("9100", "the envelope holds " + names);
    }

    private boolean isFault() {
        return Xml.first(document, Xml.SOAP, "Fault").isPresent();
    }

    public boolean fault() {
        return type.equals("Fault");
    }

    public Optional<Element> control() {
        return document == null ? Optional.empty() : Xml.first(document, Xml.OSCI, "ControlBlock");
    }

    public String control(String name) {
        return control().map(c -> c.hasAttribute(name) ? c.getAttribute(name) : Xml.text(c, Xml.OSCI, name).orElse(null)).orElse(null);
    }

    /** Feedback codes in the order of the message, without those of an inner message. */
    public List<String> codes() {
        return codes(Xml.OSCI, "Feedback");
    }

    /** What the intermediary says about the delivery that came in chunks. */
    public List<String> insideCodes() {
        return fault() ? List.of() : codes(Xml.OSCI2017, "InsideFeedback");
    }

    private List<String> codes(String namespace, String name) {
        if (document == null) return List.of();
        if (fault()) return Xml.text(document, Xml.OSCI, "Code").map(c -> List.of(c.trim())).orElse(List.of("without code"));
        return Xml.first(document, namespace, name).map(f -> Xml.all(f, Xml.OSCI, "Code").stream()
                .map(e -> e.getTextContent().trim()).distinct().toList()).orElse(List.of());
    }

    /** `0801`, `0801+3800`, `fault 9400`, `http 405`, or why there is nothing. */
    public String seen() {
        if (trouble != null && status == 0) return "no answer: " + trouble;
        if (status != 200) return "http " + status;
        if (trouble != null) return "unreadable answer: " + trouble;
        String codes = codes().stream().sorted().collect(Collectors.joining("+"));
        String inside = insideCodes().isEmpty() ? "" : " inside " + String.join("+", insideCodes());
        return (fault() ? "fault " : "") + codes + inside;
    }

    /** Whether the answer is one of these: `fault 9100`, a feedback code that is among those given, `http 405`. */
    public boolean is(String... accepted) {
        for (String one : accepted) {
            if (one.startsWith("fault ") || one.startsWith("http ")) {
                if (seen().equals(one)) return true;
            } else if (status == 200 && !fault() && codes().contains(one)) {
                return true;
            }
        }
        return false;
    }

    public boolean ok() {
        return is("0800", "0801") && problems.isEmpty();
    }

    public Optional<String> text(String name) {
        return document == null ? Optional.empty() : Xml.text(document, Xml.OSCI, name);
    }

    /** The MessageId given (decoded from its Base64). */
    public Optional<String> messageId() {
        return text("MessageId").map(t -> new String(Xml.base64(t), java.nio.charset.StandardCharsets.UTF_8));
    }

    public List<SignatureCheck> contentSignatures() {
        return document == null ? List.of() : SignatureCheck.content(document, mime.parts());
    }

    /** The first inline content, decoded. */
    public Optional<byte[]> inline() {
        return text("Base64Content").map(Xml::base64);
    }

    public List<Element> cards() {
        return document == null ? List.of() : Xml.all(document, Xml.OSCI, "ProcessCardBundle");
    }
}
