//! A JSON message read as XML, so that one rule, schema and stylesheet serves both forms (`ARCHITECTURE.md`, 5.2).
//!
//! The reader is our own because numbers must come out as they were written: an amount `12.50` or an account number of
//! twenty digits would not survive a floating-point number.

use std::collections::HashSet;

use crate::scan::{place, utf8};
use crate::{LimitKind, Limits, Rule, XmlError, XmlErrorKind, chars, check, escape};

/// Reads a JSON document (RFC 8259) as XML.
///
/// | JSON | XML |
/// |---|---|
/// | the only member of the document | root element |
/// | member `name` or `p:name` | element, in the order of the document |
/// | member `@xmlns`, `@xmlns:p` | namespace declaration |
/// | member `@name` | attribute |
/// | member `$` | text beside attributes |
/// | array | the element once for each item; an empty array gives none |
/// | text, number, `true`, `false` | text, numbers as written |
/// | `null` | nothing: the element, attribute or text is absent |
///
/// The result has passed [`check`] with the same limits, so the two forms cannot disagree on what is acceptable.
///
/// # Errors
/// [`XmlError`] with line and column in the JSON document (`DDS-I005`), or, where the JSON is fine but the XML it
/// stands for is not (an undeclared prefix, say), in that XML.
pub fn to_xml(json: &[u8], limits: &Limits) -> Result<Vec<u8>, XmlError> {
    if json.len() > limits.bytes {
        return Err(XmlError { line: 1, column: 1, kind: over(LimitKind::Bytes, limits.bytes) });
    }
    let text = utf8(json)?;
    let out = String::with_capacity(json.len() + json.len() / 2);
    let mut reader = Reader { text, bytes: json, at: 0, out, limits };
    reader.document().map_err(|kind| place(text, reader.at, kind))?;
    let xml = reader.out.into_bytes();
    check(&xml, limits)?;
    Ok(xml)
}

type Step<T> = Result<T, XmlErrorKind>;

const fn broken<T>(rule: Rule) -> Step<T> {
    Err(XmlErrorKind::Rule(rule))
}

const fn over(what: LimitKind, max: usize) -> XmlErrorKind {
    XmlErrorKind::Limit { what, max }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    /// Place of the next byte; errors are reported here.
    at: usize,
    out: String,
    limits: &'a Limits,
}

impl Reader<'_> {
    fn document(&mut self) -> Step<()> {
        if self.peek() != Some(b'{') {
            return broken(if self.bytes.is_empty() { Rule::Json } else { Rule::JsonRoot });
        }
        self.at += 1;
        if self.peek() == Some(b'}') {
            return broken(Rule::JsonRoot);
        }
        let name = self.key()?;
        if !is_name(&name) {
            return broken(Rule::JsonName);
        }
        if matches!(self.peek(), Some(b'[' | b'n')) {
            return broken(Rule::JsonRoot);
        }
        self.element(&name, 1)?;
        match self.peek() {
            Some(b'}') => self.at += 1,
            Some(b',') => return broken(Rule::JsonRoot),
            _ => return broken(Rule::Json),
        }
        if self.peek().is_some() { broken(Rule::Json) } else { Ok(()) }
    }

    /// The value of a member, as element of that name.
    fn element(&mut self, name: &str, depth: usize) -> Step<()> {
        match self.peek() {
            Some(b'{') => self.object(name, depth)?,
            Some(b'[') => {
                self.at += 1;
                let mut more = self.first(b']')?;
                while more {
                    if self.peek() == Some(b'[') {
                        return broken(Rule::JsonShape);
                    }
                    self.element(name, depth)?;
                    more = self.next(b']')?;
                }
            }
            _ => {
                if let Some(text) = self.plain()? {
                    for part in ["<", name, ">", &escape::text(&text), "</", name, ">"] {
                        self.out.push_str(part);
                    }
                }
            }
        }
        // Arrays repeat the name, so the XML can be much longer than the JSON.
        if self.out.len() > self.limits.bytes {
            return Err(over(LimitKind::Bytes, self.limits.bytes));
        }
        Ok(())
    }

    fn object(&mut self, name: &str, depth: usize) -> Step<()> {
        if depth > self.limits.depth {
            return Err(over(LimitKind::Depth, self.limits.depth));
        }
        self.at += 1;
        self.out.push('<');
        self.out.push_str(name);
        // Attributes may follow content in JSON; they are put here at the end.
        let tag_end = self.out.len();
        let mut attributes = String::new();
        self.out.push('>');
        let mut seen = HashSet::new();
        let mut more = self.first(b'}')?;
        while more {
            self.peek();
            let start = self.at;
            let key = self.key()?;
            if seen.contains(&key) {
                self.at = start;
                return broken(Rule::JsonDuplicate);
            }
            if key == "$" {
                let text = self.plain()?.unwrap_or_default();
                self.out.push_str(&escape::text(&text));
            } else if let Some(attribute) = key.strip_prefix('@').filter(|attribute| is_name(attribute)) {
                if let Some(value) = self.plain()? {
                    for part in [" ", attribute, "=\"", &escape::attribute(&value), "\""] {
                        attributes.push_str(part);
                    }
                }
            } else if is_name(&key) {
                self.element(&key, depth + 1)?;
            } else {
                self.at = start;
                return broken(Rule::JsonName);
            }
            seen.insert(key);
            more = self.next(b'}')?;
        }
        self.out.insert_str(tag_end, &attributes);
        for part in ["</", name, ">"] {
            self.out.push_str(part);
        }
        Ok(())
    }

    /// Name of a member and the colon after it.
    fn key(&mut self) -> Step<String> {
        if self.peek() != Some(b'"') {
            return broken(Rule::Json);
        }
        let key = self.string()?;
        if self.peek() != Some(b':') {
            return broken(Rule::Json);
        }
        self.at += 1;
        Ok(key)
    }

    /// A value that is text in XML; `None` for `null`.
    fn plain(&mut self) -> Step<Option<String>> {
        match self.peek() {
            Some(b'"') => self.string().map(Some),
            Some(b'{' | b'[') => broken(Rule::JsonShape),
            Some(b'-' | b'0'..=b'9') => {
                let start = self.at;
                let number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                let length = self.bytes[start..].iter().take_while(|byte| number(byte)).count();
                let text = &self.text[start..start + length];
                if !is_number(text) {
                    return broken(Rule::Json);
                }
                self.at += length;
                Ok(Some(text.to_owned()))
            }
            _ => {
                for (word, value) in [("true", Some("true")), ("false", Some("false")), ("null", None)] {
                    if self.text[self.at..].starts_with(word) {
                        self.at += word.len();
                        return Ok(value.map(str::to_owned));
                    }
                }
                broken(Rule::Json)
            }
        }
    }

    fn string(&mut self) -> Step<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            let stop = self.bytes[start..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            let Some(length) = stop else { return broken(Rule::Json) };
            self.at += length;
            let part = &self.text[start..self.at];
            if !part.chars().all(chars::is_char) {
                self.at = start;
                return broken(Rule::IllegalCharacter);
            }
            out.push_str(part);
            match self.bytes[self.at] {
                b'"' => {
                    self.at += 1;
                    return Ok(out);
                }
                b'\\' => out.push(self.escape()?),
                _ => return broken(Rule::Json),
            }
        }
    }

    /// Escape sequence (RFC 8259, 7); it must stand for a character that XML allows.
    fn escape(&mut self) -> Step<char> {
        let c = match self.bytes.get(self.at + 1) {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(*c),
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'b' | b'f') => return broken(Rule::IllegalCharacter),
            Some(b'u') => {
                let high = self.hex()?;
                let code = match high {
                    0xD800..=0xDBFF if self.bytes[self.at + 6..].starts_with(b"\\u") => {
                        self.at += 6;
                        match self.hex()? {
                            low @ 0xDC00..=0xDFFF => 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00),
                            _ => return broken(Rule::Json),
                        }
                    }
                    code => code,
                };
                let Some(c) = char::from_u32(code) else { return broken(Rule::Json) };
                if !chars::is_char(c) {
                    return broken(Rule::IllegalCharacter);
                }
                self.at += 6;
                return Ok(c);
            }
            _ => return broken(Rule::Json),
        };
        self.at += 2;
        Ok(c)
    }

    /// The four digits of the `\u` here.
    fn hex(&self) -> Step<u32> {
        let digits = self
            .bytes
            .get(self.at + 2..self.at + 6)
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or(XmlErrorKind::Rule(Rule::Json))
    }

    /// After an opening bracket: whether anything is inside.
    fn first(&mut self, close: u8) -> Step<bool> {
        match self.peek() {
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            Some(_) => Ok(true),
            None => broken(Rule::Json),
        }
    }

    /// After a value: whether another one follows.
    fn next(&mut self, close: u8) -> Step<bool> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                // A comma before the closing bracket fails where the value should start.
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => broken(Rule::Json),
        }
    }

    /// The next byte after white space, which JSON defines as XML does.
    fn peek(&mut self) -> Option<u8> {
        while self.bytes.get(self.at).copied().is_some_and(chars::is_space) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }
}

/// A QName: `name` or `p:name`.
fn is_name(text: &str) -> bool {
    match text.split_once(':') {
        Some((prefix, local)) => chars::is_ncname(prefix) && chars::is_ncname(local),
        None => chars::is_ncname(text),
    }
}

/// `number` of RFC 8259, 6.
pub(super) fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xml(json: &str) -> String {
        String::from_utf8(to_xml(json.as_bytes(), &Limits::default()).unwrap()).unwrap()
    }

    fn fault(json: &str) -> String {
        to_xml(json.as_bytes(), &Limits::default()).unwrap_err().to_string()
    }

    #[test]
    fn the_convention_holds() {
        assert_eq!(
            xml(
                r#" {"h:antrag": {"n":1, "@xmlns:h":"urn:h", "@xmlns":"urn:d", "@art":"a\"<b", "teil":[{"$":"ä>"},null,"x",2.50,true],
                 "leer":[], "nichts":null, "@weg":null, "da":"", "@auch":"", "o":{}}} "#
            ),
            r#"<h:antrag xmlns:h="urn:h" xmlns="urn:d" art="a&quot;&lt;b" auch=""><n>1</n><teil>ä&gt;</teil><teil>x</teil><teil>2.50</teil><teil>true</teil><da></da><o></o></h:antrag>"#
        );
        assert_eq!(xml(r#"{"a":"\u00e4\ud83d\ude00\n\/"}"#), "<a>ä😀\n/</a>");
        assert_eq!(xml(r#"{"a":{"$":123456789012345678901234.500}}"#), "<a>123456789012345678901234.500</a>");
    }

    #[test]
    fn faults_are_placed() {
        assert_eq!(
            fault("{\n \"a\":{\"b\":1,\n \"b\":2}}"),
            format!("line 3, column 2: {}", Rule::JsonDuplicate)
        );
        for json in ["[]", "1", "{}", r#"{"a":1,"b":2}"#, r#"{"a":[1]}"#, r#"{"a":null}"#] {
            assert!(fault(json).ends_with(&Rule::JsonRoot.to_string()), "{json}");
        }
        for json in [r#"{"a b":1}"#, r#"{"a":{"@":1}}"#, r#"{"a":{"x:y:z":1}}"#, r#"{"":1}"#, r#"{"1a":1}"#] {
            assert!(fault(json).ends_with(&Rule::JsonName.to_string()), "{json}");
        }
        for json in [r#"{"a":{"b":[[1]]}}"#, r#"{"a":{"@b":{}}}"#, r#"{"a":{"$":[1]}}"#] {
            assert!(fault(json).ends_with(&Rule::JsonShape.to_string()), "{json}");
        }
        for json in [
            "",
            "{",
            r#"{"a":1"#,
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":{"b":1,}}"#,
            r#"{"a":{"b":[1,]}}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\x"}"#,
            "{\"a\":\"\n\"}",
            r#"{"a":tru}"#,
            r#"{"a":1}x"#,
            r#"{"a" 1}"#,
            "{'a':1}",
        ] {
            assert!(fault(json).ends_with(&Rule::Json.to_string()), "{json}: {}", fault(json));
        }
        assert!(fault(r#"{"a":"\u0000"}"#).ends_with(&Rule::IllegalCharacter.to_string()));
        assert!(fault(r#"{"p:a":1}"#).ends_with(&Rule::UndeclaredPrefix.to_string()));
        let deep = format!("{}1{}", r#"{"a":"#.repeat(101), "}".repeat(101));
        assert!(fault(&deep).contains("levels of nesting"));
    }

    #[test]
    fn repeated_names_cannot_blow_the_document_up() {
        let limits = Limits { bytes: 2000, ..Limits::default() };
        let json = format!(r#"{{"a":{{"{}":[{}1]}}}}"#, "n".repeat(200), "1,".repeat(100));
        let error = to_xml(json.as_bytes(), &limits).unwrap_err();
        assert_eq!(error.kind, XmlErrorKind::Limit { what: LimitKind::Bytes, max: 2000 });
    }
}
