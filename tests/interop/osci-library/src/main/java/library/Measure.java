package library;

import com.google.gson.JsonObject;
import de.osci.osci12.messagetypes.OrderParser;
import de.osci.osci12.roles.Addressee;
import java.io.PrintStream;
import java.nio.file.*;
import java.util.Arrays;
import peer.Args;
import peer.keys.*;

/** Cost of one signed and encrypted storeDelivery in the library, warm: decryption, parsing, every digest, the order's signature. */
public final class Measure {
    private Measure() { }

    public static int run(Args args, PrintStream out) throws Exception {
        KeyRing keys = new KeyRing(Path.of(args.need("keys")), args.get("pin", "123456"));
        byte[] octets = Files.readAllBytes(Path.of(args.need("message")));
        Addressee server = new Addressee(new KeySigner(keys.get("intermediary_signature")), new KeyDecrypter(keys.get("intermediary_cipher")));
        int count = args.number("count", 500);
        for (int i = 0; i < count; i++) OrderParser.read(octets, server);
        long[] times = new long[count];
        for (int i = 0; i < count; i++) {
            long start = System.nanoTime();
            OrderParser.read(octets, server);
            times[i] = System.nanoTime() - start;
        }
        Arrays.sort(times);
        JsonObject line = new JsonObject();
        line.addProperty("peer", "library " + Main.version());
        line.addProperty("bytes", octets.length);
        line.addProperty("count", count);
        line.addProperty("mean_us", Arrays.stream(times).sum() / count / 1000);
        line.addProperty("p50_us", times[count / 2] / 1000);
        line.addProperty("p95_us", times[count * 95 / 100] / 1000);
        out.println(line);
        return 0;
    }
}
