//! `multipart/form-data` (RFC 7578, RFC 2046 section 5.1) as a stream, without I/O.
//!
//! [`Splitter`] takes pieces as they come and yields heads of parts and pieces of their content. It holds one piece
//! and one delimiter at most, whatever the sender does: that is why it is our own.

use bytes::{Buf, Bytes, BytesMut};
use dds_message::{Code, Problem};

/// Bytes of one part's header fields.
const HEAD_BYTES: usize = 8 << 10;
/// Bytes before the first delimiter, and of white space behind a delimiter.
const SLACK_BYTES: usize = 1 << 10;

/// What comes next in a multipart body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Nothing before the next [`Splitter::push`].
    Hungry,
    /// A part begins.
    Part(PartHead),
    /// Content of the part.
    Data(Bytes),
    /// The part is complete.
    PartEnd,
    /// The closing delimiter was read. Only white space may follow.
    End,
}

/// Header fields of a part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartHead {
    /// Name of the form field.
    pub name: String,
    /// File name as sent, unchecked.
    pub file_name: Option<String>,
    /// `Content-Type` as sent, unchecked.
    pub content_type: Option<String>,
}

/// Splits a multipart body.
#[derive(Debug)]
pub struct Splitter {
    /// `CRLF -- boundary`
    delimiter: Vec<u8>,
    buffer: BytesMut,
    place: Place,
    skipped: usize,
}

/// What a search for the delimiter says about the buffer.
enum Found {
    /// It begins after so many bytes.
    At(usize),
    /// So many bytes lie before it for sure; behind them it may have begun.
    NotBefore(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Preamble,
    BehindDelimiter,
    Head,
    BehindHead,
    Content,
    End,
}

impl Splitter {
    /// A splitter for the boundary that `content_type` names.
    ///
    /// # Errors
    /// `DDS-I004` if it names none, or none of 1 to 70 characters (RFC 2046 section 5.1.1).
    pub fn new(content_type: &str) -> Result<Self, Problem> {
        let boundary = parameter(content_type, "boundary").unwrap_or_default();
        if !(1..=70).contains(&boundary.len()) {
            return Err(malformed(
                "die Grenze (boundary) des multipart-Körpers fehlt oder ist länger als 70 Zeichen",
                "the multipart boundary is missing or longer than 70 characters",
            ));
        }
        // The first delimiter may stand at the very beginning, without the line break before it.
        let buffer = BytesMut::from(&b"\r\n"[..]);
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        Ok(Self { delimiter, buffer, place: Place::Preamble, skipped: 0 })
    }

    /// Takes the next piece of the body.
    pub fn push(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// The body has ended.
    ///
    /// # Errors
    /// `DDS-I011` if that was before the closing delimiter.
    pub fn finish(&self) -> Result<(), Problem> {
        if self.place == Place::End {
            return Ok(());
        }
        let text = (
            "der multipart-Körper endete vor seiner schließenden Grenze",
            "the multipart body ended before its closing delimiter",
        );
        Err(Problem::new(Code::BROKEN_OFF, text))
    }

    /// The next event.
    ///
    /// # Errors
    /// `DDS-I004` if the body is not well-formed multipart, or a part's head is too large.
    pub fn event(&mut self) -> Result<Event, Problem> {
        loop {
            match self.place {
                // RFC 2046 lets a reader pass over an epilogue; a part lost behind the end would be passed over with
                // it.
                Place::End => {
                    if !self.buffer.iter().all(u8::is_ascii_whitespace) {
                        return Err(malformed(
                            "auf die schließende Grenze des multipart-Körpers folgt noch etwas",
                            "something follows the closing multipart delimiter",
                        ));
                    }
                    self.buffer.clear();
                    return Ok(Event::End);
                }
                Place::Preamble => match self.find_delimiter() {
                    Found::At(at) => self.pass_delimiter(at),
                    Found::NotBefore(safe) => {
                        self.skipped += safe;
                        self.buffer.advance(safe);
                        if self.skipped > SLACK_BYTES {
                            return Err(malformed(
                                "der multipart-Körper beginnt nicht mit seiner Grenze (boundary)",
                                "the multipart body does not begin with its delimiter",
                            ));
                        }
                        return Ok(Event::Hungry);
                    }
                },
                Place::BehindDelimiter => {
                    if self.buffer.len() < 2 {
                        return Ok(Event::Hungry);
                    }
                    if self.buffer.starts_with(b"--") {
                        self.buffer.advance(2);
                        self.place = Place::End;
                        continue;
                    }
                    let Some(end) = find(&self.buffer, b"\r\n", SLACK_BYTES) else {
                        return if self.buffer.len() > SLACK_BYTES {
                            Err(no_line_end())
                        } else {
                            Ok(Event::Hungry)
                        };
                    };
                    if !self.buffer[..end].iter().all(|byte| matches!(byte, b' ' | b'\t')) {
                        return Err(no_line_end());
                    }
                    // The line break stays: it also ends an empty head.
                    self.buffer.advance(end);
                    self.place = Place::Head;
                }
                Place::Head => {
                    let Some(end) = find(&self.buffer, b"\r\n\r\n", HEAD_BYTES) else {
                        let too_large = self.buffer.len() > HEAD_BYTES;
                        let error = || {
                            malformed("der Kopf eines Teils ist zu groß", "the head of a part is too large")
                        };
                        return if too_large { Err(error()) } else { Ok(Event::Hungry) };
                    };
                    let head = self.buffer.split_to(end);
                    self.buffer.advance(2);
                    self.place = Place::BehindHead;
                    return Ok(Event::Part(head_of(&head)?));
                }
                // The line break behind the head may already be that of the next delimiter: a part without content
                // (RFC 2046 section 5.1.1, `body-part`).
                Place::BehindHead => {
                    if self.buffer.starts_with(&self.delimiter) {
                        self.place = Place::Content;
                    } else if self.delimiter.starts_with(&self.buffer) {
                        return Ok(Event::Hungry);
                    } else {
                        self.buffer.advance(2);
                        self.place = Place::Content;
                    }
                }
                Place::Content => {
                    let end = match self.find_delimiter() {
                        Found::At(0) => {
                            self.pass_delimiter(0);
                            return Ok(Event::PartEnd);
                        }
                        Found::NotBefore(0) => return Ok(Event::Hungry),
                        Found::At(end) | Found::NotBefore(end) => end,
                    };
                    return Ok(Event::Data(self.buffer.split_to(end).freeze()));
                }
            }
        }
    }

    fn pass_delimiter(&mut self, at: usize) {
        self.buffer.advance(at + self.delimiter.len());
        self.place = Place::BehindDelimiter;
    }

    fn find_delimiter(&self) -> Found {
        let buffer = &self.buffer[..];
        let mut at = 0;
        while let Some(next) = buffer[at..].iter().position(|byte| *byte == b'\r') {
            at += next;
            let rest = &buffer[at..];
            if rest.starts_with(&self.delimiter) {
                return Found::At(at);
            }
            if self.delimiter.starts_with(rest) {
                return Found::NotBefore(at);
            }
            at += 1;
        }
        Found::NotBefore(buffer.len())
    }
}

fn head_of(bytes: &[u8]) -> Result<PartHead, Problem> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| malformed("der Kopf eines Teils ist kein UTF-8", "the head of a part is not UTF-8"))?;
    let mut head = PartHead::default();
    for line in text.split("\r\n").filter(|line| !line.is_empty()) {
        let (field, value) = line.split_once(':').ok_or_else(|| {
            malformed(
                "ein Kopffeld eines Teils hat keinen Doppelpunkt",
                "a header field of a part has no colon",
            )
        })?;
        let value = value.trim();
        if field.eq_ignore_ascii_case("content-disposition") {
            head.name = parameter(value, "name").unwrap_or_default();
            head.file_name = extended(value).or_else(|| parameter(value, "filename"));
        } else if field.eq_ignore_ascii_case("content-type") {
            head.content_type = Some(value.to_owned());
        } else if field.eq_ignore_ascii_case("content-transfer-encoding")
            && !["binary", "8bit", "7bit"].contains(&value.to_ascii_lowercase().as_str())
        {
            // RFC 7578 section 4.7 deprecates it for form data.
            return Err(malformed(
                "Content-Transfer-Encoding muss binary sein",
                "Content-Transfer-Encoding must be binary",
            ));
        }
    }
    if head.name.is_empty() {
        return Err(malformed("ein Teil hat keinen Namen", "a part has no name"));
    }
    Ok(head)
}

/// A parameter of a header field; quoted strings with `\"` and `\\` (RFC 9110 section 5.6.4), and `%22` as browsers
/// write a quotation mark.
pub(crate) fn parameter(value: &str, wanted: &str) -> Option<String> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (text, behind) = match after.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(text.replace("%22", "\""));
        }
        rest = behind.trim_start().strip_prefix(';')?;
    }
}

fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut letters = quoted.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((text, &quoted[at + 1..])),
            // Some senders put a bare Windows path here: a backslash escapes nothing but these two.
            '\\' => match letters.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => text.push(escaped),
                None => text.push('\\'),
            },
            other => text.push(other),
        }
    }
    None
}

/// `filename*=UTF-8''…` (RFC 8187), which some libraries still send.
fn extended(value: &str) -> Option<String> {
    let encoded = parameter(value, "filename*")?;
    let encoded =
        encoded.get(..7).filter(|charset| charset.eq_ignore_ascii_case("utf-8''")).map(|_| &encoded[7..])?;
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [first, tail @ ..] = rest {
        let (byte, tail) = match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digit = |digit: &u8| char::from(*digit).to_digit(16);
                (u8::try_from(digit(high)? * 16 + digit(low)?).ok()?, tail)
            }
            _ => (*first, tail),
        };
        bytes.push(byte);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

/// Place of `pattern`, if it begins within the first `reach` bytes.
fn find(bytes: &[u8], pattern: &[u8], reach: usize) -> Option<usize> {
    bytes.windows(pattern.len()).take(reach).position(|window| window == pattern)
}

fn malformed(german: &str, english: &str) -> Problem {
    Problem::new(Code::BAD_REQUEST, (german, english))
}

fn no_line_end() -> Problem {
    malformed(
        "auf eine Grenze des multipart-Körpers folgt kein Zeilenende",
        "a multipart delimiter is not followed by a line break",
    )
}
