package peer;

import com.google.gson.*;
import java.io.*;
import java.lang.management.*;
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

    public static int run(Args args, PrintStream out) throws Exception {
        KeyRing keys = new KeyRing(Path.of(args.need("keys")), args.get("pin", "123456"));
        byte[] octets = Files.readAllBytes(Path.of(args.need("message")));
        return turns("jdk", octets.length, args, () -> once(octets, keys), out);
    }

    /** Reads the message once and throws when it is not valid. */
    @FunctionalInterface
    public interface Reading {
        void once() throws Exception;
    }

    /**
     * Warms up with `--warm` readings (default: as many as measured), then measures `--count` and prints one line. With `--turns` the
     * process stays warm and measures whenever a line comes in, until the input ends: so that several can be measured in turns.
     */
    public static int turns(String peer, int bytes, Args args, Reading reading, PrintStream out) throws Exception {
        int count = args.number("count", 500);
        for (int i = args.number("warm", count); i > 0; i--) reading.once();
        if (!args.has("turns")) {
            out.println(turn(peer, bytes, count, reading));
            return 0;
        }
        out.println("ready");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        while (lines.readLine() != null) out.println(turn(peer, bytes, count, reading));
        return 0;
    }

    private static JsonObject turn(String peer, int bytes, int count, Reading reading) throws Exception {
        long[] times = new long[count];
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long processor = threads.getCurrentThreadCpuTime();
        for (int i = 0; i < count; i++) {
            long start = System.nanoTime();
            reading.once();
            times[i] = System.nanoTime() - start;
        }
        // Of this thread alone: compiler and garbage collector are a gift to Java.
        processor = threads.getCurrentThreadCpuTime() - processor;
        Arrays.sort(times);
        JsonObject line = new JsonObject();
        line.addProperty("peer", peer);
        line.addProperty("bytes", bytes);
        line.addProperty("count", count);
        line.addProperty("mean_us", Arrays.stream(times).sum() / count / 1000);
        line.addProperty("processor_us", processor / count / 1000);
        line.addProperty("p50_us", times[count / 2] / 1000);
        line.addProperty("p95_us", times[count * 95 / 100] / 1000);
        return line;
    }

    private static void once(byte[] octets, KeyRing keys) {
        Answer message = Answer.read(200, octets, keys);
        if (!message.signature.valid()) throw new IllegalStateException("signature " + message.signature + " " + message.trouble);
    }
}
