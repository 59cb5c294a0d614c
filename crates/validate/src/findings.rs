//! Limits of what is reported.

/// Most findings reported for one message and schema; the rest would not help anybody.
pub const MAX_FINDINGS: usize = 100;

/// Longest text of a finding in characters.
const TEXT: usize = 500;

/// White space collapsed, and cut: findings may quote a value, and values may be long or personal.
pub(crate) fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(TEXT));
    let mut length = 0;
    for word in text.split_whitespace() {
        if length > 0 {
            out.push(' ');
            length += 1;
        }
        for c in word.chars() {
            if length >= TEXT {
                out.push('…');
                return out;
            }
            out.push(c);
            length += 1;
        }
    }
    out
}
