package peer;

import com.google.gson.*;
import java.io.*;
import java.nio.file.*;
import java.util.*;
import peer.client.*;
import peer.keys.*;
import peer.wire.*;

/** Cost of reading one message: MIME, RSA unwrap, AES-GCM, XML, every digest, the order signature. By the JDK, not by the OSCI library. */
public final class Measure {
    private Measure() { }

    /** Writes the message to measure with: a signed storeDelivery, encrypted for the intermediary unless --plain. */
    public static int write(Args args) throws IOException {
        KeyRing keys = new KeyRing(Path.of(args.need("keys")), args.get("pin", "123456"));
        Dialog d = new Dialog(null, keys, keys.party("originator"));
        Delivery delivery = new Delivery();
        delivery.container(new Content("container0").inline("content0", Crypt.random(args.number("bytes", 10_240))));
        byte[] plain = delivery.store(d, keys.get("addressee_cipher"), UUID.randomUUID().toString()).mime();
        Files.write(Path.of(args.need("out")), args.has("plain") ? plain
                : Crypt.message(plain, keys.get("intermediary_cipher").certificate(), new Crypt.Style()));
        return 0;
    }

    public static int run(Args args, PrintStream out) throws IOException {
        KeyRing keys = new KeyRing(Path.of(args.need("keys")), args.get("pin", "123456"));
        byte[] octets = Files.readAllBytes(Path.of(args.need("message")));
        int count = args.number("count", 500);
        for (int i = 0; i < count; i++) once(octets, keys);
        long[] times = new long[count];
        for (int i = 0; i < count; i++) {
            long start = System.nanoTime();
            once(octets, keys);
            times[i] = System.nanoTime() - start;
        }
        Arrays.sort(times);
        JsonObject line = new JsonObject();
        line.addProperty("peer", "jdk");
        line.addProperty("bytes", octets.length);
        line.addProperty("count", count);
        line.addProperty("mean_us", Arrays.stream(times).sum() / count / 1000);
        line.addProperty("p50_us", times[count / 2] / 1000);
        line.addProperty("p95_us", times[count * 95 / 100] / 1000);
        out.println(line);
        return 0;
    }

    private static void once(byte[] octets, KeyRing keys) {
        Answer message = Answer.read(200, octets, keys);
        if (!message.signature.valid()) throw new IllegalStateException("signature " + message.signature + " " + message.trouble);
    }
}
