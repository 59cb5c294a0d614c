//! Reading TOML so that every mistake is named with file, line, column and remedy.

use dds_depot::{CheckFinding, nearest, position};
use dds_message::{Code, Text};
use serde::de::DeserializeOwned;

/// What is said of a day without them.
const BARE_DAY: &str = "a day is written in quotation marks: ";

/// Reads a TOML file. Unknown keys are mistakes; the nearest known key is suggested.
///
/// # Errors
/// A finding with `code` (DDS-C001 for configuration, DDS-C003 for packages).
pub(crate) fn parse<T: DeserializeOwned>(file: &str, bytes: &[u8], code: Code) -> Result<T, CheckFinding> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let finding =
                CheckFinding::error(code, file, ("die Datei ist nicht in UTF-8", "the file is not UTF-8"))
                    .at(position(&before, before.len()));
            return Err(finding.remedy(("Die Datei in UTF-8 speichern.", "Save the file in UTF-8.")));
        }
    };
    toml::from_str(text).map_err(|error| {
        let place = error.span().map_or((1, 1), |span| position(text, span.start));
        let mut message = error.message().trim().replace('\n', "; ");
        // A date without quotation marks is a kind of its own in TOML, which its reader calls a map.
        let written = error.span().and_then(|span| text.get(span)).unwrap_or_default();
        if message.starts_with("invalid type: map")
            && written.starts_with(|first: char| first.is_ascii_digit())
        {
            message = format!("{BARE_DAY}\"{written}\"");
        }
        let text = (german(&message), message.clone());
        let finding = CheckFinding::error(code, file, text).at(place);
        match suggestion(&message) {
            Some(remedy) => finding.remedy(remedy),
            None => finding,
        }
    })
}

/// For `unknown field `x`, expected one of `a`, `b``: the name that was meant.
fn suggestion(message: &str) -> Option<Text> {
    let (unknown, known) = message.strip_prefix("unknown ")?.split_once(", expected ")?;
    let name = unknown.split('`').nth(1)?;
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    Some(match nearest(name, known.iter().copied()) {
        Some(near) => (format!("Meinten Sie {near:?}?"), format!("Did you mean {near:?}?")).into(),
        None => {
            let known = known.join(", ");
            (format!("Eines davon verwenden: {known}."), format!("Use one of: {known}.")).into()
        }
    })
}

/// What the reader of TOML says, in German; it speaks English only. What is not known here is quoted.
fn german(message: &str) -> String {
    let quoted = |text: &str| text.split('`').nth(1).map(str::to_owned);
    let name = quoted(message).unwrap_or_default();
    if message.starts_with("unknown field") {
        format!("unbekannter Schlüssel `{name}`")
    } else if message.starts_with("unknown variant") {
        format!("unbekannter Wert `{name}`")
    } else if message.starts_with("missing field") {
        format!("der Schlüssel `{name}` fehlt")
    } else if message.starts_with("duplicate") {
        "derselbe Schlüssel steht zweimal da".to_owned()
    } else if let Some(day) = message.strip_prefix(BARE_DAY) {
        format!("ein Tag steht in Anführungszeichen: {day}")
    } else if message.starts_with("invalid type") || message.starts_with("invalid value") {
        format!("der Wert ist von falscher Art (der Leser meldet: „{message}“)")
    } else {
        format!("so nicht lesbar (der Leser meldet: „{message}“)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[allow(dead_code)]
        procedure: String,
    }

    fn broken(text: &str) -> CheckFinding {
        parse::<Sample>("rules/x/rule.toml", text.as_bytes(), Code::RULE_SYNTAX).unwrap_err()
    }

    #[test]
    fn a_mistake_names_file_line_column_and_remedy() {
        let finding = broken("# Kommentar\nprocedur = \"x\"\n");
        assert_eq!((finding.line, finding.column), (2, 1));
        assert_eq!(finding.remedy.english, "Did you mean \"procedure\"?");
        assert_eq!(finding.remedy.german, "Meinten Sie \"procedure\"?");
        assert_eq!(finding.text.german, "unbekannter Schlüssel `procedur`");
        assert_eq!(finding.code, Code::RULE_SYNTAX);
        assert!(finding.to_string().starts_with("rules/x/rule.toml:2:1: DDS-C003: unknown field `procedur`"));
    }

    #[test]
    fn syntax_type_and_encoding_have_a_place_too() {
        assert_eq!((broken("procedure = [").line, broken("a\nb").line), (1, 1));
        let finding = broken("procedure = 5\n");
        assert_eq!((finding.line, finding.column), (1, 13));
        let finding = broken("procedure = 2026-01-01\n");
        assert!(finding.text.english.contains("in quotation marks: \"2026-01-01\""), "{finding}");
        assert!(finding.text.german.contains("in Anführungszeichen: \"2026-01-01\""), "{finding}");
        let finding = parse::<Sample>("x", b"a = 1\n\xff", Code::CONFIG_SYNTAX).unwrap_err();
        assert_eq!((finding.line, finding.column), (2, 1));
    }
}
