package peer.wire;

/** A message that cannot be taken, with the code of the fault it deserves. */
public final class Refusal extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final String code;

    public Refusal(String code, String message) {
        super(message);
        this.code = code;
    }

    public String code() {
        return code;
    }
}
