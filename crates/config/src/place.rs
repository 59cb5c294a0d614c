//! Reading TOML so that every mistake is named with file, line, column and remedy.

use dds_depot::{CheckFinding, nearest, position};
use dds_message::Code;
use serde::de::DeserializeOwned;

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
                CheckFinding::error(code, file, "the file is not UTF-8").at(position(&before, before.len()));
            return Err(finding.remedy("Save the file in UTF-8."));
        }
    };
    toml::from_str(text).map_err(|error| {
        let place = error.span().map_or((1, 1), |span| position(text, span.start));
        let message = error.message().trim().replace('\n', "; ");
        let finding = CheckFinding::error(code, file, message.clone()).at(place);
        match suggestion(&message) {
            Some(remedy) => finding.remedy(remedy),
            None => finding,
        }
    })
}

/// For `unknown field `x`, expected one of `a`, `b``: the name that was meant.
fn suggestion(message: &str) -> Option<String> {
    let (unknown, known) = message.strip_prefix("unknown ")?.split_once(", expected ")?;
    let name = unknown.split('`').nth(1)?;
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    Some(match nearest(name, known.iter().copied()) {
        Some(near) => format!("Did you mean {near:?}?"),
        None => format!("Use one of: {}.", known.join(", ")),
    })
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
        assert_eq!(finding.remedy, "Did you mean \"procedure\"?");
        assert_eq!(finding.code, Code::RULE_SYNTAX);
        assert!(finding.to_string().starts_with("rules/x/rule.toml:2:1: DDS-C003: unknown field `procedur`"));
    }

    #[test]
    fn syntax_type_and_encoding_have_a_place_too() {
        assert_eq!((broken("procedure = [").line, broken("a\nb").line), (1, 1));
        let finding = broken("procedure = 5\n");
        assert_eq!((finding.line, finding.column), (1, 13));
        let finding = parse::<Sample>("x", b"a = 1\n\xff", Code::CONFIG_SYNTAX).unwrap_err();
        assert_eq!((finding.line, finding.column), (2, 1));
    }
}
