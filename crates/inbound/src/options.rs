//! What a sender may ask of us.

use std::time::Duration;

use crate::Pace;

/// Grenzen of one submission, global or of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Main document, in bytes.
    pub document_bytes: u64,
    /// One attachment, in bytes.
    pub attachment_bytes: u64,
    /// Whole submission, in bytes.
    pub total_bytes: u64,
    /// Number of attachments.
    pub attachments: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { document_bytes: 16 << 20, attachment_bytes: 1 << 30, total_bytes: 4 << 30, attachments: 500 }
    }
}

/// How the channels treat submissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Limits of a source that has none of its own.
    pub limits: Limits,
    /// Submissions received at the same time over REST; more are told to come back (`DDS-I009`).
    pub intakes: usize,
    /// SOAP requests received at the same time. Each may hold `soap_bytes` in memory.
    pub soap_intakes: usize,
    /// Largest SOAP envelope in bytes, its base64 attachments included. What is larger belongs to REST, which streams.
    pub soap_bytes: usize,
    /// Header fields of a request; more are refused (`DDS-I015`).
    pub headers: usize,
    /// `Retry-After` of a 503, in seconds.
    pub retry_after: u64,
    /// A body that stands still for so many seconds is given up (`DDS-I012`).
    pub idle_seconds: u64,
    /// A body may take so many seconds before its average rate counts …
    pub grace_seconds: u64,
    /// … and is given up below so many bytes per second.
    pub bytes_per_second: u64,
    /// Address under which senders reach us, such as `https://drehscheibe.example`; stands in the WSDL. Without it the
    /// `Host` of the request is taken.
    pub public_url: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            intakes: 1_024,
            soap_intakes: 16,
            soap_bytes: 64 << 20,
            headers: 64,
            retry_after: 5,
            idle_seconds: 30,
            grace_seconds: 60,
            bytes_per_second: 4096,
            public_url: None,
        }
    }
}

impl Options {
    /// How slowly a request may come.
    #[must_use]
    pub fn pace(&self) -> Pace {
        Pace {
            idle: Duration::from_secs(self.idle_seconds),
            grace: Duration::from_secs(self.grace_seconds),
            bytes_per_second: self.bytes_per_second,
        }
    }
}

/// Limits of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpLimits {
    /// Connections open at the same time; further ones wait in the backlog of the system.
    pub connections: usize,
    /// TLS handshake, in seconds.
    pub handshake_seconds: u64,
    /// A request head must be complete after so many seconds; also ends idle connections.
    pub head_seconds: u64,
    /// Header fields the parser reads at most; the narrower line, with a problem document, is [`Options::headers`].
    pub headers: usize,
    /// After the call to end, requests in flight may take so many seconds.
    pub drain_seconds: u64,
    /// How slowly an answer may be read.
    pub pace: Pace,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connections: 2048,
            handshake_seconds: 10,
            head_seconds: 30,
            headers: 64,
            drain_seconds: 20,
            pace: Pace::default(),
        }
    }
}

impl HttpLimits {
    pub(crate) const fn handshake(&self) -> Duration {
        Duration::from_secs(self.handshake_seconds)
    }
    pub(crate) const fn head(&self) -> Duration {
        Duration::from_secs(self.head_seconds)
    }
    pub(crate) const fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }
}
