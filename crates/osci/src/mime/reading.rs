//! [`MimeReader`].

use std::collections::HashSet;

use super::base64::Base64Decoder;
use super::headers::HeaderSection;
use super::scan::{Found, Scan};
use super::{MimeError, MimeLimits, PartSink, ReadError, TransferEncoding};

/// Reads a MIME message pushed in pieces of any length, in memory bounded by its limits.
///
/// Tolerated: CRLFs before the headers, folded and unknown headers, any case of names, quoted and unquoted
/// boundaries, a missing `MIME-Version`, a wrong `Content-Length`, an epilogue. Refused: bare line feeds, a preamble,
/// a first part that is not `text/xml` in UTF-8 with a `Content-ID`, attachments without
/// `Content-Transfer-Encoding`, a `Content-ID` used twice, anything behind a boundary in its line, the end of the
/// message before the closing boundary.
#[derive(Debug)]
pub struct MimeReader {
    limits: MimeLimits,
    /// Whether an epilogue is tolerated.
    epilogue: bool,
    state: State,
    /// Index of the next part.
    next: usize,
    content_ids: HashSet<String>,
}

#[derive(Debug)]
enum State {
    /// Headers of the message.
    Message(HeaderSection),
    /// Directly after them: the first boundary, without a line end before it; `seen` octets of it have come.
    First { scan: Scan, boundary: Vec<u8>, seen: usize },
    /// Behind a boundary, in its line.
    Boundary { scan: Scan, line: Vec<u8> },
    /// Headers of a part.
    Headers { scan: Scan, section: HeaderSection },
    /// Octets of a part.
    Octets { scan: Scan, base64: Option<Base64Decoder> },
    /// Behind the closing boundary; so many octets of a line end have come, where nothing else may follow.
    Epilogue { seen: usize },
    /// After an error.
    Failed,
}

impl MimeReader {
    /// A fresh reader.
    #[must_use]
    pub fn new(limits: MimeLimits) -> Self {
        Self {
            limits,
            epilogue: true,
            state: State::Message(HeaderSection::default()),
            next: 0,
            content_ids: HashSet::new(),
        }
    }

    /// Refuses an epilogue: one line end may follow the closing boundary, and nothing else. For what was decrypted
    /// without being authenticated, where an attacker can append blocks of his choice.
    #[must_use]
    pub fn without_epilogue(self) -> Self {
        Self { epilogue: false, ..self }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`ReadError::Mime`] (feedback 9100) or what the sink refuses; every later call then fails too.
    pub fn push<S: PartSink>(&mut self, input: &[u8], sink: &mut S) -> Result<(), ReadError<S::Error>> {
        let mut input = input;
        while !input.is_empty() {
            // An error leaves `Failed` behind.
            let state = std::mem::replace(&mut self.state, State::Failed);
            self.state = self.step(state, &mut input, sink)?;
        }
        Ok(())
    }

    /// Ends the message.
    ///
    /// # Errors
    /// [`MimeError::Malformed`] if the closing boundary has not come.
    pub fn finish<S: PartSink>(self, _sink: &mut S) -> Result<(), ReadError<S::Error>> {
        match self.state {
            State::Epilogue { .. } => Ok(()),
            _ => Err(MimeError::Malformed("the message ends before its closing boundary").into()),
        }
    }

    /// Takes at least one byte of `input`, or changes the state.
    fn step<S: PartSink>(
        &mut self,
        state: State,
        input: &mut &[u8],
        sink: &mut S,
    ) -> Result<State, ReadError<S::Error>> {
        Ok(match state {
            State::Message(mut section) => match section.read(input, &self.limits, true)? {
                None => State::Message(section),
                Some(fields) => {
                    let boundary = fields.boundary()?;
                    let scan = Scan::new(boundary.as_bytes());
                    State::First { scan, boundary: [b"--", boundary.as_bytes()].concat(), seen: 0 }
                }
            },
            State::First { scan, boundary, seen } => {
                let wanted = &boundary[seen..];
                let len = wanted.len().min(input.len());
                let (now, rest) = input.split_at(len);
                *input = rest;
                match now == &wanted[..len] {
                    false => return Err(MimeError::Malformed("text before the first boundary").into()),
                    true if len == wanted.len() => State::Boundary { scan, line: Vec::new() },
                    true => State::First { scan, boundary, seen: seen + len },
                }
            }
            State::Boundary { scan, line } => self.boundary_line(scan, line, input)?,
            State::Headers { mut scan, mut section } => match section.read(input, &self.limits, false)? {
                None => State::Headers { scan, section },
                Some(fields) => {
                    let headers = fields.part(self.next, &self.limits)?;
                    if headers.content_id.as_ref().is_some_and(|id| !self.content_ids.insert(id.clone())) {
                        return Err(MimeError::Malformed("two parts have the same Content-ID").into());
                    }
                    sink.begin(self.next, &headers).map_err(ReadError::Sink)?;
                    self.next += 1;
                    scan.begin();
                    let base64 = headers.transfer_encoding == TransferEncoding::Base64;
                    State::Octets { scan, base64: base64.then(Base64Decoder::default) }
                }
            },
            State::Octets { mut scan, mut base64 } => {
                let found = scan.next(input);
                match found {
                    Found::Data(octets) | Found::Released(octets) => {
                        hand_out(octets, base64.as_mut(), sink)?;
                        State::Octets { scan, base64 }
                    }
                    Found::Boundary => {
                        base64.map_or(Ok(()), Base64Decoder::finish)?;
                        sink.end().map_err(ReadError::Sink)?;
                        State::Boundary { scan, line: Vec::new() }
                    }
                    Found::Nothing => State::Octets { scan, base64 },
                }
            }
            State::Epilogue { seen } if self.epilogue => {
                *input = &[];
                State::Epilogue { seen }
            }
            State::Epilogue { seen } => match input.split_first() {
                Some((octet, rest)) if b"\r\n".get(seen) == Some(octet) => {
                    *input = rest;
                    State::Epilogue { seen: seen + 1 }
                }
                _ => return Err(MimeError::Malformed("octets behind the closing boundary").into()),
            },
            State::Failed => return Err(MimeError::Malformed("read on after an error").into()),
        })
    }

    /// What follows a boundary in its line: `--`, or blanks and the line end.
    fn boundary_line(&self, scan: Scan, mut line: Vec<u8>, input: &mut &[u8]) -> Result<State, MimeError> {
        while let Some((&byte, rest)) = input.split_first() {
            *input = rest;
            match (line.last(), byte) {
                (None, b'-') => {}
                (Some(b'-'), b'-') if self.next == 0 => {
                    return Err(MimeError::Malformed("a message without parts"));
                }
                (Some(b'-'), b'-') => return Ok(State::Epilogue { seen: 0 }),
                (None | Some(b' ' | b'\t'), b' ' | b'\t' | b'\r') if line.len() < self.limits.header_line => {
                }
                (Some(b'\r'), b'\n') if self.next >= self.limits.parts => {
                    return Err(MimeError::Limit("number of parts"));
                }
                (Some(b'\r'), b'\n') => {
                    return Ok(State::Headers { scan, section: HeaderSection::default() });
                }
                _ => return Err(MimeError::Malformed("text behind a boundary in its line")),
            }
            line.push(byte);
        }
        Ok(State::Boundary { scan, line })
    }
}

/// Gives octets to the sink, decoded if they are Base64.
fn hand_out<S: PartSink>(
    mut octets: &[u8],
    base64: Option<&mut Base64Decoder>,
    sink: &mut S,
) -> Result<(), ReadError<S::Error>> {
    let Some(decoder) = base64 else { return sink.data(octets).map_err(ReadError::Sink) };
    while !octets.is_empty() {
        let decoded = decoder.decode(&mut octets)?;
        if !decoded.is_empty() {
            sink.data(decoded).map_err(ReadError::Sink)?;
        }
    }
    Ok(())
}
