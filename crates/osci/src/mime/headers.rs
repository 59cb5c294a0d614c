//! Header sections: lines, folding, and the fields OSCI uses.

use super::{MimeError, MimeLimits, PartHeaders, TransferEncoding, is_attachment_name};

/// Collects one header section from a stream.
#[derive(Debug, Default)]
pub(super) struct HeaderSection {
    /// The physical line being read, without its line end.
    line: Vec<u8>,
    /// The logical line it may continue.
    field: Vec<u8>,
    /// Lines seen.
    lines: usize,
    fields: Fields,
}

/// The fields of a section that mean something to OSCI; each may stand there once.
#[derive(Debug, Default)]
pub(super) struct Fields {
    content_type: Option<String>,
    transfer_encoding: Option<String>,
    content_id: Option<String>,
    content_length: Option<String>,
}

impl HeaderSection {
    /// Takes bytes up to the empty line that ends the section; gives the fields once it is there. With
    /// `skip_empty`, empty lines before the first field are skipped (faults of the Java library begin with one).
    pub(super) fn read(
        &mut self,
        input: &mut &[u8],
        limits: &MimeLimits,
        skip_empty: bool,
    ) -> Result<Option<Fields>, MimeError> {
        while !input.is_empty() {
            let end = memchr::memchr(b'\n', input);
            let (piece, rest) = input.split_at(end.map_or(input.len(), |at| at + 1));
            *input = rest;
            let begins = self.line.first().or(piece.first());
            let continued = if matches!(begins, Some(b' ' | b'\t')) { self.field.len() } else { 0 };
            if continued + self.line.len() + piece.len() > limits.header_line.saturating_add(2) {
                return Err(MimeError::Limit("length of a header line"));
            }
            self.line.extend_from_slice(piece);
            if end.is_none() {
                continue;
            }
            self.lines += 1;
            if self.lines > limits.headers.saturating_add(1) {
                return Err(MimeError::Limit("number of header lines"));
            }
            let line = std::mem::take(&mut self.line);
            let line = line
                .strip_suffix(b"\r\n")
                .ok_or(MimeError::Malformed("a header line does not end with CRLF"))?;
            if line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
                return Err(MimeError::Malformed("a control character in a header line"));
            }
            match line.first() {
                None if skip_empty && self.field.is_empty() && self.fields.is_empty() => {}
                None => {
                    self.end_field()?;
                    return Ok(Some(std::mem::take(&mut self.fields)));
                }
                Some(b' ' | b'\t') if self.field.is_empty() => {
                    return Err(MimeError::Malformed("a continuation line without a header before it"));
                }
                Some(b' ' | b'\t') => self.field.extend_from_slice(line),
                Some(_) => {
                    self.end_field()?;
                    self.field.extend_from_slice(line);
                }
            }
        }
        Ok(None)
    }

    fn end_field(&mut self) -> Result<(), MimeError> {
        if self.field.is_empty() {
            return Ok(());
        }
        let field = std::mem::take(&mut self.field);
        let text = str::from_utf8(&field).map_err(|_| MimeError::Malformed("a header line is not UTF-8"))?;
        let (name, value) =
            text.split_once(':').ok_or(MimeError::Malformed("a header line without a colon"))?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(MimeError::Malformed("the name of a header is not a token"));
        }
        self.fields.set(name, value.trim())
    }
}

impl Fields {
    fn is_empty(&self) -> bool {
        [&self.content_type, &self.transfer_encoding, &self.content_id, &self.content_length]
            .iter()
            .all(|field| field.is_none())
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), MimeError> {
        let slot = match name.to_ascii_lowercase().as_str() {
            "content-type" => &mut self.content_type,
            "content-transfer-encoding" => &mut self.transfer_encoding,
            "content-id" => &mut self.content_id,
            "content-length" => &mut self.content_length,
            _ => return Ok(()),
        };
        match slot.replace(value.to_owned()) {
            None => Ok(()),
            Some(_) => Err(MimeError::Malformed("a header stands twice in one section")),
        }
    }

    /// The boundary of a message.
    pub(super) fn boundary(&self) -> Result<String, MimeError> {
        let value =
            self.content_type.as_deref().ok_or(MimeError::Malformed("the message has no Content-Type"))?;
        let (media, parameters) = media_type(value);
        if media != "multipart/related" {
            return Err(MimeError::Malformed("the message is not multipart/related"));
        }
        let boundary = parameter(parameters, "boundary")?.ok_or(MimeError::Malformed("no boundary"))?;
        // Longer than the 70 of RFC 2046 for partners who do not count; graphic for all.
        let fits =
            (1..=200).contains(&boundary.len()) && boundary.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if fits && !boundary.ends_with(' ') {
            Ok(boundary)
        } else {
            Err(MimeError::Malformed("the boundary is illegal"))
        }
    }

    /// The headers of a part.
    pub(super) fn part(self, index: usize, limits: &MimeLimits) -> Result<PartHeaders, MimeError> {
        let root = index == 0;
        let content_type = self.content_type.as_deref().unwrap_or("application/octet-stream");
        let (media, parameters) = media_type(content_type);
        let content_id = self.content_id.map(|id| without_brackets(&id)).transpose()?;
        if root && media != "text/xml" {
            return Err(MimeError::Malformed("the first part is not the message (text/xml)"));
        }
        if !root && content_id.as_deref().is_some_and(|id| !is_attachment_name(id, limits)) {
            return Err(MimeError::Malformed("the Content-ID of an attachment cannot be handed on"));
        }
        // Written anew, the line may be longer.
        if "Content-Type: ".len() + media.len() > limits.header_line {
            return Err(MimeError::Limit("length of a media type"));
        }
        if root && content_id.is_none() {
            return Err(MimeError::Malformed("the root part has no Content-ID"));
        }
        if root
            && parameter(parameters, "charset")?.is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8"))
        {
            return Err(MimeError::Malformed("the message is not UTF-8"));
        }
        let encoding = self.transfer_encoding.map(|encoding| encoding.to_ascii_lowercase());
        let transfer_encoding = match encoding.as_deref() {
            Some("base64") => TransferEncoding::Base64,
            Some("7bit") if media == "text/base64" => TransferEncoding::Base64,
            Some("8bit" | "8-bit" | "7bit" | "binary") => TransferEncoding::Identity,
            None if root => TransferEncoding::Identity,
            None => return Err(MimeError::Malformed("an attachment has no Content-Transfer-Encoding")),
            Some(_) => return Err(MimeError::Malformed("unknown Content-Transfer-Encoding")),
        };
        Ok(PartHeaders {
            parameters: parameters.to_owned(),
            content_type: media,
            transfer_encoding,
            content_id,
            length: self.content_length.and_then(|length| length.parse().ok()),
        })
    }
}

/// Media type in lower case, and the parameters from the semicolon on.
fn media_type(value: &str) -> (String, &str) {
    let (media, parameters) = value.split_at(value.find(';').unwrap_or(value.len()));
    (media.trim().to_ascii_lowercase(), parameters)
}

/// Value of a parameter, quoted or not. Unquoted values may hold what RFC 2045 would have quoted: the Java library
/// writes `+` and `/`.
fn parameter(parameters: &str, wanted: &str) -> Result<Option<String>, MimeError> {
    const MALFORMED: MimeError = MimeError::Malformed("the parameters of a Content-Type are malformed");
    let mut rest = parameters.trim();
    let mut found = None;
    while let Some(begin) = rest.strip_prefix(';') {
        let begin = begin.trim_start();
        if begin.is_empty() || begin.starts_with(';') {
            rest = begin;
            continue;
        }
        let (name, value) = begin.split_once('=').ok_or(MALFORMED)?;
        let value = value.trim_start();
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => unquote(quoted).ok_or(MALFORMED)?,
            None => {
                let (token, after) = value.split_at(value.find(';').unwrap_or(value.len()));
                (token.trim_end().to_owned(), after)
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) && found.replace(value).is_some() {
            return Err(MimeError::Malformed("a parameter of a Content-Type stands there twice"));
        }
        rest = after.trim_start();
    }
    if rest.is_empty() { Ok(found) } else { Err(MALFORMED) }
}

/// Content of a quoted string and what follows it.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            _ => value.push(char),
        }
    }
    None
}

fn without_brackets(id: &str) -> Result<String, MimeError> {
    let inner = id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(id);
    if inner.is_empty() || inner.contains(['<', '>', ' ', '\t']) {
        return Err(MimeError::Malformed("a Content-ID is malformed"));
    }
    Ok(inner.to_owned())
}
