package library;

import de.osci.osci12.common.DialogHandler;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.MessageDigest;
import java.util.*;
import library.cases.*;
import peer.Args;
import peer.cases.Runner;

/** The subcommands. Exit code: 0 all as expected, 1 something was not, 2 wrong usage. */
public final class Main {
    private static final List<Class<?>> THEMES = List.of(DialogCases.class, DeliveryCases.class, ChunkCases.class, PushCases.class, AlgorithmCases.class,
            SignatureCases.class, EnvelopeCases.class, SequenceCases.class, CertificateCases.class, EncryptionCases.class,
            RecipientCases.class, AnswerCases.class);
    private static final String USAGE = """
            cases --url URL --keys DIR [--only H1,N5] [--report FILE] [--policy k=v,…] [limits]
            measure --keys DIR --message FILE [--count N] [--warm N] [--turns]   parse, decrypt, verify, in µs; FILE from `message` of osci-java
            list                                     all cases
            """;

    private Main() { }

    public static void main(String[] words) {
        System.setOut(new java.io.PrintStream(System.out, true, StandardCharsets.UTF_8));
        // The library logs each refusal that a case asks for.
        if (!Boolean.getBoolean("osci.log")) System.setProperty("org.apache.commons.logging.Log", "org.apache.commons.logging.impl.NoOpLog");
        try {
            System.out.println(library());
            System.exit(run(words.length == 0 ? "" : words[0], new Args(Arrays.asList(words).subList(Math.min(1, words.length), words.length))));
        } catch (Args.UsageException e) {
            System.err.println(e.getMessage() + "\n" + USAGE);
            System.exit(2);
        } catch (Exception e) {
            e.printStackTrace();
            System.exit(1);
        }
    }

    private static int run(String command, Args args) throws Exception {
        Runner runner = new Runner("library " + version(), THEMES);
        return switch (command) {
            case "cases" -> {
                Scene scene = new Scene(args);
                yield runner.run(args, scene, scene::control, System.out) == 0 ? 0 : 1;
            }
            case "measure" -> Measure.run(args, System.out);
            case "list" -> {
                runner.list(System.out);
                yield 0;
            }
            default -> throw new Args.UsageException("unknown command " + command);
        };
    }

    /** Implementation-Version of the library's manifest. */
    public static String version() {
        String version = DialogHandler.class.getPackage().getImplementationVersion();
        return version == null ? "of unknown version" : version;
    }

    private static String library() throws Exception {
        Path jar = Path.of(DialogHandler.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(jar));
        return "OSCI library " + version() + ", SHA-256 " + HexFormat.of().formatHex(hash);
    }
}
