//! Text for element content and attribute values.

use std::borrow::Cow;

/// Escapes text for element content or an attribute value in double quotes, and leaves out what XML 1.0 (section 2.2)
/// cannot carry.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|letter| special(letter).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match special(letter) {
            Some(replacement) => escaped.push_str(replacement),
            None => escaped.push(letter),
        }
    }
    Cow::Owned(escaped)
}

const fn special(letter: char) -> Option<&'static str> {
    match letter {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\r' => Some("&#13;"),
        '\t' | '\n' => None,
        '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => Some(""),
        _ => None,
    }
}
