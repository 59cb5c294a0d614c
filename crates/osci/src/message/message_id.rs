use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A message id (*MessageId*): a text that the intermediary issues. The wire carries the Base64 of its UTF-8 form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// An id by its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id that our intermediary gives to the reply to a mediated delivery: that of the delivery with `_Reply`. So
    /// the client can ask for the process card of a reply that never reached it.
    #[must_use]
    pub fn of_reply(&self) -> Self {
        Self(format!("{}_Reply", self.0))
    }

    /// The wire form (Base64). `None` if it is not Base64 of UTF-8 text.
    pub fn from_wire(wire: &str) -> Option<Self> {
        let compact: String = wire.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let bytes = STANDARD.decode(compact).ok()?;
        String::from_utf8(bytes).ok().map(Self)
    }

    /// The wire form (Base64).
    pub fn to_wire(&self) -> String {
        STANDARD.encode(&self.0)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({})", self.0)
    }
}
