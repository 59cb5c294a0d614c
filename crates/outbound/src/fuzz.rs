//! What a fuzzer reads with: replies of a mail server, whose reader is bound to a connection otherwise.

use tokio::io::{AsyncRead, BufReader};

use crate::mail::reply::read;

/// A reply as the adapter sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpReply {
    /// Three digits.
    pub code: u16,
    /// Text of each line.
    pub lines: Vec<String>,
    /// What of it is told to people.
    pub told: String,
    /// The server's own name of the message.
    pub queue_id: Option<String>,
}

/// Replies one after the other, until one cannot be read or nothing comes any more; `piece` octets are read at once.
pub async fn smtp_replies(wire: impl AsyncRead + Unpin, piece: usize) -> Vec<SmtpReply> {
    let mut wire = BufReader::with_capacity(piece, wire);
    let mut replies = Vec::new();
    while let Ok(reply) = read(&mut wire).await {
        let (told, queue_id) = (reply.to_string(), reply.queue_id());
        replies.push(SmtpReply { code: reply.code, lines: reply.lines, told, queue_id });
    }
    replies
}
