package peer;

import com.google.gson.*;
import java.io.*;
import java.nio.file.*;

/** A report as the Markdown table of docs/osci/interop.md. */
public final class Table {
    private Table() { }

    public static int print(Path report, PrintStream out) throws IOException {
        out.println("| case | title | expected | seen | verdict | peer |");
        out.println("|---|---|---|---|---|---|");
        for (JsonElement e : JsonParser.parseString(Files.readString(report)).getAsJsonArray()) {
            JsonObject row = e.getAsJsonObject();
            StringBuilder line = new StringBuilder("|");
            for (String column : new String[] {"case", "title", "expected", "seen", "verdict", "peer"}) {
                line.append(' ').append(row.has(column) ? row.get(column).getAsString().replace("|", "\\|").replace("\n", " ") : "").append(" |");
            }
            out.println(line);
        }
        return 0;
    }
}
