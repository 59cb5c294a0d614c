package peer;

import com.google.gson.*;
import java.io.*;
import java.nio.file.*;
import java.util.*;

/** Reports of one or several peers as the Markdown table of docs/osci/interop.md: case by case, the peers one below the other. */
public final class Table {
    private static final String[] COLUMNS = {"case", "title", "expected", "seen", "verdict", "peer"};

    private Table() { }

    public static int print(List<String> reports, PrintStream out) throws IOException {
        Map<String, List<JsonObject>> rows = new LinkedHashMap<>();
        for (String report : reports) {
            for (JsonElement e : JsonParser.parseString(Files.readString(Path.of(report))).getAsJsonArray()) {
                rows.computeIfAbsent(e.getAsJsonObject().get("case").getAsString(), key -> new ArrayList<>()).add(e.getAsJsonObject());
            }
        }
        out.println("| " + String.join(" | ", COLUMNS) + " |");
        out.println("|---".repeat(COLUMNS.length) + "|");
        rows.values().forEach(same -> same.forEach(row -> out.println(line(row))));
        return 0;
    }

    private static String line(JsonObject row) {
        StringBuilder line = new StringBuilder("|");
        for (String column : COLUMNS) {
            line.append(' ').append(row.has(column) ? row.get(column).getAsString().replace("|", "\\|").replace("\n", " ") : "").append(" |");
        }
        return line.toString();
    }
}
