//! The strict reader behind [`crate::check`], [`crate::extract`] and [`crate::Tree`]: one pass over the bytes, no copy,
//! no recursion.
//!
//! Section numbers are those of XML 1.0 (fifth edition); "NS" is Namespaces in XML 1.0.

use std::borrow::Cow;
use std::ops::Range;
use std::str::Utf8Error;

use crate::chars::{is_char, is_name_char, is_name_start, is_space, is_space_char};
use crate::names::{XML, XMLNS};
use crate::{LimitKind, Limits, Rule, XmlError, XmlErrorKind};

/// What a pass wants to be told. An error ends the pass at the current place.
pub(crate) trait Sink<'a> {
    fn start(&mut self, _tag: &Tag<'a, '_>) -> Result<(), XmlErrorKind> {
        Ok(())
    }
    fn text(&mut self, _text: Raw<'a>) -> Result<(), XmlErrorKind> {
        Ok(())
    }
    fn comment(&mut self, _range: Range<usize>) -> Result<(), XmlErrorKind> {
        Ok(())
    }
    fn instruction(
        &mut self,
        _target: &'a str,
        _value: &'a str,
        _range: Range<usize>,
    ) -> Result<(), XmlErrorKind> {
        Ok(())
    }
    /// `at`: behind the end tag.
    fn end(&mut self, _at: usize) -> Result<(), XmlErrorKind> {
        Ok(())
    }
}

/// Character data as written, checked but not yet decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw<'a> {
    pub(crate) raw: &'a str,
    /// Nothing to decode: no reference, no CR, and in an attribute no tab or line end.
    plain: bool,
    cdata: bool,
}

impl<'a> Raw<'a> {
    /// Value as element content: references replaced, line ends normalised (2.11).
    pub(crate) fn text(&self) -> Cow<'a, str> {
        self.decode(|c, out| out.push(c))
    }

    /// Value as attribute: white space besides becomes spaces (3.3.3).
    pub(crate) fn attribute(&self) -> Cow<'a, str> {
        self.decode(|c, out| out.push(if matches!(c, '\t' | '\n') { ' ' } else { c }))
    }

    fn decode(&self, literal: impl Fn(char, &mut String)) -> Cow<'a, str> {
        if self.plain {
            return Cow::Borrowed(self.raw);
        }
        let mut out = String::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some(c) = rest.chars().next() {
            let mut length = c.len_utf8();
            match c {
                '&' if !self.cdata => {
                    // `scan` has checked it, so it parses.
                    if let Some((value, end)) = reference(rest) {
                        out.push(value);
                        length = end;
                    }
                }
                '\r' => {
                    literal('\n', &mut out);
                    length += usize::from(rest.as_bytes().get(1) == Some(&b'\n'));
                }
                _ => literal(c, &mut out),
            }
            rest = &rest[length..];
        }
        Cow::Owned(out)
    }
}

/// A start tag with its names resolved.
pub(crate) struct Tag<'a, 's> {
    /// Place of its `<`.
    pub(crate) at: usize,
    pub(crate) local: &'a str,
    /// Index into the bindings.
    pub(crate) namespace: usize,
    /// With the declarations of namespaces.
    pub(crate) attributes: &'s [Attribute<'a>],
    /// In scope, those of the tag last; [`NONE`] and [`XML_PREFIX`] are always there.
    pub(crate) bindings: &'s [Binding<'a>],
}

impl<'a> Tag<'a, '_> {
    pub(crate) fn namespace(&self) -> &str {
        &self.bindings[self.namespace].namespace
    }

    pub(crate) fn attribute(&self, namespace: &str, local: &str) -> Option<Raw<'a>> {
        let same = |known: &&Attribute<'a>| {
            known.local == local && self.bindings[known.namespace].namespace == namespace
        };
        self.attributes.iter().find(same).map(|found| found.value)
    }
}

pub(crate) struct Attribute<'a> {
    at: usize,
    pub(crate) prefix: &'a str,
    pub(crate) local: &'a str,
    pub(crate) value: Raw<'a>,
    /// Index into the bindings.
    pub(crate) namespace: usize,
}

impl<'a> Attribute<'a> {
    /// The prefix it declares, if it declares one; empty: the default namespace.
    pub(crate) fn declares(&self) -> Option<&'a str> {
        match (self.prefix, self.local) {
            ("", "xmlns") => Some(""),
            ("xmlns", prefix) => Some(prefix),
            _ => None,
        }
    }
}

pub(crate) struct Binding<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) namespace: Cow<'a, str>,
}

/// Binding of names in no namespace.
pub(crate) const NONE: usize = 0;
/// Binding of `xml`.
pub(crate) const XML_PREFIX: usize = 1;

/// Reads `document` from end to end and tells `sink` what it meets.
pub(crate) fn scan<'a>(
    document: &'a [u8],
    limits: &Limits,
    sink: &mut impl Sink<'a>,
) -> Result<(), XmlError> {
    too_long(document, limits.bytes)?;
    let text = utf8(document)?;
    let begin = if text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
    scan_text(text, begin, limits, sink)
}

/// Reads `text` from `begin` to its end.
pub(crate) fn scan_text<'a>(
    text: &'a str,
    begin: usize,
    limits: &Limits,
    sink: &mut impl Sink<'a>,
) -> Result<(), XmlError> {
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: begin,
        limits,
        elements: 0,
        references: 0,
        open: Vec::with_capacity(16),
        attributes: Vec::with_capacity(16),
        bindings: vec![
            Binding { prefix: "", namespace: Cow::Borrowed("") },
            Binding { prefix: "xml", namespace: Cow::Borrowed(XML) },
        ],
    };
    scanner.document(sink).map_err(|kind| place(text, scanner.at, kind))
}

/// Byte order mark.
pub(crate) const BOM: char = '\u{FEFF}';

/// Whether a document is longer than so many bytes.
pub(crate) fn too_long(document: &[u8], max: usize) -> Result<(), XmlError> {
    if document.len() > max {
        let kind = XmlErrorKind::Limit { what: LimitKind::Bytes, max };
        return Err(XmlError { line: 1, column: 1, kind });
    }
    Ok(())
}

/// The bytes as text, or the place of the first that is none.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, XmlError> {
    std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error))
}

/// The place of the first byte that is no text.
pub(crate) fn not_utf8(bytes: &[u8], error: Utf8Error) -> XmlError {
    let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or("");
    place(valid, valid.len(), XmlErrorKind::Rule(Rule::NotUtf8))
}

/// The error at a place of the text.
pub(crate) fn place(text: &str, at: usize, kind: XmlErrorKind) -> XmlError {
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    XmlError {
        line: count(before.bytes().filter(|byte| *byte == b'\n').count() + 1),
        column: count(before[line_start..].chars().count() + 1),
        kind,
    }
}

type Step<T> = Result<T, XmlErrorKind>;

const fn broken<T>(rule: Rule) -> Step<T> {
    Err(XmlErrorKind::Rule(rule))
}

const fn over<T>(what: LimitKind, max: usize) -> Step<T> {
    Err(XmlErrorKind::Limit { what, max })
}

struct Scanner<'a, 'l> {
    text: &'a str,
    bytes: &'a [u8],
    /// Place of the next byte; errors are reported here.
    at: usize,
    limits: &'l Limits,
    elements: usize,
    references: usize,
    /// Open elements: name as written and number of bindings outside.
    open: Vec<(&'a str, usize)>,
    attributes: Vec<Attribute<'a>>,
    bindings: Vec<Binding<'a>>,
}

impl<'a> Scanner<'a, '_> {
    fn document(&mut self, sink: &mut impl Sink<'a>) -> Step<()> {
        if self.rest().starts_with(b"<?xml") && self.bytes.get(self.at + 5).copied().is_some_and(is_space) {
            self.declaration()?;
        }
        let mut seen_root = false;
        while self.at < self.bytes.len() {
            let rest = self.rest();
            if rest[0] != b'<' {
                self.character_data(sink)?;
            } else if rest.starts_with(b"</") {
                self.end_tag(sink)?;
            } else if rest.starts_with(b"<!--") {
                self.comment(sink)?;
            } else if rest.starts_with(b"<![CDATA[") {
                self.cdata(sink)?;
            } else if rest.starts_with(b"<?") {
                self.instruction(sink)?;
            } else if rest.get(..9).is_some_and(|start| start.eq_ignore_ascii_case(b"<!doctype")) {
                return broken(Rule::Doctype);
            } else {
                if self.open.is_empty() && seen_root {
                    return broken(Rule::SecondRoot);
                }
                seen_root = true;
                self.start_tag(sink)?;
            }
        }
        match (self.open.is_empty(), seen_root) {
            (false, _) => broken(Rule::Unclosed),
            (true, false) => broken(Rule::Empty),
            (true, true) => Ok(()),
        }
    }

    /// XMLDecl, 2.8; the encoding must be UTF-8 because nothing else is read here.
    fn declaration(&mut self) -> Step<()> {
        let length = find(self.rest(), b"?>").ok_or(XmlErrorKind::Rule(Rule::Declaration))?;
        let mut rest = &self.text[self.at + 5..self.at + length];
        let Some(version) = pseudo_attribute(&mut rest, "version") else { return broken(Rule::Declaration) };
        if version != "1.0" {
            return broken(Rule::Version);
        }
        if let Some(encoding) = pseudo_attribute(&mut rest, "encoding")
            && !encoding.eq_ignore_ascii_case("utf-8")
        {
            return broken(Rule::Encoding);
        }
        if let Some(standalone) = pseudo_attribute(&mut rest, "standalone")
            && !matches!(standalone, "yes" | "no")
        {
            return broken(Rule::Declaration);
        }
        if !rest.bytes().all(is_space) {
            return broken(Rule::Declaration);
        }
        self.at += length + 2;
        Ok(())
    }

    /// CharData and references, 2.4 and 4.1, up to the next tag.
    fn character_data(&mut self, sink: &mut impl Sink<'a>) -> Step<()> {
        let start = self.at;
        let mut plain = true;
        let mut blank = true;
        while let Some(&byte) = self.bytes.get(self.at) {
            match CLASS[byte as usize] {
                // Indentation and text come in runs: each is passed over in one go.
                SPACE => {
                    self.at += run(self.rest(), |byte| CLASS[byte as usize] == SPACE);
                    continue;
                }
                PLAIN => {
                    blank = false;
                    self.at += text_run(self.rest());
                    continue;
                }
                RETURN => plain = false,
                LESS => break,
                AMPERSAND => {
                    (plain, blank) = (false, false);
                    self.reference()?;
                    continue;
                }
                BRACKET => {
                    blank = false;
                    if self.rest().starts_with(b"]]>") {
                        return broken(Rule::CdataEndInText);
                    }
                }
                _ => {
                    blank = false;
                    self.legal_character()?;
                }
            }
            self.at += 1;
        }
        if self.open.is_empty() {
            if blank {
                return Ok(());
            }
            self.at = start;
            return broken(Rule::TextOutsideRoot);
        }
        self.text_length(start)?;
        sink.text(Raw { raw: &self.text[start..self.at], plain, cdata: false })
    }

    fn cdata(&mut self, sink: &mut impl Sink<'a>) -> Step<()> {
        if self.open.is_empty() {
            return broken(Rule::TextOutsideRoot);
        }
        let start = self.at + 9;
        let end = self.section(start, b"]]>")?;
        self.text_length(start)?;
        let raw = &self.text[start..end];
        self.at = end + 3;
        sink.text(Raw { raw, plain: !raw.contains('\r'), cdata: true })
    }

    /// Comment, 2.5.
    fn comment(&mut self, sink: &mut impl Sink<'a>) -> Step<()> {
        let begin = self.at;
        let start = begin + 4;
        let end = self.section(start, b"--")?;
        self.text_length(start)?;
        if self.bytes.get(end + 2) != Some(&b'>') {
            return broken(if end + 2 < self.bytes.len() { Rule::Comment } else { Rule::Unclosed });
        }
        self.at = end + 3;
        sink.comment(begin..self.at)
    }

    /// PI, 2.6. Its target is an NCName (NS 7); `xml` is reserved in every spelling.
    fn instruction(&mut self, sink: &mut impl Sink<'a>) -> Step<()> {
        let begin = self.at;
        self.at += 2;
        let target = self.ncname().map_err(|_| XmlErrorKind::Rule(Rule::Instruction))?;
        if target.eq_ignore_ascii_case("xml") {
            self.at = begin;
            return broken(if target == "xml" { Rule::Declaration } else { Rule::Instruction });
        }
        if !self.rest().starts_with(b"?>") && !self.bytes.get(self.at).copied().is_some_and(is_space) {
            return broken(if self.at < self.bytes.len() { Rule::Instruction } else { Rule::Unclosed });
        }
        let start = self.at;
        let end = self.section(start, b"?>")?;
        self.text_length(start)?;
        self.at = end + 2;
        let value = self.text[start..end].trim_start_matches(is_space_char);
        sink.instruction(target, value, begin..self.at)
    }

    /// Checks characters from `from` up to `end`, whose place it returns; `at` follows for the error's place.
    fn section(&mut self, from: usize, end: &[u8]) -> Step<usize> {
        self.at = from;
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte == end[0] && self.rest().starts_with(end) {
                return Ok(self.at);
            }
            if CLASS[byte as usize] == SUSPECT {
                self.legal_character()?;
            }
            self.at += 1;
        }
        broken(Rule::Unclosed)
    }

    /// STag and EmptyElemTag, 3.1.
    fn start_tag(&mut self, sink: &mut impl Sink<'a>) -> Step<()> {
        let begin = self.at;
        self.at += 1;
        let name_at = self.at;
        let (prefix, local) = self.qname()?;
        let name = &self.text[name_at..self.at];
        self.elements += 1;
        if self.elements > self.limits.elements {
            return over(LimitKind::Elements, self.limits.elements);
        }
        if self.open.len() == self.limits.depth {
            return over(LimitKind::Depth, self.limits.depth);
        }
        let outer = self.bindings.len();
        self.attributes.clear();
        let empty = loop {
            let spaced = self.space();
            match self.bytes.get(self.at) {
                Some(b'>') => break false,
                Some(b'/') if self.bytes.get(self.at + 1) == Some(&b'>') => break true,
                Some(b'/') => return broken(Rule::Tag),
                None => return broken(Rule::Unclosed),
                Some(_) if !spaced => return broken(Rule::AttributeSpace),
                Some(_) => self.attribute()?,
            }
        };
        let end = self.at + 1 + usize::from(empty);
        self.declare()?;
        self.resolve_attributes()?;
        self.at = begin;
        let namespace = self.lookup(prefix)?;
        self.at = end;
        sink.start(&Tag {
            at: begin,
            local,
            namespace,
            attributes: &self.attributes,
            bindings: &self.bindings,
        })?;
        if empty {
            self.bindings.truncate(outer);
            return sink.end(end);
        }
        self.open.push((name, outer));
        Ok(())
    }

    /// ETag, 3.1, and its match, WFC Element Type Match.
    fn end_tag(&mut self, sink: &mut impl Sink<'a>) -> Step<()> {
        let Some(&(name, outer)) = self.open.last() else { return broken(Rule::StrayEnd) };
        let after = self.at + 2 + name.len();
        if !self.bytes[self.at + 2..].starts_with(name.as_bytes()) {
            return broken(Rule::Mismatch);
        }
        let begin = std::mem::replace(&mut self.at, after);
        self.space();
        match self.bytes.get(self.at) {
            Some(b'>') => self.at += 1,
            None => return broken(Rule::Unclosed),
            Some(_) => {
                self.at = begin;
                return broken(Rule::Mismatch);
            }
        }
        self.open.pop();
        self.bindings.truncate(outer);
        sink.end(self.at)
    }

    /// Attribute, 3.1, without its namespace: declarations may follow later in the tag.
    fn attribute(&mut self) -> Step<()> {
        if self.attributes.len() == self.limits.attributes {
            return over(LimitKind::Attributes, self.limits.attributes);
        }
        let at = self.at;
        let (prefix, local) = self.qname()?;
        self.space();
        if self.bytes.get(self.at) != Some(&b'=') {
            return broken(Rule::AttributeSyntax);
        }
        self.at += 1;
        self.space();
        let quote = match self.bytes.get(self.at) {
            Some(quote @ (b'"' | b'\'')) => *quote,
            _ => return broken(Rule::AttributeSyntax),
        };
        self.at += 1;
        let start = self.at;
        let mut plain = true;
        loop {
            let Some(&byte) = self.bytes.get(self.at) else { return broken(Rule::Unclosed) };
            if byte == quote {
                break;
            }
            match CLASS[byte as usize] {
                PLAIN | BRACKET => {}
                SPACE => plain &= byte == b' ',
                RETURN => plain = false,
                LESS => return broken(Rule::LessInAttribute),
                AMPERSAND => {
                    plain = false;
                    self.reference()?;
                    continue;
                }
                _ => self.legal_character()?,
            }
            self.at += 1;
        }
        if self.at - start > self.limits.attribute_value {
            return over(LimitKind::AttributeValue, self.limits.attribute_value);
        }
        let value = Raw { raw: &self.text[start..self.at], plain, cdata: false };
        self.attributes.push(Attribute { at, prefix, local, value, namespace: NONE });
        self.at += 1;
        Ok(())
    }

    /// Takes the namespace declarations of a tag into scope (NS 3). One that occurs twice is found as duplicate
    /// attribute.
    fn declare(&mut self) -> Step<()> {
        for attribute in &self.attributes {
            let Some(prefix) = attribute.declares() else { continue };
            self.at = attribute.at;
            let namespace = attribute.value.attribute();
            if (prefix == "xml") != (namespace == XML) || prefix == "xmlns" || namespace == XMLNS {
                return broken(Rule::ReservedPrefix);
            }
            if namespace.is_empty() && !prefix.is_empty() {
                return broken(Rule::EmptyNamespace);
            }
            let known = self.bindings.iter().rev().find(|binding| binding.prefix == prefix);
            if known.is_some_and(|binding| binding.namespace == namespace) {
                continue;
            }
            if self.bindings.len() - 2 == self.limits.namespaces {
                return over(LimitKind::Namespaces, self.limits.namespaces);
            }
            self.bindings.push(Binding { prefix, namespace });
        }
        Ok(())
    }

    /// Namespaces of the attributes, and that none occurs twice: by name (3.1) or by expanded name (NS 6.3).
    fn resolve_attributes(&mut self) -> Step<()> {
        for index in 0..self.attributes.len() {
            let Attribute { at, prefix, local, .. } = self.attributes[index];
            self.at = at;
            let namespace = if prefix.is_empty() || prefix == "xmlns" { NONE } else { self.lookup(prefix)? };
            let uri = &self.bindings[namespace].namespace;
            let same = |other: &Attribute<'_>| {
                other.local == local
                    && (other.prefix == prefix
                        || (namespace != NONE
                            && other.namespace != NONE
                            && self.bindings[other.namespace].namespace == *uri))
            };
            if self.attributes[..index].iter().any(same) {
                return broken(Rule::DuplicateAttribute);
            }
            self.attributes[index].namespace = namespace;
        }
        Ok(())
    }

    /// The binding of a prefix in scope. `xml` is always bound, `xmlns` never.
    fn lookup(&self, prefix: &str) -> Step<usize> {
        let bound = self.bindings.iter().rposition(|binding| same(binding.prefix, prefix));
        bound.ok_or(XmlErrorKind::Rule(if prefix == "xmlns" {
            Rule::ReservedPrefix
        } else {
            Rule::UndeclaredPrefix
        }))
    }

    /// QName (NS 4): prefix, or nothing, and local part.
    fn qname(&mut self) -> Step<(&'a str, &'a str)> {
        let first = self.ncname()?;
        if self.bytes.get(self.at) != Some(&b':') {
            return Ok(("", first));
        }
        self.at += 1;
        let local = self.ncname()?;
        if first.len() + local.len() + 1 > self.limits.name_length {
            return over(LimitKind::NameLength, self.limits.name_length);
        }
        Ok((first, local))
    }

    fn ncname(&mut self) -> Step<&'a str> {
        let start = self.at;
        self.at += run(self.rest(), |byte| byte.is_ascii_alphabetic());
        while let Some(&byte) = self.bytes.get(self.at) {
            let name = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => true,
                b'-' | b'.' | b'0'..=b'9' => self.at > start,
                0x80.. => {
                    let Some(c) = self.text[self.at..].chars().next() else { break };
                    if !(if self.at > start { is_name_char(c) } else { is_name_start(c) }) {
                        return broken(Rule::Name);
                    }
                    self.at += c.len_utf8() - 1;
                    true
                }
                _ => false,
            };
            if !name {
                break;
            }
            self.at += 1;
        }
        match self.at - start {
            0 => broken(if self.at < self.bytes.len() { Rule::Name } else { Rule::Unclosed }),
            length if length > self.limits.name_length => {
                over(LimitKind::NameLength, self.limits.name_length)
            }
            _ => Ok(&self.text[start..self.at]),
        }
    }

    /// Reference, 4.1: a character or one of the five predefined entities (4.6).
    fn reference(&mut self) -> Step<()> {
        let Some((_, length)) = reference(&self.text[self.at..]) else { return broken(Rule::Reference) };
        self.references += 1;
        if self.references > self.limits.references {
            return over(LimitKind::References, self.limits.references);
        }
        self.at += length;
        Ok(())
    }

    /// Char, 2.2, at a byte that may begin an illegal one: a control, or 0xEF of U+FFFE and U+FFFF.
    fn legal_character(&self) -> Step<()> {
        match self.text[self.at..].chars().next() {
            Some(c) if is_char(c) => Ok(()),
            _ => broken(Rule::IllegalCharacter),
        }
    }

    fn text_length(&self, start: usize) -> Step<()> {
        if self.at - start > self.limits.text { over(LimitKind::Text, self.limits.text) } else { Ok(()) }
    }

    /// Skips white space; whether there was any.
    fn space(&mut self) -> bool {
        let length = run(self.rest(), is_space);
        self.at += length;
        length > 0
    }

    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }
}

/// The character a reference at the start of `text` stands for, and the length of the reference.
fn reference(text: &str) -> Option<(char, usize)> {
    // The longest is &#x0010FFFF; with some more leading zeros; a bound keeps a missing semicolon cheap.
    let end = text.as_bytes().iter().take(32).position(|byte| *byte == b';')?;
    let value = match &text[1..end] {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        name => {
            let number = name.strip_prefix('#')?;
            let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |hex| (hex, 16));
            // `from_str_radix` would accept a sign.
            if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            char::from_u32(u32::from_str_radix(digits, radix).ok()?).filter(|c| is_char(*c))?
        }
    };
    Some((value, end + 1))
}

/// Takes ` name="value"` from the start of `rest` if it is there.
fn pseudo_attribute<'a>(rest: &mut &'a str, name: &str) -> Option<&'a str> {
    let spaces: &[char] = &[' ', '\t', '\r', '\n'];
    let spaced = rest.trim_start_matches(spaces);
    if spaced.len() == rest.len() {
        return None;
    }
    let value =
        spaced.strip_prefix(name)?.trim_start_matches(spaces).strip_prefix('=')?.trim_start_matches(spaces);
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let (value, after) = value[1..].split_once(quote)?;
    *rest = after;
    Some(value)
}

/// Equality of names for the hot path. `==` calls `memcmp` also for two empty strings, which is what most prefixes are;
/// the masked load from their dangling address costs some hundred cycles where glibc uses AVX-512.
fn same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().eq(other.bytes())
}

/// Length of what `belongs` holds for, from the start.
fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !belongs(*byte)).unwrap_or(bytes.len())
}

/// Bytes looked at together: the compiler makes a few instructions of a look that does not branch.
const LANE: usize = 32;

/// Length of the text that needs no closer look, from the start; content in Base64 is one such run.
fn text_run(bytes: &[u8]) -> usize {
    let whole = |lane: &&[u8]| lane.iter().fold(true, |all, byte| all & is_text(*byte));
    let lanes = bytes.chunks_exact(LANE).take_while(whole).count() * LANE;
    lanes + run(&bytes[lanes..], is_text)
}

/// Classes PLAIN and SPACE, without a table.
const fn is_text(byte: u8) -> bool {
    ((byte >= b' ') | (byte == b'\t') | (byte == b'\n'))
        & (byte != b'<')
        & (byte != b'&')
        & (byte != b']')
        & (byte != 0xEF)
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}

// Classes of bytes in character data.
const PLAIN: u8 = 0;
const SPACE: u8 = 1;
const RETURN: u8 = 2;
const LESS: u8 = 3;
const AMPERSAND: u8 = 4;
const BRACKET: u8 = 5;
const SUSPECT: u8 = 6;

const CLASS: [u8; 256] = {
    let mut class = [PLAIN; 256];
    let mut control = 0;
    while control < 0x20 {
        class[control] = SUSPECT;
        control += 1;
    }
    class[b' ' as usize] = SPACE;
    class[b'\t' as usize] = SPACE;
    class[b'\n' as usize] = SPACE;
    class[b'\r' as usize] = RETURN;
    class[b'<' as usize] = LESS;
    class[b'&' as usize] = AMPERSAND;
    class[b']' as usize] = BRACKET;
    class[0xEF] = SUSPECT;
    class
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_runs_are_what_the_classes_say() {
        for byte in 0..=u8::MAX {
            let plain = matches!(CLASS[usize::from(byte)], PLAIN | SPACE);
            assert_eq!(is_text(byte), plain, "{byte:#x}");
            for before in 0..2 * LANE + 1 {
                let mut text = vec![b'a'; before];
                text.push(byte);
                text.extend([b'z'; LANE]);
                assert_eq!(
                    text_run(&text),
                    if plain { text.len() } else { before },
                    "{byte:#x} after {before}"
                );
            }
        }
    }
}
