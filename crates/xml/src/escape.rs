//! Writing text into XML.

use std::borrow::Cow;

/// Text between tags. `>` is written `&gt;` so that `]]>` cannot arise, and CR as a reference so that it survives
/// reading.
#[must_use]
pub fn text(value: &str) -> Cow<'_, str> {
    escape(value, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    })
}

/// Value of an attribute in double quotes. Tab and line ends become references so that they survive normalisation
/// (XML 1.0, 3.3.3).
#[must_use]
pub fn attribute(value: &str) -> Cow<'_, str> {
    escape(value, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'"' => Some("&quot;"),
        b'\t' => Some("&#x9;"),
        b'\n' => Some("&#xA;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    })
}

fn escape(value: &str, reference: impl Fn(u8) -> Option<&'static str>) -> Cow<'_, str> {
    let Some(first) = value.bytes().position(|byte| reference(byte).is_some()) else {
        return Cow::Borrowed(value);
    };
    let mut out = String::with_capacity(value.len() + 16);
    out.push_str(&value[..first]);
    let mut from = first;
    for (at, byte) in value.bytes().enumerate().skip(first) {
        if let Some(reference) = reference(byte) {
            out.push_str(&value[from..at]);
            out.push_str(reference);
            from = at + 1;
        }
    }
    out.push_str(&value[from..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_must_be_is_escaped() {
        assert!(matches!(text("Straße \"1\"\n"), Cow::Borrowed(_)));
        assert_eq!(text("a<b>&]]>\r"), "a&lt;b&gt;&amp;]]&gt;&#xD;");
        assert_eq!(attribute("ä\"<\t\n\r&'>"), "ä&quot;&lt;&#x9;&#xA;&#xD;&amp;'>");
    }
}
