//! Replies of a mail server, and what can go wrong.

use dds_delivery::Fault;
use dds_message::{Code, Text};

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

use crate::fault::reference_form;

/// Longest reply line taken; RFC 5321 section 4.5.3.1.5 promises 512 bytes.
const LINE: u64 = 4 * 1024;
/// Most lines of one reply.
const LINES: usize = 100;

/// A reply (RFC 5321 section 4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// Three digits.
    pub(crate) code: u16,
    /// Text of each line.
    pub(crate) lines: Vec<String>,
}

impl Reply {
    /// Enhanced status code (RFC 3463), such as `5.1.1`.
    fn enhanced(&self) -> Option<&str> {
        let word = self.lines.first()?.split(' ').next()?;
        let parts: Vec<_> = word.split('.').collect();
        let number =
            |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        (parts.len() == 3 && parts.iter().all(number)).then_some(word)
    }

    /// The server's own name of the message, as most write it: `2.0.0 Ok: queued as 4ABC`.
    pub(crate) fn queue_id(&self) -> Option<String> {
        let (_, id) = self.lines.first()?.split_once("queued as ")?;
        reference_form(id.split(' ').next()?)
    }
}

impl std::fmt::Display for Reply {
    /// Codes only: the text of a reply may name a person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.enhanced() {
            Some(enhanced) => write!(f, "{} {enhanced}", self.code),
            None => write!(f, "{}", self.code),
        }
    }
}

/// Reads a reply of one or more lines (RFC 5321 section 4.2.1).
pub(crate) async fn read(wire: &mut (impl AsyncBufRead + Unpin)) -> Result<Reply, Failure> {
    let malformed = || {
        Failure::connection("die Antwort des Mailservers ist fehlerhaft", "reply of the relay is malformed")
    };
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        (&mut *wire).take(LINE).read_until(b'\n', &mut line).await?;
        if line.is_empty() {
            return Err(Failure::connection(
                "der Mailserver hat die Verbindung geschlossen",
                "connection closed by the relay",
            ));
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\r', '\n']);
        let code = text.get(..3).and_then(|code| code.parse::<u16>().ok()).ok_or_else(malformed)?;
        let last = !matches!(text.as_bytes().get(3), Some(b'-'));
        lines.push(text.get(4..).unwrap_or_default().to_owned());
        if last {
            return Ok(Reply { code, lines });
        }
        if lines.len() >= LINES || line.last() != Some(&b'\n') {
            return Err(malformed());
        }
    }
}

/// Why a mail was not taken.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No connection, or it broke.
    Connection(Text),
    /// The message was sent to its end and no reply came: the server may have it.
    Doubt(Text),
    /// STARTTLS is demanded and not offered.
    Unprotected,
    /// No common mechanism of authentication.
    NoMechanism,
    /// The password cannot be read.
    Credential(Fault),
    /// An attachment cannot be read.
    Read(Code),
    /// Larger than the server announced to take, in bytes.
    TooLarge(u64),
    /// The server said no.
    Refused {
        /// Command.
        step: &'static str,
        /// What it said.
        reply: Reply,
    },
}

impl Failure {
    /// The connection cannot be used; in German and English.
    pub(crate) fn connection(german: &str, english: &str) -> Self {
        Self::Connection((german, english).into())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Connection(crate::fault::kind(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_are_shown() {
        let reply = |code, line: &str| Reply { code, lines: vec![line.to_owned()] };
        assert_eq!(reply(550, "5.1.1 <erika@example> unbekannt").to_string(), "550 5.1.1");
        assert_eq!(reply(550, "Erika Mustermann unbekannt").to_string(), "550");
        assert_eq!(reply(250, "2.0.0 Ok: queued as 4XyZ12").queue_id(), Some("4XyZ12".to_owned()));
        assert_eq!(reply(250, "danke").queue_id(), None);
    }
}
