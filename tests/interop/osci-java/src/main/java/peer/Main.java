package peer;

import com.google.gson.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import peer.cases.*;
import peer.client.Client;
import peer.keys.*;
import peer.push.Push;
import peer.recipient.Recipient;

/** The subcommands. Exit code: 0 all as expected, 1 something was not, 2 wrong usage. */
public final class Main {
    private static final String USAGE = """
            keys DIR [--pin P]                       make an invented CA and everybody's keys
            cases --url URL --keys DIR [--only H1,N5] [--report FILE] [--policy k=v,…] [--config FILE] [limits]
            recipient --port P --keys DIR [--behaviour accept|refuse|unsigned|plain|broken|garbage|empty|hanging]
            stub --port P --keys DIR                 a sloppy stand-in intermediary, to test this harness itself
            client store|fetch|forward|mediate|card --url URL --keys DIR [--to URI] [--id ID] [--text T] [--as PARTY]
            push --url URL --keys DIR [--report FILE] deliver to a passive recipient as the intermediary would
            message --keys DIR --out FILE [--bytes N] [--plain]   write one signed (and encrypted) storeDelivery
            measure --keys DIR --message FILE [--count N] [--warm N] [--turns] parse, decrypt, verify, in µs
            verify FILE… [--keys DIR]                verify stored messages
            table REPORT.json…                       Markdown table of reports, case by case
            list [--report FILE]                     all cases; as a report in which none has run
            """;

    private Main() { }

    public static void main(String[] words) {
        // The JDK would write &#13; into its signatures' Base64.
        System.setProperty("com.sun.org.apache.xml.internal.security.ignoreLineBreaks", "true");
        // RIPEMD-160, which the JDK has no more and a server must refuse. Last in the list: all else stays with the JDK.
        java.security.Security.addProvider(new org.bouncycastle.jce.provider.BouncyCastleProvider());
        System.setOut(new java.io.PrintStream(System.out, true, StandardCharsets.UTF_8));
        if (words.length == 0) {
            System.err.print(USAGE);
            System.exit(2);
        }
        try {
            System.exit(run(words[0], new Args(Arrays.asList(words).subList(1, words.length))));
        } catch (Args.UsageException e) {
            System.err.println(e.getMessage() + "\n" + USAGE);
            System.exit(2);
        } catch (Exception e) {
            e.printStackTrace();
            System.exit(1);
        }
    }

    private static int run(String command, Args args) throws Exception {
        if (args.has("config")) {
            Properties file = new Properties();
            try (var reader = Files.newBufferedReader(Path.of(args.need("config")))) {
                file.load(reader);
            }
            args.defaults(file);
        }
        return switch (command) {
            case "keys" -> {
                new KeyMaker(Path.of(args.rest().get(0)), args.get("pin", "123456")).make();
                yield 0;
            }
            case "cases" -> cases(args);
            case "recipient" -> recipient(args);
            case "stub" -> stub(args);
            case "client" -> Client.run(args, System.out);
            case "push" -> Push.run(args, System.out);
            case "message" -> Measure.write(args);
            case "measure" -> Measure.run(args, System.out);
            case "verify" -> Verify.run(args, System.out);
            case "table" -> Table.print(args.rest(), System.out);
            case "list" -> {
                Runner runner = new Runner("jdk", Runner.JDK);
                runner.list(System.out);
                if (args.has("report")) runner.skeleton(Path.of(args.need("report")));
                yield 0;
            }
            default -> throw new Args.UsageException("unknown command " + command);
        };
    }

    private static int cases(Args args) throws Exception {
        Context context = new Context(args);
        return new Runner("jdk", Runner.JDK).run(args, context, context::control, System.out) == 0 ? 0 : 1;
    }

    private static int stub(Args args) throws Exception {
        try (peer.stub.Stub stub = new peer.stub.Stub(args.number("port", 0), new KeyRing(Path.of(args.need("keys")), args.get("pin", "123456")))) {
            System.out.println(stub.url());
            Thread.sleep(Long.MAX_VALUE);
        }
        return 0;
    }

    /** Runs until it is ended from outside; the first line on stdout is the URL. */
    private static int recipient(Args args) throws Exception {
        Gson gson = new GsonBuilder().disableHtmlEscaping().create();
        try (Recipient recipient = new Recipient(args.number("port", 0), new KeyRing(Path.of(args.need("keys")), args.get("pin", "123456")),
                args.get("behaviour", null), line -> System.out.println(gson.toJson(line)))) {
            System.out.println(recipient.url(args.get("behaviour", "accept")));
            Thread.sleep(Long.MAX_VALUE);
        }
        return 0;
    }
}
