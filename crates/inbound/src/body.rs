//! A request body in pieces, with its limits in bytes and time.

use std::time::Duration;

use axum::{
    body::{Body, HttpBody},
    http::{HeaderMap, header},
};
use bytes::{Bytes, BytesMut};
use dds_message::{Code, Problem};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout};

use crate::pace::{Pace, Patience};

/// What is read of a refused body, so that the sender, who may still be sending, gets to see the refusal.
const LINGER_BYTES: u64 = 64 << 20;
const LINGER: Duration = Duration::from_secs(10);

/// A body that is read piece by piece.
pub(crate) struct Pieces {
    body: Body,
    received: u64,
    limit: u64,
    announced: Option<u64>,
    awaits_permission: bool,
    encoded: bool,
    /// With the sender; our own work does not count against it.
    patience: Patience,
    complete: bool,
}

impl Pieces {
    /// `body`, of which nothing may be read before [`Pieces::allow`].
    pub(crate) fn new(headers: &HeaderMap, body: Body, pace: Pace) -> Self {
        Self {
            announced: body.size_hint().exact(),
            awaits_permission: headers.contains_key(header::EXPECT),
            encoded: headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity"),
            body,
            received: 0,
            limit: 0,
            patience: Patience::new(pace),
            complete: false,
        }
    }

    /// Allows `limit` bytes.
    ///
    /// # Errors
    /// Before anything is read: `DDS-I006` if the body is compressed (its real size could not be limited), `DDS-I003`
    /// if `Content-Length` announces more.
    pub(crate) fn allow(&mut self, limit: u64) -> Result<(), Problem> {
        self.limit = limit;
        if self.encoded {
            let text = (
                "Content-Encoding wird nicht unterstützt, den Körper unverändert senden",
                "Content-Encoding is not supported, send the body as it is",
            );
            return Err(Problem::new(Code::UNSUPPORTED_MEDIA, text));
        }
        if self.announced.is_some_and(|announced| announced > limit) { Err(self.too_large()) } else { Ok(()) }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// `DDS-I003` beyond the limit, `DDS-I011` if the sender breaks off, `DDS-I012` if it is too slow.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            let began = Instant::now();
            let frame = match timeout(self.patience.now(), self.body.frame()).await {
                Ok(frame) => frame,
                Err(_) if self.patience.is_behind() => {
                    return Err(self.too_slow("unter der Mindestrate", "below the least rate"));
                }
                Err(_) => return Err(self.too_slow("es kam nichts mehr", "nothing came")),
            };
            self.patience.spend(began.elapsed());
            match frame {
                None => {
                    self.complete = true;
                    return Ok(None);
                }
                Some(Err(_)) => {
                    let text = (
                        "der Körper endete vor seinem angekündigten Ende",
                        "the body ended before its announced end",
                    );
                    return Err(Problem::new(Code::BROKEN_OFF, text));
                }
                Some(Ok(frame)) => {
                    let Ok(piece) = frame.into_data() else { continue };
                    self.received += piece.len() as u64;
                    self.patience.earn(piece.len());
                    return if self.received > self.limit { Err(self.too_large()) } else { Ok(Some(piece)) };
                }
            }
        }
    }

    /// The whole rest, at most `limit` bytes of it.
    pub(crate) async fn whole(&mut self, limit: u64) -> Result<Bytes, Problem> {
        let first = self.next().await?.unwrap_or_default();
        within(first.len(), limit)?;
        let Some(second) = self.next().await? else { return Ok(first) };
        let mut whole = BytesMut::from(first);
        let mut piece = Some(second);
        while let Some(bytes) = piece {
            within(whole.len() + bytes.len(), limit)?;
            whole.extend_from_slice(&bytes);
            piece = self.next().await?;
        }
        Ok(whole.freeze())
    }

    /// Gives the body up: reads on for a while in the background, so that the refusal reaches a sender who only
    /// listens when it has sent everything. Closing at once would reset the connection under the answer.
    pub(crate) fn linger(mut self) {
        // Who waits for `100 Continue` (RFC 9110 section 10.1.1) has sent nothing yet and listens.
        if self.complete || (self.awaits_permission && self.received == 0) {
            return;
        }
        self.limit = self.received + LINGER_BYTES;
        tokio::spawn(timeout(LINGER, async move { while let Ok(Some(_)) = self.next().await {} }));
    }

    fn too_large(&self) -> Problem {
        larger("der Körper", "the body", self.limit)
    }

    fn too_slow(&self, german: &str, english: &str) -> Problem {
        let bytes = self.received;
        Problem::new(
            Code::TOO_SLOW,
            (format!("{german} nach {bytes} Bytes"), format!("{english} after {bytes} bytes")),
        )
    }
}

/// `DDS-I003`: what is larger than its limit in bytes.
pub(crate) fn larger(german: &str, english: &str, limit: u64) -> Problem {
    let text =
        (format!("{german} ist größer als {limit} Bytes"), format!("{english} is larger than {limit} bytes"));
    Problem::new(Code::TOO_LARGE, text)
}

/// `DDS-I003`: an attachment beyond its limit in bytes.
pub(crate) fn large_attachment(limit: u64) -> Problem {
    larger("eine Anlage", "an attachment", limit)
}

/// `DDS-I003`: more attachments than allowed.
pub(crate) fn many_attachments(limit: usize) -> Problem {
    Problem::new(
        Code::TOO_LARGE,
        (format!("mehr als {limit} Anlagen"), format!("more than {limit} attachments")),
    )
}

/// Checks the size of the main document.
pub(crate) fn within(size: usize, limit: u64) -> Result<(), Problem> {
    if size as u64 > limit {
        return Err(larger("das Dokument", "the main document", limit));
    }
    Ok(())
}
