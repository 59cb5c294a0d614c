//! Verdicts in short.

use std::time::Duration;

use dds_delivery::{Fault, Receipt, Verdict};
use dds_message::Code;

/// Longest wait that a target may ask for: one day.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// Not now.
pub(crate) fn temporary(code: Code, detail: impl Into<String>) -> Verdict {
    Verdict::Temporary { fault: Fault { code, detail: detail.into() }, retry_after: None }
}

/// More bytes of attachments than the product of the target takes (`limits.attachment_bytes`): DDS-D006.
pub(crate) fn too_large(bytes: u64, limit: u64) -> Option<Fault> {
    let detail = || format!("attachments have {bytes} bytes, the target takes {limit}");
    (bytes > limit).then(|| Fault { code: Code::TARGET_TOO_LARGE, detail: detail() })
}

/// Never.
pub(crate) fn permanent(code: Code, detail: impl Into<String>) -> Verdict {
    Verdict::Permanent(Fault { code, detail: detail.into() })
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
pub(crate) fn kind(error: &std::io::Error) -> String {
    // TLS errors come wrapped in those of the operating system, sometimes twice.
    match error.get_ref() {
        Some(inner) => {
            match (inner.downcast_ref::<rustls::Error>(), inner.downcast_ref::<std::io::Error>()) {
                (Some(tls), _) => format!("TLS: {tls}"),
                (None, Some(inner)) => kind(inner),
                (None, None) => error.kind().to_string(),
            }
        }
        // The resolver's failures have no kind of their own, and their text may hold the name that was asked for.
        None if error.to_string().starts_with("failed to lookup address") => "host name not found".to_owned(),
        None => error.kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_taken_whole_or_not_at_all() {
        assert_eq!(reference_form(" FV-2026/17:3.a_b "), Some("FV-2026/17:3.a_b".to_owned()));
        for refused in ["", "Erika Mustermann", "x\ny", "straße", &"x".repeat(121)] {
            assert_eq!(reference_form(refused), None, "{refused}");
        }
    }
}
