package peer.cases;

import java.util.*;
import java.util.regex.*;
import peer.client.*;
import peer.keys.*;
import peer.wire.*;

/** N1–N9, N34, N35, N37, N44: what signatures must and need not catch. */
public final class SignatureCases {
    private final Context context;

    public SignatureCases(Context context) {
        this.context = context;
    }

    @Case(id = "N1", title = "body altered after signing", expected = "9601")
    public Outcome body() {
        return Outcome.of(context.ready().sendAltered(xml -> xml.replaceFirst("Id=\"content0\">.", "Id=\"content0\">Q")), "9601");
    }

    @Case(id = "N2", title = "attachment altered", expected = "9601")
    public Outcome attachment() {
        Context.Ready ready = context.ready();
        byte[] root = Message.root(ready.order().xml());
        byte[] other = ready.order().parts.get(0).data().bytes();
        other[7] ^= 1;
        return Outcome.of(ready.dialog().deliver(Mime.write(root, List.of(Mime.Part.octets("plan.bin", other))), ready.order()), "9601");
    }

    @Case(id = "N3", title = "attachment removed", expected = "fault 9100 or 9601")
    public Outcome attachmentGone() {
        Context.Ready ready = context.ready();
        byte[] plain = Mime.write(Message.root(ready.order().xml()), List.of());
        return Outcome.of(ready.dialog().deliver(plain, ready.order()), "fault 9100", "9601");
    }

    @Case(id = "N4", title = "one reference left out (signed anew); removed from a signature", expected = "9602; 9601")
    public Outcome reference() {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        for (String uri : List.of("#body", "#desiredlanguages", "#controlblock", "cid:plan.bin")) {
            Context.Ready ready = context.ready();
            ready.order().unsigned = uri::equals;
            steps.put(uri, Outcome.of(ready.send(), "9602"));
        }
        Answer removed = context.ready().sendAltered(xml -> xml.replaceFirst("<ds:Reference URI=\"#body\">.*?</ds:Reference>", ""));
        steps.put("removed", Outcome.of(removed, "9601", "9602"));
        return Outcome.all(steps);
    }

    @Case(id = "N5", title = "signed by another key than the announced certificate", expected = "9601")
    public Outcome otherKey() {
        Context.Ready ready = context.ready();
        ready.order().signer = context.keys.get("author_signature");
        return Outcome.of(ready.send(), "9601");
    }

    @Case(id = "N6", title = "unsigned order", expected = "9600 (0800 with --policy unsigned=accept)")
    public Outcome unsigned() {
        Context.Ready ready = context.ready();
        ready.order().signer = null;
        ready.dialog().sign = false;
        return Outcome.of(ready.send(), context.accepts("unsigned") ? "0800" : "9600");
    }

    @Case(id = "N7", title = "foreign header added after signing", expected = "9601 or 9602")
    public Outcome foreignHeader() {
        return Outcome.of(context.ready().sendAltered(xml -> xml.replace("</soap:Header>",
                "<x:Late xmlns:x=\"urn:invented\" Id=\"late\"></x:Late></soap:Header>")), "9601", "9602");
    }

    @Case(id = "N8", title = "two elements with one Id (wrapping)", expected = "fault 9100")
    public Outcome wrapping() {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("old body in a header", Outcome.of(context.ready().sendAltered(xml -> {
            String body = body(xml);
            String evil = body.replaceFirst("Id=\"content0\">.", "Id=\"content0\">Q");
            return xml.replace(body, evil).replace("</soap:Header>", "<x:Keep xmlns:x=\"urn:invented\" Id=\"keep\">" + body + "</x:Keep></soap:Header>");
        }), "fault 9100"));
        steps.put("second content of that Id", Outcome.of(context.ready().sendAltered(xml -> xml.replace("</osci:ContentContainer>",
                "<osci:Content><osci:Base64Content Id=\"content0\">UXVlcg==</osci:Base64Content></osci:Content></osci:ContentContainer>")), "fault 9100"));
        Context.Ready ready = context.ready();
        ready.order().tail.add("<x:Twin xmlns:x=\"urn:invented\" Id=\"body\"></x:Twin>");
        ready.order().unsigned = "#body"::equals;
        steps.put("header with the body's Id", Outcome.of(ready.send(), "fault 9100"));
        return Outcome.all(steps);
    }

    private static String body(String xml) {
        Matcher m = Pattern.compile("<soap:Body.*</soap:Body>", Pattern.DOTALL).matcher(xml);
        if (!m.find()) throw new Context.Unreached("no body");
        return m.group();
    }

    @Case(id = "N9", title = "second soap:Body, second soap:Header", expected = "fault 9100")
    public Outcome second() {
        Answer body = context.ready().sendAltered(xml -> xml.replace("</soap:Envelope>",
                "<soap:Body Id=\"body2\"></soap:Body></soap:Envelope>"));
        Answer header = context.ready().sendAltered(xml -> xml.replace("<soap:Body", "<soap:Header></soap:Header><soap:Body"));
        Answer before = context.ready().sendAltered(xml -> xml.replace("<soap:Header>",
                "<soap:Body Id=\"body2\"></soap:Body><soap:Header>"));
        return Outcome.all(DialogCases.steps("Body", Outcome.of(body, "fault 9100"), "Header", Outcome.of(header, "fault 9100"),
                "Body before Header", Outcome.of(before, "fault 9100")));
    }

    @Case(id = "N34", title = "SHA-1 and RIPEMD-160 signatures", expected = "9601 or fault 9100 (sha1=accept: 0800)")
    public Outcome weakHash() {
        String sha1 = javax.xml.crypto.dsig.DigestMethod.SHA1;
        String[] accepted = context.accepts("sha1") ? new String[] {"0800"} : new String[] {"9601", "fault 9100"};
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("rsa-sha1", Outcome.of(styled(new Signing.Style(Signing.RSA_SHA1, Signing.SHA256, Signing.C14N)), accepted));
        steps.put("sha1 digests", Outcome.of(styled(new Signing.Style(Signing.RSA_SHA256, sha1, Signing.C14N)), accepted));
        steps.put("rsa-ripemd160", Outcome.of(styled(new Signing.Style("http://www.w3.org/2001/04/xmldsig-more#rsa-ripemd160",
                Signing.SHA256, Signing.C14N)), accepted));
        return Outcome.all(steps);
    }

    private Answer styled(Signing.Style style) {
        Context.Ready ready = context.ready();
        ready.order().style = style;
        return ready.send();
    }

    @Case(id = "N35", title = "exclusive C14N", expected = "9601 or fault 9100")
    public Outcome exclusive() {
        return Outcome.of(styled(new Signing.Style(Signing.RSA_SHA256, Signing.SHA256,
                javax.xml.crypto.dsig.CanonicalizationMethod.EXCLUSIVE)), "9601", "fault 9100");
    }

    @Case(id = "N37", title = "author signature broken, order signature fine", expected = "delivered; the reader sees `invalid`")
    public Outcome brokenAuthor() {
        Context.Ready ready = context.ready();
        ready.order().body = ready.order().body.replaceFirst("(Id=\"content0\">).", "$1Q");
        Answer stored = ready.send();
        if (!stored.is("0800")) return Outcome.of(stored, "0800");
        Dialog d = context.opened(context.addressee());
        Answer got = d.fetch(Dialog.byId(ready.messageId()));
        d.exit();
        boolean invalid = got.contentSignatures().stream().anyMatch(s -> s.verdict().equals("invalid"));
        return Outcome.all(DialogCases.steps("store", Outcome.of(stored, "0800"), "fetch", Outcome.of(got, "0801"),
                "author", Outcome.of(invalid, DeliveryCases.verdicts(got))));
    }

    @Case(id = "N44", title = "unsigned extra Content in a signed container; second container with the same Ids",
            expected = "relayed unaltered (0800) or refused (fault 9100); same Ids: fault 9100")
    public Outcome extraContent() {
        Context.Ready extra = context.ready();
        extra.order().body = extra.order().body.replace("</osci:ContentContainer>",
                "<osci:Content><osci:Base64Content Id=\"contentx\">UXVlcg==</osci:Base64Content></osci:Content></osci:ContentContainer>");
        Context.Ready twins = context.ready();
        twins.order().body = twins.order().body.replaceFirst("(<osci:ContentContainer.*</osci:ContentContainer>)", "$1$1");
        return Outcome.all(DialogCases.steps("extra", Outcome.of(extra.send(), "0800", "fault 9100"),
                "twins", Outcome.of(twins.send(), "fault 9100")));
    }
}
