package peer.cases;

import com.google.gson.*;
import java.io.*;
import java.lang.reflect.*;
import java.nio.file.*;
import java.util.*;

/** Finds the case methods of some themes, runs those asked for, writes the table and the JSON report. */
public final class Runner {
    /** The themes of this peer; each takes the context in its constructor. */
    public static final List<Class<?>> JDK = List.of(DialogCases.class, DeliveryCases.class, PushCases.class, ChunkCases.class,
            AlgorithmCases.class, SignatureCases.class, EnvelopeCases.class, SequenceCases.class, CertificateCases.class, EncryptionCases.class);

    private final String peer;
    private final List<Class<?>> themes;

    /** `peer` is the name in the report of who plays the other side. */
    public Runner(String peer, List<Class<?>> themes) {
        this.peer = peer;
        this.themes = themes;
    }

    /** All cases, H1 … H25, N1 … N44. */
    public SortedMap<String, Method> cases() {
        SortedMap<String, Method> found = new TreeMap<>(Comparator.comparing((String id) -> id.charAt(0)).thenComparing(id -> Integer.parseInt(id.substring(1))));
        for (Class<?> theme : themes) {
            for (Method method : theme.getDeclaredMethods()) {
                Case c = method.getAnnotation(Case.class);
                if (c != null && found.put(c.id(), method) != null) throw new IllegalStateException("two cases " + c.id());
            }
        }
        return found;
    }

    /** Prints all cases. */
    public void list(PrintStream out) {
        cases().values().forEach(m -> out.println(m.getAnnotation(Case.class).id() + "  " + m.getAnnotation(Case.class).title()));
    }

    /** All cases as a report in which none has run yet. */
    public void skeleton(Path file) throws IOException {
        JsonArray report = new JsonArray();
        for (Method method : cases().values()) report.add(row(method.getAnnotation(Case.class), Outcome.notApplicable("not run")));
        report.forEach(row -> row.getAsJsonObject().addProperty("verdict", "not run"));
        write(file, report);
    }

    private static void write(Path file, JsonArray report) throws IOException {
        Files.writeString(file, new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(report) + "\n");
    }

    /** Number of cases that did not come out as expected. `control` stops the negative cases when a correct order is refused. */
    public int run(peer.Args args, Object context, Runnable control, PrintStream out) throws IOException {
        SortedMap<String, Method> all = cases();
        Set<String> wanted = new LinkedHashSet<>(Arrays.asList(args.get("only", String.join(",", all.keySet())).split(",")));
        JsonArray report = new JsonArray();
        int failed = 0;
        int passed = 0;
        for (String id : wanted) {
            Method method = all.get(id);
            if (method == null) throw new peer.Args.UsageException("there is no case " + id);
            Case c = method.getAnnotation(Case.class);
            Outcome outcome = one(method, context, control);
            if (outcome.verdict() == Outcome.Verdict.FAIL) failed++;
            if (outcome.verdict() == Outcome.Verdict.PASS) passed++;
            out.printf("%-4s %-14s %s%n     expected: %s%n     seen:     %s%s%n", id, word(outcome), c.title(), c.expected(), outcome.seen(),
                    outcome.note().isEmpty() ? "" : "\n     note:     " + outcome.note());
            report.add(row(c, outcome));
        }
        if (args.has("report")) {
            write(Path.of(args.need("report")), report);
        }
        out.printf("%d passed, %d failed, %d skipped%n", passed, failed, wanted.size() - passed - failed);
        return failed;
    }

    private static Outcome one(Method method, Object context, Runnable control) {
        try {
            if (method.getAnnotation(Case.class).id().startsWith("N")) control.run();
            Object theme = method.getDeclaringClass().getConstructor(context.getClass()).newInstance(context);
            return (Outcome) method.invoke(theme);
        } catch (Context.Unreached e) {
            return Outcome.of(false, "not reached").noting("a correct order: " + e.getMessage());
        } catch (InvocationTargetException e) {
            Throwable cause = e.getCause();
            String why = cause instanceof Context.Unreached ? cause.getMessage() : cause.toString();
            return Outcome.of(false, "not reached").noting(why);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private JsonObject row(Case c, Outcome outcome) {
        JsonObject row = new JsonObject();
        row.addProperty("case", c.id());
        row.addProperty("title", c.title());
        row.addProperty("expected", c.expected());
        row.addProperty("seen", outcome.seen());
        row.addProperty("verdict", word(outcome));
        row.addProperty("note", outcome.note());
        row.addProperty("peer", peer);
        return row;
    }

    private static String word(Outcome outcome) {
        return outcome.verdict().name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
