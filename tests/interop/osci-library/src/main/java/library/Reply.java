package library;

import de.osci.osci12.OSCIException;
import de.osci.osci12.messagetypes.*;
import java.util.*;
import java.util.stream.Collectors;
import peer.cases.*;
import peer.wire.Answer;

/** What the library says of the answer to one order: its feedback, the fault received, or what the library objects to. */
public final class Reply {
    /** The library's message; null when it threw instead. */
    public final OSCIMessage message;
    public final Exception objection;
    /** The same octets read by the other peer: what the library does not show. */
    public final Answer wire;
    /** What is wrong although the library took the answer. */
    public final List<String> problems = new ArrayList<>();

    public Reply(OSCIMessage message, Exception objection, Answer wire) {
        this.message = message;
        this.objection = objection;
        this.wire = wire;
    }

    /** `0801`, `0801+3800`, `fault 9400`, `http 405`, or `library: …` for what the library itself found. */
    public String seen() {
        if (message instanceof OSCIResponseTo response) return String.join("+", codes(response.getFeedback())) + inside();
        if (wire.status != 200) return wire.status == 0 ? "no answer" : "http " + wire.status;
        if (objection instanceof OSCIException e && wire.fault() && wire.codes().contains(e.getErrorCode())) return "fault " + e.getErrorCode();
        if (objection instanceof OSCIException e && !"null".equals(e.getErrorCode())) return "library: " + e.getErrorCode();
        return "library: " + objection;
    }

    private String inside() {
        if (!(message instanceof ResponseToPartialStoreDelivery partial) || partial.getInsideFeedback() == null) return "";
        List<String> codes = codes(partial.getInsideFeedback());
        return codes.isEmpty() ? "" : " inside " + String.join("+", codes);
    }

    private static List<String> codes(String[][] feedback) {
        if (feedback == null) return List.of();
        return Arrays.stream(feedback).map(row -> row[1]).distinct().sorted().collect(Collectors.toList());
    }

    /** Whether it is one of these: a code among those given, `fault 9100`, or the words of `seen`. */
    public boolean is(String... accepted) {
        for (String one : accepted) {
            if (seen().equals(one)) return true;
            if (message instanceof OSCIResponseTo response && codes(response.getFeedback()).contains(one)) return true;
        }
        return false;
    }

    public boolean ok() {
        return is("0800", "0801") && problems.isEmpty();
    }

    public Outcome outcome(String... accepted) {
        return Outcome.of(is(accepted) && problems.isEmpty(), seen()).noting(String.join("; ", problems));
    }

    /** The message as what it should be, or the end of the case. */
    public <T extends OSCIMessage> T as(Class<T> type) {
        if (!type.isInstance(message)) throw new Context.Unreached(type.getSimpleName() + ": " + seen() + " " + problems);
        return type.cast(message);
    }
}
