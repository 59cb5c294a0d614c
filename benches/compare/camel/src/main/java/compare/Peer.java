package compare;

import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.main.Main;

/**
 * The work of scenario V as a Camel route: REST in, XSD, two stylesheets, REST out. Nothing is stored: the sender waits until the
 * target has answered, which is Camel's usual form and spares it every fsync.
 *
 * Arguments: folder with the stylesheets and schemas, port to listen on, address of the target.
 */
public final class Peer extends RouteBuilder {
    private static String rules;
    private static String target;

    public static void main(String[] args) throws Exception {
        rules = args[0];
        target = args[2];
        Main main = new Main();
        main.addInitialProperty("camel.server.enabled", "true");
        main.addInitialProperty("camel.server.port", args[1]);
        main.configure().addRoutesBuilder(new Peer());
        main.run();
    }

    @Override
    public void configure() {
        from("platform-http:/v1/messages?httpMethodRestrict=POST")
            .convertBodyTo(byte[].class)
            .to("validator:file:" + rules + "/sondernutzung/1.0/schema/sondernutzung.xsd")
            .to("xslt:file:" + rules + "/sondernutzung/1.0/xslt/to-vorgang.xsl?output=bytes")
            .to("xslt:file:" + rules + "/products/fv-gewerberegister/5.0/xslt/from-vorgang.xsl?output=bytes")
            .removeHeaders("*")
            .setHeader("CamelHttpMethod", constant("POST"))
            .setHeader("Content-Type", constant("application/xml"))
            .to(target + "?bridgeEndpoint=true")
            .removeHeaders("*")
            .setHeader("CamelHttpResponseCode", constant(202))
            .setBody(constant(""));
    }
}
