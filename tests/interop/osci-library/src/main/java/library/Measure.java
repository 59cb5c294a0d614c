package library;

import de.osci.osci12.messagetypes.OrderParser;
import de.osci.osci12.roles.Addressee;
import java.io.PrintStream;
import java.nio.file.*;
import peer.Args;
import peer.keys.*;

/** Cost of one signed and encrypted storeDelivery in the library, warm: decryption, parsing, every digest, the order's signature. */
public final class Measure {
    private Measure() { }

    public static int run(Args args, PrintStream out) throws Exception {
        KeyRing keys = new KeyRing(Path.of(args.need("keys")), args.get("pin", "123456"));
        byte[] octets = Files.readAllBytes(Path.of(args.need("message")));
        Addressee server = new Addressee(new KeySigner(keys.get("intermediary_signature")), new KeyDecrypter(keys.get("intermediary_cipher")));
        return peer.Measure.turns("library " + Main.version(), octets.length, args, () -> OrderParser.read(octets, server), out);
    }
}
