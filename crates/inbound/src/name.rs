//! Names and keys that senders give.

use dds_message::{Code, Problem};

/// A file name without any path, 1 to 200 bytes, without control characters.
///
/// # Errors
/// `DDS-I004` if nothing usable is left. The name itself is not quoted, it may be personal.
pub(crate) fn file_name(sent: &str) -> Result<String, Problem> {
    let name = sent.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let usable = !name.is_empty()
        && name.len() <= 200
        && name != "."
        && name != ".."
        && !name.contains(char::is_control);
    if usable {
        Ok(name.to_owned())
    } else {
        let text = (
            "eine Anlage braucht einen Dateinamen von 1 bis 200 Bytes ohne Steuerzeichen",
            "an attachment needs a file name of 1 to 200 bytes without control characters",
        );
        Err(Problem::new(Code::BAD_REQUEST, text))
    }
}

/// A sender key (Idempotenzschlüssel): 1 to 200 visible ASCII characters.
///
/// # Errors
/// `DDS-I004` otherwise.
pub(crate) fn sender_key(sent: &[u8]) -> Result<&str, Problem> {
    let visible = (1..=200).contains(&sent.len()) && sent.iter().all(u8::is_ascii_graphic);
    std::str::from_utf8(sent).ok().filter(|_| visible).ok_or_else(|| {
        let text = (
            "der Idempotenzschlüssel muss 1 bis 200 sichtbare ASCII-Zeichen haben",
            "the idempotency key must be 1 to 200 visible ASCII characters",
        );
        Problem::new(Code::BAD_REQUEST, text)
    })
}

/// A media type of `type/subtype` (RFC 6838 section 4.2), without parameters, lower case; anything else becomes
/// `application/octet-stream`.
pub(crate) fn media_type(sent: Option<&str>) -> String {
    let sent = sent.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
    let part = |part: &str| (1..=127).contains(&part.len()) && part.bytes().all(letter);
    match sent.split_once('/') {
        Some((kind, subtype)) if part(kind) && part(subtype) => sent.to_ascii_lowercase(),
        _ => "application/octet-stream".to_owned(),
    }
}

/// Media type by the ending of a file name, where the channel carries none.
pub(crate) fn media_type_of(file_name: &str) -> &'static str {
    match file_name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
        Some("pdf") => "application/pdf",
        Some("xml") => "application/xml",
        Some("json") => "application/json",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("png") => "image/png",
        Some("tif" | "tiff") => "image/tiff",
        Some("txt") => "text/plain",
        Some("zip") => "application/zip",
        _ => "application/octet-stream",
    }
}
