package peer;

import com.google.gson.*;
import java.io.*;
import java.nio.file.*;
import peer.keys.KeyRing;
import peer.wire.*;

/** Verifies stored messages with the JDK: order signature, each content signature. */
public final class Verify {
    private Verify() { }

    public static int run(Args args, PrintStream out) throws IOException {
        KeyRing keys = args.has("keys") ? new KeyRing(Path.of(args.need("keys")), args.get("pin", "123456")) : null;
        Gson gson = new GsonBuilder().disableHtmlEscaping().create();
        int bad = 0;
        for (String file : args.rest()) {
            Answer message = Answer.read(200, Files.readAllBytes(Path.of(file)), keys);
            JsonObject line = new JsonObject();
            line.addProperty("file", file);
            line.addProperty("type", message.type);
            line.addProperty("encrypted", message.encrypted);
            line.addProperty("signature", message.signature.verdict());
            if (!message.signature.detail().isEmpty()) line.addProperty("detail", message.signature.detail());
            if (message.trouble != null) line.addProperty("trouble", message.trouble);
            JsonArray content = new JsonArray();
            message.contentSignatures().forEach(s -> content.add(s.verdict() + (s.detail().isEmpty() ? "" : " " + s.detail())));
            line.add("content", content);
            boolean good = message.trouble == null && (message.signature.valid() || message.signature == SignatureCheck.ABSENT)
                    && message.contentSignatures().stream().allMatch(SignatureCheck::valid);
            if (!good) bad++;
            out.println(gson.toJson(line));
        }
        return bad == 0 ? 0 : 1;
    }
}
