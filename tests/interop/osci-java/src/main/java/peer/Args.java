package peer;

import java.util.*;

/** Command-line arguments: `--name value`, `--flag`, and the rest in order. */
public final class Args {
    private final Map<String, String> options = new LinkedHashMap<>();
    private final List<String> rest = new ArrayList<>();

    public Args(List<String> words) {
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            if (!word.startsWith("--")) {
                rest.add(word);
            } else if (i + 1 < words.size() && !words.get(i + 1).startsWith("--")) {
                options.put(word.substring(2), words.get(++i));
            } else {
                options.put(word.substring(2), "true");
            }
        }
    }

    public String need(String name) {
        String value = options.get(name);
        if (value == null) throw new UsageException("--" + name + " is missing");
        return value;
    }

    public String get(String name, String otherwise) {
        return options.getOrDefault(name, otherwise);
    }

    public int number(String name, int otherwise) {
        return options.containsKey(name) ? Integer.parseInt(options.get(name)) : otherwise;
    }

    public boolean has(String name) {
        return options.containsKey(name);
    }

    public List<String> rest() {
        return rest;
    }

    /** Sets what is not given yet, so that a configuration file never beats the command line. */
    public void defaults(Properties file) {
        file.stringPropertyNames().forEach(name -> options.putIfAbsent(name, file.getProperty(name)));
    }

    /** `rsa15=refuse,cbc=accept` as a map. */
    public Map<String, String> pairs(String name) {
        Map<String, String> pairs = new HashMap<>();
        for (String pair : get(name, "").split(",")) {
            String[] sides = pair.split("=", 2);
            if (sides.length == 2) pairs.put(sides[0].trim(), sides[1].trim());
        }
        return pairs;
    }

    /** The caller typed something this program does not know. */
    public static final class UsageException extends RuntimeException {
        private static final long serialVersionUID = 1;

        public UsageException(String message) {
            super(message);
        }
    }
}
