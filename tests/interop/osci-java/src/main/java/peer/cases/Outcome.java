package peer.cases;

import java.util.*;
import peer.wire.Answer;

/** What a case saw and whether that is what it expected. */
public record Outcome(Verdict verdict, String seen, String note) {
    /** Result of a case. */
    public enum Verdict { PASS, FAIL, NOT_APPLICABLE }

    public static Outcome of(boolean holds, String seen) {
        return new Outcome(holds ? Verdict.PASS : Verdict.FAIL, seen, "");
    }

    /** The answer must be one of these: `fault 9100`, a feedback code, `http 405`. A typed answer must also be in order. */
    public static Outcome of(Answer answer, String... accepted) {
        return of(answer.is(accepted) && answer.problems.isEmpty(), answer.seen()).noting(String.join("; ", answer.problems));
    }

    public static Outcome notApplicable(String why) {
        return new Outcome(Verdict.NOT_APPLICABLE, "-", why);
    }

    public Outcome noting(String more) {
        if (more.isEmpty()) return this;
        return new Outcome(verdict, seen, note.isEmpty() ? more : note + "; " + more);
    }

    public boolean passed() {
        return verdict == Verdict.PASS;
    }

    /** Several steps under one number: all must hold; the note names each. */
    public static Outcome all(Map<String, Outcome> steps) {
        List<String> seen = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        boolean holds = true;
        boolean any = false;
        for (var step : steps.entrySet()) {
            Outcome o = step.getValue();
            any |= o.verdict != Verdict.NOT_APPLICABLE;
            holds &= o.verdict != Verdict.FAIL;
            seen.add(step.getKey() + ": " + o.seen + (o.verdict == Verdict.FAIL ? " (!)" : ""));
            if (!o.note.isEmpty()) notes.add(step.getKey() + ": " + o.note);
        }
        Verdict verdict = !holds ? Verdict.FAIL : any ? Verdict.PASS : Verdict.NOT_APPLICABLE;
        return new Outcome(verdict, String.join(", ", seen), String.join("; ", notes));
    }
}
