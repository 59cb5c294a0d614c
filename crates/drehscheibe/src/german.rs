//! German help: the same command line with German texts.

use std::process::ExitCode;

use clap::{
    Command,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// Text of each command and argument, by its path (`serve`, `serve.watch`, `depot build`). A test fails when one is
/// missing.
const TEXTS: &[(&str, &str)] = &[
    ("", "Bringt Anträge von Bürgern und Firmen zu Fachverfahren und DMS: dauerhaft und nachvollziehbar."),
    (".json", "Ergebnisse als JSON ausgeben"),
    (".language", "Sprache von Hilfe und Ergebnissen: de oder en; sonst nach LANG"),
    ("serve", "Die Datendrehscheibe betreiben"),
    (
        "serve.watch",
        "Bei jeder Änderung an Regeln oder Konfiguration einen neuen Depotstand bauen und aktivieren (Entwicklung)",
    ),
    (
        "serve.new_store",
        "Mit einer leeren Ablage beginnen, wo die alte verloren ist; was von ihr übrig ist, wird beiseitegelegt",
    ),
    (
        "serve.attended",
        "Geordnet enden, wenn die Standardeingabe geschlossen wird; für einen Elternprozess, der abgeschossen werden kann",
    ),
    (
        "demo",
        "Echte Nachrichten durch das ganze System laufen sehen, mit simuliertem Portal, Fachverfahren, DMS und Mail",
    ),
    ("demo.messages", "Wie viele Nachrichten gesendet werden"),
    ("demo.report", "Ergebnis als JSON in diese Datei schreiben, dann enden"),
    ("demo.kills", "Die Datendrehscheibe unter Last so oft abschießen (kill -9) und neu starten"),
    ("demo.stay", "Danach weiterlaufen und die Adressen nennen"),
    (
        "check",
        "Regeln und Konfiguration prüfen: Überschneidungen, Lücken, unbekannte Verweise, ablaufende Zertifikate",
    ),
    ("check.cases", "Die Fälle aller Regel- und Produktpakete ausführen"),
    ("check.update", "Die Erwartungen der Fälle mit dem heutigen Ergebnis überschreiben"),
    ("check.coverage", "Abdeckung ausgeben: Verfahren, Stelle, Regel, Produkt, Fall"),
    ("depot", "Depotstände bauen, vergleichen, aktivieren, auflisten und entfernen"),
    ("depot build", "Aus Regeln und Konfiguration einen Depotstand bauen, prüfen und ablegen"),
    (
        "depot diff",
        "Zeigen, was sich zwischen zwei Depotständen unterscheidet; ohne Angabe zwischen dem aktiven und den Dateien, wie sie sind",
    ),
    (
        "depot diff.before",
        "Depotstand vorher, mindestens die ersten Ziffern der Kennung; ohne Angabe der aktive",
    ),
    ("depot diff.after", "Depotstand nachher; ohne Angabe Regeln und Konfiguration, wie sie jetzt sind"),
    ("depot show", "Die Dateien eines Depotstands mit ihren Hashwerten auflisten, oder eine ausgeben"),
    ("depot show.release", "Depotstand, mindestens die ersten Ziffern der Kennung"),
    ("depot show.path", "Auszugebende Datei, wie das Protokoll sie nennt"),
    ("depot activate", "Den laufenden Dienst auf einen Depotstand umschalten und die Bestätigung abwarten"),
    ("depot activate.release", "Depotstand; ohne Angabe werden Regeln und Konfiguration zuerst gebaut"),
    (
        "depot activate.offline",
        "Während die Datendrehscheibe nicht läuft: Der Depotstand gilt ab ihrem nächsten Start",
    ),
    ("depot activate.force", "Auch einen Depotstand, dem Ziele fehlen, auf die Zustellungen warten"),
    ("depot activate.timeout", "So viele Sekunden auf die Bestätigung warten"),
    ("depot list", "Abgelegte Depotstände auflisten"),
    ("depot prune", "Depotstände entfernen, die nie in Kraft waren und die keine Nachricht nennt"),
    ("depot prune.keep", "So viele der neuesten bleiben in jedem Fall"),
    ("depot prune.dry_run", "Nur sagen, was entfernt würde"),
    ("explain", "Die Geschichte einer Nachricht aus dem Protokoll erzählen"),
    ("explain.id", "Kennung der Nachricht"),
    ("explain.full", "Hashwerte in voller Länge zeigen"),
    (
        "replay",
        "Gespeicherte Nachrichten oder Beispiele gegen einen anderen Depotstand laufen lassen und Unterschiede zeigen",
    ),
    ("replay.fixtures", "Ordner mit Beispielnachrichten; ohne Angabe die gespeicherten Nachrichten"),
    ("replay.before", "Mit diesem abgelegten Depotstand vergleichen statt mit dem aktiven"),
    (
        "replay.release",
        "Gegen diesen abgelegten Depotstand; ohne Angabe gegen den jetzigen Stand der Dateien",
    ),
    ("replay.rules", "Ordner mit Regel- und Produktpaketen statt dessen, den drehscheibe.toml nennt"),
    ("replay.config_dir", "Ordner mit Quellen, Profilen und Kommunen statt dessen von drehscheibe.toml"),
    ("replay.schemas", "Ordner mit Schemas Dritter statt dessen, den drehscheibe.toml nennt"),
    ("replay.limit", "Höchstens so viele Nachrichten, neueste zuerst"),
    ("send", "Eine Nachricht an eine laufende Datendrehscheibe senden"),
    ("send.to", "Adresse, etwa https://127.0.0.1:8443"),
    ("send.token_env", "Umgebungsvariable mit dem Token der Quelle; sonst DDS_TOKEN, mit --cert keines"),
    ("send.cert", "Client-Zertifikat der Quelle (PEM, mit seiner Kette)"),
    ("send.cert_key", "Privater Schlüssel des Client-Zertifikats (PEM)"),
    ("send.ca", "Dieser Zertifizierungsstelle vertrauen (PEM)"),
    ("send.key", "Idempotenzschlüssel; sonst aus dem Inhalt gebildet"),
    ("send.document", "Dokument (XML oder JSON)"),
    ("send.attachments", "Anlagen"),
    ("journal", "Das Transaktionsprotokoll prüfen, ausgeben und durchsuchen"),
    (
        "journal verify",
        "Die Hash-Kette nachrechnen, Nachrichten und Zustellungen damit vergleichen und den neuesten Eintrag nennen",
    ),
    ("journal verify.from", "Erster Eintrag"),
    ("journal verify.to", "Letzter Eintrag"),
    (
        "journal verify.anchor",
        "Eintrag und Hash eines früheren Laufs: ob das Protokoll genau den noch enthält",
    ),
    (
        "journal verify.payloads",
        "Auch alle Nutzdaten öffnen, mit dem Hauptschlüssel; nach einer Wiederherstellung nötig",
    ),
    ("journal verify.file", "Stattdessen diese Ausgabe prüfen, ohne Ablage und Konfiguration"),
    ("journal export", "Einträge als JSON-Zeilen schreiben"),
    ("journal export.from", "Erster Eintrag"),
    ("journal export.output", "In diese Datei statt auf die Standardausgabe"),
    ("journal search", "Einträge finden"),
    ("journal search.from", "Ab diesem Zeitpunkt (RFC 3339); sonst die letzten 30 Tage"),
    ("journal search.to", "Vor diesem Zeitpunkt (RFC 3339)"),
    ("journal search.case", "Vorgangskennung"),
    ("journal search.source", "Quelle"),
    ("journal search.procedure", "Verfahren"),
    ("journal search.authority", "Zuständige Stelle"),
    ("journal search.target", "Zustellziel"),
    ("journal search.state", "Zustand"),
    ("journal search.code", "Fehlercode"),
    ("journal search.event", "Ereignis"),
    ("journal search.limit", "Höchstens so viele Einträge"),
    (
        "deliver",
        "Was auf einen Menschen wartet: erneut zustellen, umleiten, als zugestellt melden, freigeben oder beenden",
    ),
    ("deliver again", "Unter derselben Kennung erneut zustellen"),
    ("deliver again.id", "Kennung der Zustellung"),
    ("deliver redirect", "Stattdessen an ein anderes Ziel senden"),
    ("deliver redirect.id", "Kennung der Zustellung"),
    ("deliver redirect.to", "Ziel: ARS/AMT/PRODUKT"),
    (
        "deliver redirect.force",
        "Auch an eine Stelle, die das Verfahren nicht oder nicht für diese Kommune bearbeitet",
    ),
    ("deliver settle", "Als zugestellt melden, nachdem das Zielsystem es bestätigt hat"),
    ("deliver settle.id", "Kennung der Zustellung"),
    ("deliver cancel", "Eine Zustellung abbrechen, die niemand mehr erhalten soll"),
    ("deliver cancel.id", "Kennung der Zustellung"),
    ("deliver release", "Einen Klärfall wieder in die Verarbeitung geben"),
    ("deliver release.id", "Kennung der Nachricht"),
    ("deliver reject", "Einen Klärfall zurückweisen, der nicht zugestellt werden soll"),
    ("deliver reject.id", "Kennung der Nachricht"),
    (
        "deliver reject.reason",
        "Warum, in Worten für den Absender; verschlüsselt wie die Nachricht, nicht im Protokoll",
    ),
    ("bench", "Ein Messszenario ausführen"),
    ("bench.scenario", "D, B, X, V, S, Q, A, R oder J"),
    ("bench.report", "Ergebnis als JSON in diese Datei schreiben"),
    ("bench.messages", "Nachrichten (J: Einträge); jedes Szenario hat eine eigene Vorgabe"),
    ("bench.clients", "Gleichzeitige Absender"),
    (
        "bench.rate",
        "X, V: so viele Nachrichten je Sekunde zu festen Zeitpunkten, ab denen die Antwortzeit zählt; ohne die Angabe sendet jeder \
         Absender, sobald er seine Antwort hat",
    ),
    (
        "bench.stylesheets",
        "Stylesheets je Nachricht: 1, das der Regel, und das Produkt nimmt den Vorgang, wie er ist; 2, auch das des Produkts",
    ),
    ("health", "Eine laufende Datendrehscheibe fragen, ob sie bereit ist"),
    ("health.admin", "Adresse des Betriebszugangs; ohne sie die der Konfiguration oder deren Vorgabe"),
    ("health.config", "drehscheibe.toml der Datendrehscheibe"),
    ("osci", "OSCI-Nachrichten untersuchen und erledigen, was auf einen Menschen wartet"),
    (
        "osci aside",
        "Zustellungen auflisten, erneut versuchen oder aufgeben, die sich nicht übernehmen lassen",
    ),
    ("osci aside list", "Auflisten: MessageId, Fehlerschlüssel, seit wann, wann wieder, Absender"),
    ("osci aside retry", "Eine jetzt erneut versuchen, alle eines Absenders, oder alle"),
    ("osci aside retry.id", "MessageId; ohne sie alle"),
    (
        "osci aside retry.originator",
        "Alle eines Absenders: SHA-256 seines Zertifikats, wie die Liste es zeigt",
    ),
    (
        "osci aside drop",
        "Eine aufgeben, oder alle eines Absenders: niemand versucht sie mehr, und ihr Laufzettel zeigt nie einen Empfang",
    ),
    ("osci aside drop.id", "MessageId"),
    (
        "osci aside drop.originator",
        "Alle eines Absenders: SHA-256 seines Zertifikats, wie die Liste es zeigt",
    ),
    (
        "osci inspect",
        "Alles über eine gespeicherte Nachricht sagen: Rollen, Rückmeldungen, Laufzettel, jede Signatur und jeden Hashwert",
    ),
    ("osci inspect.file", "Gespeicherter HTTP-Inhalt, unverschlüsselt oder verschlüsselt"),
    (
        "osci inspect.keys",
        "Ordner mit Schlüsseln zum Entschlüsseln: PKCS #12 oder PEM (Schlüssel und Zertifikat)",
    ),
    (
        "osci inspect.pin",
        "PIN der PKCS-#12-Dateien; andere auf dem Rechner können sie sehen, besser --pin-env",
    ),
    ("osci inspect.pin_env", "Umgebungsvariable mit der PIN"),
    ("osci inspect.legacy", "Ohne Wirkung: alte Verfahren werden immer gelesen und als Befund genannt"),
    ("schema", "Das JSON-Schema von drehscheibe.toml ausgeben"),
    ("key", "Einen Hauptschlüssel erzeugen und als 64 Hexziffern ausgeben"),
    ("key change", "Die Ablage eines angehaltenen Dienstes unter einen anderen Hauptschlüssel stellen"),
    ("key change.to", "Wo der neue Schlüssel steht: env:NAME oder file:PFAD"),
    ("key change.from", "Wo der bisherige steht; sonst, wo die Konfiguration es sagt"),
    ("saxony", "Die Beispielkonfiguration aller sächsischen Kommunen schreiben"),
    ("saxony.folder", "Ordner für Profile und Kommunen"),
    ("saxony.force", "Auch Kommunen ersetzen, die von Hand geschrieben oder geändert wurden"),
    ("*.config", "drehscheibe.toml des Dienstes"),
    ("*.rules", "Ordner mit Regel- und Produktpaketen"),
    ("*.config_dir", "Ordner mit Quellen, Profilen und Kommunen"),
    ("*.schemas", "Ordner mit den Schemas Dritter, die config/catalogue.toml nennt"),
    ("*.fixtures", "Ordner mit Beispielnachrichten"),
];

/// What clap says around our texts, and its names of values.
const FRAME: &[(&str, &str)] = &[
    ("Usage: ", "Aufruf: "),
    ("Commands:\n", "Befehle:\n"),
    ("Arguments:\n", "Angaben:\n"),
    ("Options:\n", "Optionen:\n"),
    ("[OPTIONS]", "[OPTIONEN]"),
    ("<COMMAND>", "<BEFEHL>"),
    ("[COMMAND]", "[BEFEHL]"),
    ("[default:", "[Vorgabe:"),
    ("[env:", "[Umgebung:"),
    (
        "Print this message or the help of the given subcommand(s)",
        "Diese Hilfe oder die eines Befehls ausgeben",
    ),
    ("Print help (see more with '--help')", "Hilfe ausgeben (mehr mit --help)"),
    ("Print help (see a summary with '-h')", "Hilfe ausgeben (kürzer mit -h)"),
    ("Print help", "Hilfe ausgeben"),
    ("Print version", "Version ausgeben"),
];

/// What stands for the value of an argument, where it is not the same in both languages.
const VALUES: &[(&str, &str)] = &[
    ("FOLDER", "ORDNER"),
    ("FILE", "DATEI"),
    ("NUMBER", "NUMMER"),
    ("NUMBER:HASH", "NUMMER:HASH"),
    ("LANGUAGE", "SPRACHE"),
    ("SECONDS", "SEKUNDEN"),
    ("KEY", "SCHLÜSSEL"),
    ("REFERENCE", "VERWEIS"),
    ("RELEASE", "DEPOTSTAND"),
    ("DOCUMENT", "DOKUMENT"),
    ("ATTACHMENTS", "ANLAGEN"),
    ("SCENARIO", "SZENARIO"),
    ("BEFORE", "VORHER"),
    ("AFTER", "NACHHER"),
    ("TO", "ZIEL"),
    ("ID", "KENNUNG"),
];

fn in_german(text: &str) -> String {
    FRAME.iter().fold(text.to_owned(), |text, (english, german)| text.replace(english, german))
}

/// Prints help or a complaint of the command line in German; its exit code.
pub(crate) fn tell(error: &clap::Error) -> ExitCode {
    use std::io::Write as _;

    // A closed pipe is no failure of ours.
    if !error.use_stderr() {
        let _closed = write!(std::io::stdout().lock(), "{}", in_german(&error.render().to_string()));
        return ExitCode::SUCCESS;
    }
    let _closed = write!(std::io::stderr().lock(), "{}", complaint(error));
    ExitCode::from(2)
}

/// What is wrong with the command line.
pub(crate) fn complaint(error: &clap::Error) -> String {
    let of = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(all)) => all.join(", "),
        Some(ContextValue::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let (argument, value) = (of(ContextKind::InvalidArg), of(ContextKind::InvalidValue));
    let what = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            format!("Es gibt keinen Befehl {}.", of(ContextKind::InvalidSubcommand))
        }
        ErrorKind::UnknownArgument => format!("{argument} ist hier nicht vorgesehen."),
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument} braucht einen Wert."),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let valid = of(ContextKind::ValidValue);
            let possible = if valid.is_empty() { String::new() } else { format!(" Möglich: {valid}.") };
            format!("{value:?} geht nicht bei {argument}.{possible}")
        }
        ErrorKind::ArgumentConflict => {
            format!("{argument} geht nicht zusammen mit {}.", of(ContextKind::PriorArg))
        }
        ErrorKind::MissingRequiredArgument => format!("Es fehlt: {argument}."),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return in_german(&error.render().to_string());
        }
        _ => format!("Der Aufruf ist nicht zu verstehen: {error}"),
    };
    let suggested =
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let hint = suggested.map(of).into_iter().find(|text| !text.is_empty());
    let hint = hint.map_or_else(String::new, |text| format!(" Gemeint vielleicht: {text}"));
    let usage = match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => format!("\n\n{usage}"),
        _ => String::new(),
    };
    in_german(&format!("{what}{hint}{usage}\n\nMehr mit --help.\n"))
}

/// Whether people want German: `--language`, else the locale of the environment.
pub(crate) fn wanted(arguments: &[String]) -> bool {
    let asked = arguments.iter().enumerate().find_map(|(place, argument)| {
        argument
            .strip_prefix("--language=")
            .or_else(|| {
                (argument == "--language").then(|| arguments.get(place + 1).map_or("", String::as_str))
            })
            .map(str::to_owned)
    });
    let locale = || {
        ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    };
    asked.or_else(locale).is_some_and(|language| language.starts_with("de"))
}

/// `command` with German texts.
pub(crate) fn translate(command: Command) -> Command {
    one(command, "")
}

fn one(mut command: Command, path: &str) -> Command {
    if let Some(text) = text(path, None) {
        command = command.about(text).long_about(None);
    }
    let arguments: Vec<_> =
        command.get_arguments().map(|argument| argument.get_id().as_str().to_owned()).collect();
    for id in arguments {
        if let Some(text) = text(path, Some(&id)) {
            command = command.mut_arg(id, |argument| value(argument.help(text)));
        }
    }
    let names: Vec<_> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        let deeper = if path.is_empty() { name.clone() } else { format!("{path} {name}") };
        command = command.mut_subcommand(name, |sub| one(sub, &deeper));
    }
    command
}

/// The argument with a German name of its value.
fn value(argument: clap::Arg) -> clap::Arg {
    let named = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let name = match named {
        None if !argument.is_positional() => return argument,
        None => argument.get_id().as_str().to_uppercase(),
        Some(name) => name,
    };
    match VALUES.iter().find(|(english, _)| *english == name) {
        Some((_, german)) => argument.value_name(*german),
        None => argument,
    }
}

fn text(path: &str, argument: Option<&str>) -> Option<&'static str> {
    let key = argument.map_or_else(|| path.to_owned(), |id| format!("{path}.{id}"));
    let find = |key: &str| TEXTS.iter().find(|(name, _)| *name == key).map(|(_, text)| *text);
    let shared = argument.and_then(|id| find(&format!("*.{id}")));
    find(&key).or(shared)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn missing(command: &Command, path: &str, found: &mut Vec<String>) {
        if command.is_hide_set() {
            return;
        }
        if text(path, None).is_none() {
            found.push(path.to_owned());
        }
        for argument in command.get_arguments() {
            let id = argument.get_id().as_str();
            let global = ["json", "language"].contains(&id) && !path.is_empty();
            if text(path, Some(id)).is_none() && !global && !["help", "version"].contains(&id) {
                found.push(format!("{path}.{id}"));
            }
        }
        for sub in command.get_subcommands() {
            let name = sub.get_name();
            missing(sub, &if path.is_empty() { name.to_owned() } else { format!("{path} {name}") }, found);
        }
    }

    #[test]
    fn every_command_and_argument_has_a_german_text() {
        let mut found = Vec::new();
        missing(&Cli::command(), "", &mut found);
        assert!(found.is_empty(), "no German text for {found:?}");
    }

    fn told(arguments: &[&str]) -> String {
        let all = std::iter::once("drehscheibe").chain(arguments.iter().copied());
        let error = translate(Cli::command()).try_get_matches_from(all).unwrap_err();
        if error.use_stderr() { complaint(&error) } else { in_german(&error.render().to_string()) }
    }

    #[test]
    fn german_help_is_german() {
        let top = told(&["--help"]);
        assert!(top.contains("Die Datendrehscheibe betreiben"), "{top}");
        for help in [top, told(&["journal", "verify", "--help"]), told(&["send", "--help"]), told(&["help"])]
        {
            for english in [
                "Usage",
                "Options",
                "Commands",
                "Arguments",
                "default:",
                "env:",
                "Print ",
                "<FILE",
                "DOCUMENT",
            ] {
                assert!(!help.contains(english), "{english}: {help}");
            }
        }
    }

    #[test]
    fn complaints_are_german_and_name_what_is_wrong() {
        for (arguments, names) in [
            (&["jornal"][..], &["keinen Befehl jornal", "journal", "Aufruf:"][..]),
            (&["send"], &["Es fehlt", "--to <URL>", "<DOKUMENT>"]),
            (&["explain", "--nix"], &["--nix"]),
            (&["journal", "search", "--limit", "0"], &["\"0\"", "--limit"]),
            (&["--language", "fr", "key"], &["\"fr\"", "Möglich: de, en"]),
            (&["journal", "search", "--from"], &["--from", "braucht einen Wert"]),
        ] {
            let told = told(arguments);
            for name in names {
                assert!(told.contains(name), "{arguments:?}: {told}");
            }
            for english in ["error", "Usage", "tip", "required", "invalid", "For more"] {
                assert!(!told.contains(english), "{arguments:?}: {told}");
            }
        }
    }
}
