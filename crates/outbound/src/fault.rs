//! Verdicts in short.

use std::time::Duration;

use dds_delivery::{Fault, Receipt, Verdict};
use dds_message::{Code, Text};

/// Longest wait that a target may ask for: one day.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// It was sent, and what became of it is not known.
pub(crate) const NO_ANSWER: (&str, &str) = ("keine Antwort", "no answer");

/// Not now.
pub(crate) fn temporary(code: Code, detail: impl Into<Text>) -> Verdict {
    Verdict::Temporary { fault: Fault { code, detail: detail.into() }, retry_after: None }
}

/// More bytes of attachments than the product of the target takes (`limits.attachment_bytes`): DDS-D006.
pub(crate) fn too_large(bytes: u64, limit: u64) -> Option<Fault> {
    let text = || {
        let german = format!("die Anlagen haben {bytes} Bytes, das Ziel nimmt {limit}");
        (german, format!("attachments have {bytes} bytes, the target takes {limit}")).into()
    };
    (bytes > limit).then(|| Fault { code: Code::TARGET_TOO_LARGE, detail: text() })
}

/// Never.
pub(crate) fn permanent(code: Code, detail: impl Into<Text>) -> Verdict {
    Verdict::Permanent(Fault { code, detail: detail.into() })
}

/// What we do not find in our own store any more.
pub(crate) fn unreadable_attachment(code: Code) -> Verdict {
    let text = ("eine Anlage ist in der Ablage nicht lesbar", "an attachment cannot be read from the store");
    temporary(code, text)
}

/// `what` (German, English) failed, for the reason that `error` tells in its own words.
pub(crate) fn because((german, english): (&str, &str), error: impl std::fmt::Display) -> Text {
    (format!("{german} (Meldung: „{error}“)"), format!("{english}: {error}")).into()
}

/// A thread of ours broke off.
pub(crate) fn broke_off(error: &tokio::task::JoinError) -> Verdict {
    temporary(Code::INTERNAL, because(("ein Arbeitsschritt brach ab", "a step broke off"), error))
}

/// A sentence with another behind it.
pub(crate) fn joined((german, english): (&str, &str), what: &Text) -> Text {
    (format!("{german}: {}", what.german), format!("{english}: {}", what.english)).into()
}

/// The target has it.
pub(crate) fn delivered(reference: Option<&str>) -> Verdict {
    Verdict::Delivered(Receipt { reference: reference.and_then(reference_form) })
}

/// A reference as [`Receipt`] allows it: 1 to 120 letters, digits and `- _ . : /`. Anything else is dropped as a whole,
/// because free text of a target may name a person.
pub(crate) fn reference_form(text: &str) -> Option<String> {
    let text = text.trim();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
    ((1..=120).contains(&text.len()) && text.bytes().all(allowed)).then(|| text.to_owned())
}

/// Kind of an error of the operating system or of TLS, without names and paths.
pub(crate) fn kind(error: &std::io::Error) -> Text {
    // TLS errors come wrapped in those of the operating system, sometimes twice.
    match error.get_ref() {
        Some(inner) => {
            match (inner.downcast_ref::<rustls::Error>(), inner.downcast_ref::<std::io::Error>()) {
                (Some(tls), _) => Text::verbatim(format!("TLS: {tls}")),
                (None, Some(inner)) => kind(inner),
                (None, None) => named(error.kind()),
            }
        }
        // The resolver's failures have no kind of their own, and their text may hold the name that was asked for.
        None if error.to_string().starts_with("failed to lookup address") => {
            ("Rechnername nicht gefunden", "host name not found").into()
        }
        None => named(error.kind()),
    }
}

/// The kind in the words of the standard library, which are English.
fn named(kind: std::io::ErrorKind) -> Text {
    use std::io::ErrorKind as Kind;
    let german = match kind {
        Kind::ConnectionRefused => "Verbindung abgelehnt",
        Kind::ConnectionReset => "Verbindung zurückgesetzt",
        Kind::ConnectionAborted | Kind::BrokenPipe => "Verbindung abgebrochen",
        Kind::UnexpectedEof => "unerwartetes Ende",
        Kind::HostUnreachable => "Rechner nicht erreichbar",
        Kind::NetworkUnreachable | Kind::NetworkDown => "Netz nicht erreichbar",
        Kind::TimedOut => "Zeit abgelaufen",
        Kind::NotFound => "nicht gefunden",
        Kind::PermissionDenied => "kein Zugriffsrecht",
        Kind::StorageFull => "kein Platz",
        Kind::QuotaExceeded => "Kontingent erschöpft",
        Kind::ReadOnlyFilesystem => "nur lesbar",
        _ => return Text::verbatim(kind.to_string()),
    };
    (german, kind.to_string()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_connection_is_told_in_both_languages() {
        let refused = kind(&std::io::ErrorKind::ConnectionRefused.into());
        assert_eq!(refused, ("Verbindung abgelehnt", "connection refused").into());
        let told = joined(NO_ANSWER, &refused);
        assert_eq!(told, ("keine Antwort: Verbindung abgelehnt", "no answer: connection refused").into());
    }

    #[test]
    fn a_reference_is_taken_whole_or_not_at_all() {
        assert_eq!(reference_form(" FV-2026/17:3.a_b "), Some("FV-2026/17:3.a_b".to_owned()));
        for refused in ["", "Erika Mustermann", "x\ny", "straße", &"x".repeat(121)] {
            assert_eq!(reference_form(refused), None, "{refused}");
        }
    }
}
