//! What an envelope says that is no XML any more: a DOCTYPE, a tag too few, octets that are no text. Read for an
//! inspection alone; nothing may ever be done by it.

use crate::certificate::Certificate;
use crate::message::{CertificateRole, MessageKind};
use crate::xml::base64_of;

/// What was seen in the text of an envelope.
#[derive(Default)]
pub(super) struct Damaged {
    /// Type, by schemaLocation.
    pub(super) kind: Option<MessageKind>,
    /// Role, Id, certificate.
    pub(super) certificates: Vec<(String, String, Result<Certificate, String>)>,
    /// There is a signature block.
    pub(super) signed: bool,
}

impl Damaged {
    /// Goes through the start tags, whatever stands between them.
    pub(super) fn read(octets: &[u8]) -> Self {
        let text = String::from_utf8_lossy(octets);
        let mut seen = Self::default();
        for piece in text.split('<').skip(1) {
            let (tag, inside) = piece.split_once('>').unwrap_or((piece, ""));
            let name = tag.split(|char: char| char.is_whitespace() || char == '/').next().unwrap_or_default();
            match name.rsplit(':').next().unwrap_or_default() {
                "Envelope" => {
                    let location = attribute(tag, "xsi:schemaLocation");
                    seen.kind = seen.kind.or(location.and_then(MessageKind::from_schema_location));
                }
                // Not the end tag, whose name begins with a slash.
                "ClientSignature" | "SupplierSignature" => seen.signed = true,
                "X509Certificate" => {
                    if let Some((_, _, unread @ Err(_))) = seen.certificates.last_mut()
                        && let Some(certificate) =
                            base64_of(inside).and_then(|der| Certificate::from_der(der).ok())
                    {
                        *unread = Ok(certificate);
                    }
                }
                element if CertificateRole::from_element(element).is_some() => {
                    let id = attribute(tag, "Id").unwrap_or_default().to_owned();
                    seen.certificates.push((
                        element.to_owned(),
                        id,
                        Err("the certificate cannot be read".to_owned()),
                    ));
                }
                _ => {}
            }
        }
        seen
    }
}

/// The value of an attribute as it is written.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.match_indices(name).find_map(|(at, _)| {
        let value = tag.get(at + name.len()..)?.trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        tag.get(..at)?.ends_with(char::is_whitespace).then(|| value[1..].split(quote).next())?
    })
}
