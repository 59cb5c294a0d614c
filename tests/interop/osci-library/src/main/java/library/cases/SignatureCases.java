package library.cases;

import de.osci.osci12.common.Constants;
import de.osci.osci12.messageparts.*;
import de.osci.osci12.messagetypes.*;
import de.osci.osci12.roles.Author;
import java.util.*;
import java.util.function.UnaryOperator;
import java.util.regex.*;
import library.*;
import peer.cases.*;

/** N1–N9, N34, N35, N37, N44: what signatures must and need not catch. */
public final class SignatureCases {
    private final Scene scene;

    public SignatureCases(Scene scene) {
        this.scene = scene;
    }

    private Reply altered(UnaryOperator<String> change) throws Exception {
        return scene.spoilt(Text.change(change));
    }

    @Case(id = "N1", title = "body altered after signing", expected = "9601")
    public Outcome body() throws Exception {
        return altered(xml -> xml.replaceFirst("Id=\"content0\">.", "Id=\"content0\">Q")).outcome("9601");
    }

    @Case(id = "N2", title = "attachment altered", expected = "9601")
    public Outcome attachment() throws Exception {
        return scene.spoilt(Text.flipped("plan.bin", 7)).outcome("9601");
    }

    @Case(id = "N3", title = "attachment removed", expected = "fault 9100 or 9601")
    public Outcome attachmentGone() throws Exception {
        return scene.spoilt(Text.without("plan.bin")).outcome("fault 9100", "9601");
    }

    @Case(id = "N4", title = "one reference left out (signed anew); removed from a signature", expected = "9602; 9601")
    public Outcome reference() throws Exception {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        for (String uri : List.of("#body", "#desiredlanguages", "#controlblock", "cid:plan.bin")) {
            steps.put(uri, scene.spoilt(Text.resigned(scene.signer(), "", xml -> xml)
                    .compose(Text.change(xml -> without(xml, uri)))::apply).outcome("9602"));
        }
        steps.put("removed", altered(xml -> without(xml, "#body")).outcome("9601", "9602"));
        return Outcome.all(steps);
    }

    private static String without(String xml, String uri) {
        return Pattern.compile("<ds:Reference URI=\"" + Pattern.quote(uri) + "\">.*?</ds:Reference>\n?", Pattern.DOTALL).matcher(xml).replaceFirst("");
    }

    @Case(id = "N5", title = "signed by another key than the announced certificate", expected = "9601")
    public Outcome otherKey() throws Exception {
        Dialog d = scene.dialog("originator_cipher", new KeySigner(scene.keys.get("originator_signature"), scene.keys.get("author_signature"),
                Constants.SIGNATURE_ALGORITHM_RSA_SHA256));
        return d.messageId().outcome("9601");
    }

    @Case(id = "N6", title = "unsigned order", expected = "9600 (0800 with --policy unsigned=accept)")
    public Outcome unsigned() throws Exception {
        String id = scene.client().issuedId();
        Dialog d = scene.client();
        d.handler.setCreateSignatures(false);
        return d.send(scene.letter(Scene.text()).store(scene.mailbox(), id)).outcome(scene.accepts("unsigned") ? "0800" : "9600");
    }

    @Case(id = "N7", title = "foreign header added after signing", expected = "9601 or 9602")
    public Outcome foreignHeader() throws Exception {
        return altered(xml -> xml.replace("</soap:Header>", "<x:Late xmlns:x=\"urn:invented\" Id=\"late\"></x:Late></soap:Header>"))
                .outcome("9601", "9602");
    }

    @Case(id = "N8", title = "two elements with one Id (wrapping)", expected = "fault 9100")
    public Outcome wrapping() throws Exception {
        Map<String, Outcome> steps = new LinkedHashMap<>();
        steps.put("old body in a header", altered(xml -> {
            String body = body(xml);
            String evil = body.replaceFirst("Id=\"content0\">.", "Id=\"content0\">Q");
            return xml.replace(body, evil).replace("</soap:Header>", "<x:Keep xmlns:x=\"urn:invented\" Id=\"keep\">" + body + "</x:Keep></soap:Header>");
        }).outcome("fault 9100"));
        steps.put("second content of that Id", altered(xml -> xml.replace("</osci:ContentContainer>",
                "<osci:Content><osci:Base64Content Id=\"content0\">UXVlcg==</osci:Base64Content></osci:Content></osci:ContentContainer>")).outcome("fault 9100"));
        steps.put("header with the body's Id", scene.spoilt(Text.resigned(scene.signer(), "", xml -> xml).compose(Text.change(
                xml -> without(xml, "#body").replace("</soap:Header>", "<x:Twin xmlns:x=\"urn:invented\" Id=\"body\"></x:Twin></soap:Header>")))::apply)
                .outcome("fault 9100"));
        return Outcome.all(steps);
    }

    private static String body(String xml) {
        Matcher m = Pattern.compile("<soap:Body.*</soap:Body>", Pattern.DOTALL).matcher(xml);
        if (!m.find()) throw new Context.Unreached("no body");
        return m.group();
    }

    @Case(id = "N9", title = "second soap:Body, second soap:Header", expected = "fault 9100")
    public Outcome second() throws Exception {
        return Outcome.all(DialogCases.steps(
                "Body", altered(xml -> xml.replace("</soap:Envelope>", "<soap:Body Id=\"body2\"></soap:Body></soap:Envelope>")).outcome("fault 9100"),
                "Header", altered(xml -> xml.replace("<soap:Body", "<soap:Header></soap:Header><soap:Body")).outcome("fault 9100"),
                "Body before Header", altered(xml -> xml.replace("<soap:Header>", "<soap:Body Id=\"body2\"></soap:Body><soap:Header>")).outcome("fault 9100")));
    }

    @Case(id = "N34", title = "SHA-1 and RIPEMD-160 signatures", expected = "9601 or fault 9100 (sha1=accept: 0800)")
    public Outcome weakHash() {
        String[] accepted = scene.accepts("sha1") ? new String[] {"0800"} : new String[] {"9601", "fault 9100"};
        return Outcome.all(DialogCases.steps(
                "rsa-sha1", styled(Constants.SIGNATURE_ALGORITHM_RSA_SHA1, Constants.DIGEST_ALGORITHM_SHA256).outcome(accepted),
                "sha1 digests", styled(Constants.SIGNATURE_ALGORITHM_RSA_SHA256, Constants.DIGEST_ALGORITHM_SHA1).outcome(accepted),
                "rsa-ripemd160", styled(Constants.SIGNATURE_ALGORITHM_RSA_RIPEMD160, Constants.DIGEST_ALGORITHM_SHA256).outcome("9601", "fault 9100"),
                "ripemd160 digests", styled(Constants.SIGNATURE_ALGORITHM_RSA_SHA256, Constants.DIGEST_ALGORITHM_RIPEMD160).outcome("9601", "fault 9100")));
    }

    private Reply styled(String signature, String digest) {
        var identity = scene.keys.get("originator_signature");
        return scene.dialog("originator_cipher", new KeySigner(identity, identity, signature)).send(handler -> {
            GetMessageId order = new GetMessageId(handler);
            order.setDigestAlgorithm(digest);
            return order.send();
        });
    }

    @Case(id = "N35", title = "exclusive C14N", expected = "9601 or fault 9100")
    public Outcome exclusive() throws Exception {
        UnaryOperator<String> announce = xml -> xml.replaceFirst("CanonicalizationMethod Algorithm=\"[^\"]*\"",
                "CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"");
        return scene.spoilt(Text.resigned(scene.signer(), "", xml -> xml).compose(Text.change(announce))::apply).outcome("9601", "fault 9100");
    }

    @Case(id = "N37", title = "author signature broken, order signature fine", expected = "delivered; the library tells the reader that it is invalid")
    public Outcome brokenAuthor() throws Exception {
        KeySigner forger = new KeySigner(scene.keys.get("author_signature"), scene.keys.get("originator_signature"), Constants.SIGNATURE_ALGORITHM_RSA_SHA256);
        ContentContainer container = new ContentContainer();
        container.addContent(new Content(Scene.text()));
        container.sign(new Author(forger, null));
        String id = scene.stored(new Letter().add(container));
        Dialog d = scene.owner().opened();
        Reply fetched = d.send(Orders.fetch(OSCIMessage.SELECT_BY_MESSAGE_ID, id));
        d.exit();
        boolean valid = fetched.as(ResponseToFetchDelivery.class).getContentContainer()[0].checkAllSignatures();
        return Outcome.all(DialogCases.steps("fetch", fetched.outcome("0801"), "author", Outcome.of(!valid, valid ? "valid" : "invalid")));
    }

    @Case(id = "N44", title = "unsigned extra Content in a signed container; second container with the same Ids",
            expected = "relayed unaltered (0800) or refused (fault 9100); same Ids: fault 9100")
    public Outcome extraContent() throws Exception {
        Reply extra = scene.spoilt(Text.resigned(scene.signer(), "body", xml -> xml.replace("</osci:ContentContainer>",
                "<osci:Content><osci:Base64Content Id=\"contentx\">UXVlcg==</osci:Base64Content></osci:Content></osci:ContentContainer>")));
        Reply twins = scene.spoilt(Text.resigned(scene.signer(), "body",
                xml -> Pattern.compile("(<osci:ContentContainer.*</osci:ContentContainer>)", Pattern.DOTALL).matcher(xml).replaceFirst("$1$1")));
        return Outcome.all(DialogCases.steps("extra", extra.outcome("0800", "fault 9100"), "twins", twins.outcome("fault 9100")));
    }
}
