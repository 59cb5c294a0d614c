//! What the HTTP bindings say about media type and action.

use crate::Version;

/// What the headers of a request say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Version by the media type.
    pub version: Version,
    /// Action; `None`: the request names none.
    pub action: Option<String>,
}

/// Why the headers of a request are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BindingError {
    /// Neither `text/xml` nor `application/soap+xml`. `DDS-I006`.
    #[error("media type must be text/xml (SOAP 1.1) or application/soap+xml (SOAP 1.2)")]
    MediaType,
    /// Anything but UTF-8 (or US-ASCII, its subset). `DDS-I006`.
    #[error("charset must be utf-8")]
    Charset,
    /// SOAP 1.1 without the header `SOAPAction` (section 6.1.1 demands it). `DDS-I004`.
    #[error("header SOAPAction is missing")]
    ActionMissing,
}

impl BindingError {
    /// The same in German; `Display` tells it in English.
    #[must_use]
    pub const fn german(self) -> &'static str {
        match self {
            Self::MediaType => {
                "der Medientyp muss text/xml (SOAP 1.1) oder application/soap+xml (SOAP 1.2) sein"
            }
            Self::Charset => "der Zeichensatz (charset) muss utf-8 sein",
            Self::ActionMissing => "der Kopf SOAPAction fehlt",
        }
    }
}

/// Reads `Content-Type` and `SOAPAction` of a request. The action of 1.1 is the header, in quotes or bare; that of 1.2
/// is the optional parameter `action` (part 2 section 6.5.3, RFC 3902).
///
/// # Errors
/// [`BindingError`]; each is the sender's to mend.
pub fn read(content_type: &str, soap_action: Option<&str>) -> Result<Binding, BindingError> {
    let mut parts = parameters(content_type);
    let media_type = parts.next().map(|(name, _)| name).unwrap_or_default();
    let version = [Version::V11, Version::V12]
        .into_iter()
        .find(|version| version.media_type() == media_type)
        .ok_or(BindingError::MediaType)?;
    let parameters: Vec<(String, String)> = parts.collect();
    let parameter =
        |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if let Some(charset) = parameter("charset")
        && !["utf-8", "us-ascii"].contains(&charset.to_ascii_lowercase().as_str())
    {
        return Err(BindingError::Charset);
    }
    let action = match version {
        Version::V11 => Some(soap_action.ok_or(BindingError::ActionMissing)?.trim().trim_matches('"')),
        Version::V12 => parameter("action"),
    };
    Ok(Binding { version, action: action.filter(|action| !action.is_empty()).map(str::to_owned) })
}

/// The headers of a request: `Content-Type`, and `SOAPAction` for 1.1. Letters that a quoted string cannot carry are
/// left out of the action.
#[must_use]
pub fn write(version: Version, action: &str) -> (String, Option<String>) {
    let action: String = action.chars().filter(|c| c.is_ascii_graphic() && *c != '"' && *c != '\\').collect();
    match version {
        Version::V11 => ("text/xml; charset=utf-8".to_owned(), Some(format!("\"{action}\""))),
        Version::V12 if action.is_empty() => ("application/soap+xml; charset=utf-8".to_owned(), None),
        Version::V12 => (format!("application/soap+xml; charset=utf-8; action=\"{action}\""), None),
    }
}

/// `Content-Type` of an answer.
#[must_use]
pub const fn answer_type(version: Version) -> &'static str {
    match version {
        Version::V11 => "text/xml; charset=utf-8",
        Version::V12 => "application/soap+xml; charset=utf-8",
    }
}

/// The media type (lower case, as a name without value) and its parameters. Semicolons in quotes do not part.
fn parameters(content_type: &str) -> impl Iterator<Item = (String, String)> + '_ {
    let mut quoted = false;
    content_type
        .split(move |c| {
            quoted ^= c == '"';
            c == ';' && !quoted
        })
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"').to_owned())
        })
}
