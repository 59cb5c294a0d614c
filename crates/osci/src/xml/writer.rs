//! Writing XML that is its own canonical form.

use base64::Engine as _;

use super::{NS_DS, NS_OSCI, NS_SOAP, NS_XENC, NS_XSI};

/// The five declarations every Envelope, header block and Body we write carries, in canonical order (facts 3,
/// "Serialisation that is safe to write"). Keeping the same five everywhere lets signed containers move between
/// messages (facts 11).
pub const ENVELOPE_NAMESPACES: [(&str, &str); 5] = [
    ("xmlns:ds", NS_DS),
    ("xmlns:osci", NS_OSCI),
    ("xmlns:soap", NS_SOAP),
    ("xmlns:xenc", NS_XENC),
    ("xmlns:xsi", NS_XSI),
];

/// Small writer of the safe OSCI serialisation: no self-closing tags, no white space of its own, attributes in the
/// order given (give declarations first, sorted by prefix, then attributes without prefix by name, then `soap:…`).
///
/// facts 9: a `>` in an attribute of a signed part breaks the Java library, so attributes with one are written as
/// `&gt;` only where that stays outside a signature; [`XmlWriter::start`] writes it as C14N does, callers keep it out.
#[derive(Debug, Default, Clone)]
pub struct XmlWriter {
    out: Vec<u8>,
    open: Vec<String>,
}

impl XmlWriter {
    /// An empty writer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Start tag. Names are written as given; values are escaped.
    pub fn start<N: AsRef<str>, V: AsRef<str>>(&mut self, name: &str, attributes: &[(N, V)]) -> &mut Self {
        self.out.push(b'<');
        self.out.extend_from_slice(name.as_bytes());
        self.attributes(attributes);
        self.out.push(b'>');
        self.open.push(name.to_owned());
        self
    }

    /// Attributes alone, for a start tag that others wrote.
    pub(crate) fn attributes<N: AsRef<str>, V: AsRef<str>>(&mut self, attributes: &[(N, V)]) {
        for (name, value) in attributes {
            self.out.push(b' ');
            self.out.extend_from_slice(name.as_ref().as_bytes());
            self.out.extend_from_slice(b"=\"");
            escape_attribute(value.as_ref(), &mut |bytes| self.out.extend_from_slice(bytes));
            self.out.push(b'"');
        }
    }

    /// Start tag without attributes.
    pub fn open(&mut self, name: &str) -> &mut Self {
        self.start::<&str, &str>(name, &[])
    }

    /// Text, escaped as C14N does.
    pub fn text(&mut self, text: &str) -> &mut Self {
        escape_text(text, &mut |bytes| self.out.extend_from_slice(bytes));
        self
    }

    /// Bytes that are well-formed XML already.
    pub fn raw(&mut self, xml: &[u8]) -> &mut Self {
        self.out.extend_from_slice(xml);
        self
    }

    /// End tag of the element opened last; nothing when none is open.
    pub fn end(&mut self) -> &mut Self {
        if let Some(name) = self.open.pop() {
            self.out.extend_from_slice(b"</");
            self.out.extend_from_slice(name.as_bytes());
            self.out.push(b'>');
        }
        self
    }

    /// An element with text only.
    pub fn element(&mut self, name: &str, text: &str) -> &mut Self {
        self.open(name).text(text).end()
    }

    /// An element with attributes and nothing inside.
    pub fn empty<N: AsRef<str>, V: AsRef<str>>(&mut self, name: &str, attributes: &[(N, V)]) -> &mut Self {
        self.start(name, attributes).end()
    }

    /// Closes what is open and hands the bytes out.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        while !self.open.is_empty() {
            self.end();
        }
        self.out
    }
}

/// Base64 wrapped at 76 columns with LF and without a last line feed, as the library writes values (facts 9).
#[must_use]
pub fn base64_lines(bytes: &[u8]) -> String {
    let flat = base64::engine::general_purpose::STANDARD.encode(bytes);
    let mut lines = String::with_capacity(flat.len() + flat.len() / 76);
    let mut rest = flat.as_str();
    while let Some((line, tail)) = rest.split_at_checked(76).filter(|(_, tail)| !tail.is_empty()) {
        lines.push_str(line);
        lines.push('\n');
        rest = tail;
    }
    lines.push_str(rest);
    lines
}

/// Text as Canonical XML 1.0 section 2.3 writes it.
pub(crate) fn escape_text<F: FnMut(&[u8]) + ?Sized>(text: &str, out: &mut F) {
    escape(text, out, |byte| match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'>' => Some(b"&gt;"),
        b'\r' => Some(b"&#xD;"),
        _ => None,
    });
}

/// Attribute value as Canonical XML 1.0 section 2.3 writes it.
pub(crate) fn escape_attribute<F: FnMut(&[u8]) + ?Sized>(value: &str, out: &mut F) {
    escape(value, out, |byte| match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'"' => Some(b"&quot;"),
        b'\t' => Some(b"&#x9;"),
        b'\n' => Some(b"&#xA;"),
        b'\r' => Some(b"&#xD;"),
        _ => None,
    });
}

/// Bytes looked at together. In a long text, such as Base64, hardly any of them need a reference, and the compiler
/// makes a few instructions of a look at all of them that does not branch.
const LANE: usize = 32;

fn escape<F: FnMut(&[u8]) + ?Sized>(text: &str, out: &mut F, replace: impl Fn(u8) -> Option<&'static [u8]>) {
    let bytes = text.as_bytes();
    let concerned = |lane: &[u8]| lane.iter().fold(false, |found, byte| found | replace(*byte).is_some());
    let mut done = 0;
    for (number, lane) in bytes.chunks(LANE).enumerate().filter(|(_, lane)| concerned(lane)) {
        for (index, byte) in (number * LANE..).zip(lane) {
            if let Some(reference) = replace(*byte) {
                out(bytes.get(done..index).unwrap_or_default());
                out(reference);
                done = index + 1;
            }
        }
    }
    out(bytes.get(done..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_no_self_closing_tags_and_escapes() {
        let mut writer = XmlWriter::new();
        writer.start("a", &[("b", "x\"<&\n")]).text("1 < 2 & \r").open("c");
        assert_eq!(writer.finish(), b"<a b=\"x&quot;&lt;&amp;&#xA;\">1 &lt; 2 &amp; &#xD;<c></c></a>");
    }

    /// Every place of a lane, and the bytes on both sides of its end.
    #[test]
    fn escapes_at_every_place_of_a_long_text() {
        for (plain, text, attribute) in [
            ("&", "&amp;", "&amp;"),
            ("<", "&lt;", "&lt;"),
            (">", "&gt;", ">"),
            ("\"", "\"", "&quot;"),
            ("\t", "\t", "&#x9;"),
            ("\n", "\n", "&#xA;"),
            ("\r", "&#xD;", "&#xD;"),
            ("ß", "ß", "ß"),
        ] {
            for before in 0..2 * LANE + 1 {
                let around = |middle: &str| format!("{}{middle}{}", "a".repeat(before), "z".repeat(LANE + 1));
                let (mut as_text, mut as_attribute) = (Vec::new(), Vec::new());
                escape_text(&around(plain), &mut |bytes: &[u8]| as_text.extend_from_slice(bytes));
                escape_attribute(&around(plain), &mut |bytes: &[u8]| as_attribute.extend_from_slice(bytes));
                assert_eq!(String::from_utf8(as_text).unwrap(), around(text));
                assert_eq!(String::from_utf8(as_attribute).unwrap(), around(attribute));
            }
        }
    }

    #[test]
    fn base64_is_wrapped_at_76_columns() {
        assert_eq!(base64_lines(&[0; 57]).lines().count(), 1);
        let long = base64_lines(&[0; 58]);
        assert_eq!(long.lines().map(str::len).collect::<Vec<_>>(), [76, 4]);
        assert!(!long.ends_with('\n'));
    }
}
